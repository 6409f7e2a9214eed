"""What a script wants to be told before it changes anything: the word for what cannot be taken back, and for guests that run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from wizard.model import step_text
from wizard.model.guest_effects import row, touching, undoing
from wizard.model.plan import GUESTS_TOUCHED, Plan
from wizard.model.steps import RunCommand, Step
from wizard.model.undo_order import Undo
from wizard.safe_text import safe_text


def one_way(plan: Plan) -> list[str]:
    """The steps that cannot be taken back, as the script numbers them."""
    return [numbered(number, step) for number, step in enumerate(plan.steps, 1) if "one-way" in step.labels]


def of_guests(plan: Plan) -> list[str]:
    """The steps that may interrupt guests, as the script numbers them."""
    return [numbered(number, step) for number, step, _ in touching(plan.steps)]


def undoing_guests(order: Iterable[Undo]) -> list[str]:
    """What undo.sh does that may interrupt guests: the number of each step that asks for it, and it in words."""
    found: list[str] = []
    for undo in order:
        done, step = undoing(undo.step), undo.step
        if done is not None and row(done).effect != "none":
            words = step_text.title(done) if isinstance(done, RunCommand) else f"undo: {step_text.title(step)}"
            found += [word for number in undo.numbers for word in (str(number), safe_text(words))]
    return found


def guests(plan: Plan) -> str:
    """The guests that ran when the plan was made, in words; empty where none did."""
    return next((each.seen for each in plan.findings if each.code == GUESTS_TOUCHED), "")


def permission(plan: Plan) -> Iterator[str]:
    """The script's words for both: all that is missing is said at once, and nothing is changed. Guests are those that run when the
    script does; where they cannot be seen, those of the plan."""
    forever, touched = one_way(plan), of_guests(plan)
    if forever or touched:
        yield "REFUSED=no"
    if forever:
        yield "WORDS=' --accept one-way'"
        yield 'if [ "$ACCEPTED" = no ]; then'
        yield "\techo 'refused: the plan has what cannot be taken back, not by undo.sh either:' >&2"
        yield from (f"\t{say(line)} >&2" for line in forever)
        yield "\tREFUSED=yes"
        yield "fi"
    if touched:
        yield shlex.join(["guests_refused", safe_text(guests(plan)), *touched]) + " >&2 && REFUSED=yes"
    if forever or touched:
        yield 'if [ "$REFUSED" = yes ]; then'
        yield '\tprintf \'Nothing was changed. If you mean it: sh %s%s\\n\' "$0" "$WORDS" >&2'
        yield "\texit 4"
        yield "fi"
    if plan.steps:
        yield 'if [ "$DRY" = yes ]; then'
        yield "\techo 'The node is as it was when the plan was made. Nothing was changed.'"
        yield "\texit 0"
        yield "fi"


def title(step: Step) -> str:
    labels = f"  [{', '.join(step.labels)}]" if step.labels else ""
    return safe_text(f"{step_text.title(step)}{labels}")


def numbered(number: int, step: Step) -> str:
    return f"{number:3}. {title(step)}"


def say(line: str) -> str:
    """A command that says this, to the letter: echo of some shells takes backslashes for more."""
    return shlex.join(["printf", "%s\\n", safe_text(line)])
