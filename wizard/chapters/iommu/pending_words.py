"""Words of others that come into force with the reboot and can lose the node: each is accepted by itself, or blocks the plan."""

from __future__ import annotations

from wizard.boot.woken import Woken, woken
from wizard.facts.facts import Facts
from wizard.model.changes import Changes
from wizard.model.questions import Holds, Question
from wizard.model.steps import RunCommand

HELP = "Yes lets it come into force with the reboot. No blocks the plan until the next boot's line is put right."


def questions(facts: Facts, changes: Changes) -> list[Question]:
    """One for each word, with its file and its danger above it; `changes` are the chapter's own, which the next line has, too."""
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in changes.edits}
    commands = [action.step.argv for action in changes.actions if isinstance(action.step, RunCommand)]
    found = [each for each in woken(facts, overlay, commands) if each.loses]
    return [
        Question(("accept", Holds(each.name)), "yesno", f"Accept {each.name}", help=HELP, group=said(each))
        for each in found
    ]


def said(word: Woken) -> str:
    """Where a word stands, and how it can lose the node."""
    where = "; ".join(word.places) or "the boot loader's entry"
    seen = "runs now, and is not on the next boot's line" if word.gone else f"is set for the next boot ({where})"
    return f"{word.name} {seen}, by somebody else. It can lose the node: {word.loses}."
