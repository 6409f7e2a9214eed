"""What every chapter offers."""

from __future__ import annotations

from typing import Protocol

from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers, AnswersModel
from wizard.model.changes import Changes
from wizard.model.findings import Check, Finding
from wizard.model.questions import Question, Table


class Chapter(Protocol):
    """What every chapter module offers."""

    NAME: str  # its key in the answers file
    TITLE: str
    WHY: str  # two or three sentences for the admin
    NEEDS: tuple[str, ...]  # chapters that this one cannot do without: blocked with them

    @property
    def Answers(self) -> type[AnswersModel]:  # noqa: N802, it is a class in every chapter
        """The model of its answers."""

    def suggest(self, facts: Facts) -> AnswersModel | None:
        """Answers that fit the node as it is now; None where the chapter does not apply to it."""

    def questions(self, facts: Facts, answers: AllAnswers) -> list[Question | Table]:
        """The questions, as data."""

    def changes(self, facts: Facts, answers: AllAnswers) -> Changes:
        """What is to be done. Pure."""

    def findings(self, facts: Facts, answers: AllAnswers) -> list[Finding]:
        """What is wrong, or will go wrong with these answers."""

    def checks(self, facts: Facts, answers: AllAnswers) -> list[Check]:
        """What shows that it works now, and whether something waits for the reboot."""

    def summary(self, facts: Facts) -> list[str]:
        """What was found that matters here, a line each."""
