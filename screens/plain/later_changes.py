"""Files that were changed after a run, line by line: what becomes of each when the run is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.plain.terminal_io import Command
from wizard.model.plan import LaterWork, Plan
from wizard.planning.later_changes import Choice
from wizard.report import text as report

if TYPE_CHECKING:
    from screens.plain.plain_session import PlainSession

WORDS: dict[str, Choice] = {"1": "keep", "2": "restore", "3": "merge"}
HELP = (
    "keep leaves the file as it is now, with what the run did. restore makes it what it was before the run: what was done"
    " since is lost. merge takes out only what the run put in."
)


def choices(session: PlainSession, plan: Plan) -> dict[str, Choice] | None:
    """What becomes of each file that was changed since; None where the admin goes back."""
    said: dict[str, Choice] = {}
    for work in plan.later_work:
        choice = _choice(session, work)
        if choice is None:
            return None
        said[work.path] = choice
    return said


def _choice(session: PlainSession, work: LaterWork) -> Choice | None:
    merge = ", 3 merge" if work.merge is not None else ""
    session.talk.say(f"{work.path} was changed after the run.")
    while True:
        line = session.ask(f"What becomes of it: 1 keep, 2 restore{merge}, s shows the changes:", HELP)
        if isinstance(line, Command):
            return None
        word = line.lower()
        if word == "s":
            session.talk.say_as_it_is(report.later_work([work]))
            continue
        choice = WORDS.get(word) or next((each for each in WORDS.values() if each == word), None)
        if choice is not None and (choice != "merge" or work.merge is not None):
            return choice
        session.talk.say(
            "! a merge is not clean here: both changed the same lines"
            if choice
            else f"! type 1, 2{', 3' if merge else ''} or s"
        )
