"""What the wizard holds outside its widgets: facts, answers, what is not right yet, the plan, and where the admin has been."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from screens.shared import status
from screens.shared.edit_history import Edit
from screens.shared.page_order import CHAPTERS, TITLES
from screens.shared.probing import Proving
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.plan import Plan
from wizard.model.questions import Key


@dataclass(frozen=True, slots=True)
class Refused:
    """What was typed into a field and could not be taken: its text (None for a choice), its value where it has one, and why."""

    text: str | None
    value: Any
    has_value: bool
    problem: str


@dataclass(slots=True)
class RawRow:
    """A row that is not right yet: texts by the key of their column. `source` says where it comes from, such as "line 7"."""

    values: dict[Key, Any]
    problem: str
    source: str = ""
    fresh: dict[Key, Any] = field(default_factory=dict)  # what a new row begins with

    @property
    def untouched(self) -> bool:
        """Whether nothing was put into it."""
        return {key: value for key, value in self.values.items() if value} == self.fresh


@dataclass
class State:
    """One object that handlers own; workers only send messages."""

    facts: Facts | None = None
    answers: AllAnswers = field(default_factory=AllAnswers)
    plan: Plan | None = None
    planned: AllAnswers | None = None  # the answers that `plan` was made of
    refused: dict[str, dict[Key, Refused]] = field(default_factory=dict)  # by chapter
    begun: dict[tuple[str, Key], Any] = field(default_factory=dict)  # what fields held before they were typed into
    raw: dict[str, list[RawRow]] = field(default_factory=dict)  # by chapter
    edits: list[Edit] = field(default_factory=list)  # what `z` undoes, the newest last
    visited: set[str] = field(default_factory=set)
    run: str | None = None  # the run that the page Apply shows
    running: bool = False  # whether it is under way
    outdated: bool = False  # a run went on since the node was read
    runs: int = 0  # how many were started from here
    outcome: str = ""  # how the last run of this session ended, as its journal has it
    reboot_due: bool = False  # whether what it did waits for a reboot
    undo: Plan | None = None
    proving: Proving | None = None  # a proof that is being given, or was
    checked: str = ""  # the worst that Verify saw: a state of a check
    from_draft: bool = False

    @property
    def current(self) -> Plan | None:
        """The plan that fits the answers; None while it is being made."""
        return self.plan if self.planned is self.answers else None

    def unfinished(self, chapter: str) -> int:
        """How many fields and rows of a chapter are not right yet."""
        rows = [row for row in self.raw.get(chapter, []) if not row.untouched]
        return len(self.refused.get(chapter, {})) + len(rows)

    def not_right(self) -> list[str]:
        """The titles of chapters with something that is not right yet."""
        return [TITLES[name] for name in CHAPTERS if self.unfinished(name)]

    def mark(self, page: str) -> str:
        """The state of a page in the list, in ASCII."""
        return status.section(self, page).mark

    def attention(self) -> list[str]:
        """Chapters that block or warn, the ones that block first."""
        grave = {status.BLOCKED: 0, status.PROBLEM: 1}
        found = [name for name in CHAPTERS if status.section(self, name) in grave]
        return sorted(found, key=lambda name: grave[status.section(self, name)])
