"""A chapter, question by question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.plain import lines
from screens.plain.ask_value import ask_value, choose
from screens.plain.table_questions import TableQuestions
from screens.plain.terminal_io import Command
from screens.shared import editing as answering
from screens.shared.nova_lines import nova_lines
from screens.shared.page_order import PAGES
from wizard.answers import editing
from wizard.chapters.base import Chapter
from wizard.chapters.registry import chapter
from wizard.model.findings import Finding
from wizard.model.questions import Question, Table

if TYPE_CHECKING:
    from screens.plain.plain_session import PlainSession

ANSWER_IT = Question(("",), "yesno", "Set this up", help="No leaves this chapter alone: nothing of it is changed.")


class ChapterQuestions:
    """Asks the questions of one chapter. Which there are is found out anew after each answer."""

    def __init__(self, session: PlainSession, name: str) -> None:
        self.session, self.name, self.number = session, name, PAGES.index(name)
        self.chapter: Chapter = chapter(name)
        self._group = ""
        self._told: set[Finding] = set()

    @property
    def answered(self) -> bool:
        return self.session.state.answers.get(self.name) is not None

    def _stops(self) -> list[Question | Table]:
        if not self.answered:
            return [ANSWER_IT]
        return [ANSWER_IT, *self.chapter.questions(self.session.facts, self.session.state.answers)]

    def ask(self, backwards: bool) -> str:
        """All questions; gives the page that comes next. `backwards`: from a later page, so from the last question."""
        if not backwards:
            self._introduce()
        stops = self._stops()
        place = len(stops) - 1 if backwards else 0
        onwards = not backwards
        while 0 <= place < len(stops):
            before = self.session.state.answers
            onwards = self._visit(place, stops[place], onwards)
            if self.session.state.answers != before:
                self.session.keep()
                self._tell(("blocks", "warns"))
            place += 1 if onwards else -1
            stops = self._stops()
        if place < 0:
            return self.session.before(self.name)
        self._close()
        return self.session.after(self.name)

    def _introduce(self) -> None:
        talk = self.session.talk
        talk.say(f"\n{self.number} {self.chapter.TITLE}")
        if self.name in self.session.state.visited:
            return
        self.session.state.visited.add(self.name)
        talk.say(self.chapter.WHY)
        talk.say("\n".join(self.chapter.summary(self.session.facts)), "  ")

    def _visit(self, place: int, question: Question | Table, onwards: bool) -> bool:
        """Ask one; whether it goes on, or back. What cannot be asked is passed by in the direction of the way."""
        if question.group and question.group != self._group:
            self.session.talk.say(question.group)
        self._group = question.group
        label = f"{self.number}.{place}" if place else str(self.number)
        if isinstance(question, Table):
            return TableQuestions(self.session, self.name, question, label).ask()
        if question.disabled:
            if onwards:
                self.session.talk.say(f"{label} {question.text}: not asked, since {question.disabled}.")
            return onwards
        if question is ANSWER_IT:
            return self._whether(label)
        value = editing.value_at(self.session.state.answers, self.name, question.key)
        return ask_value(self.session, self.name, question, question.key, value, label)

    def _whether(self, label: str) -> bool:
        """Whether this chapter is answered at all."""
        wanted = choose(self.session, ANSWER_IT, self.answered, label)
        if isinstance(wanted, Command):
            return False
        if wanted and not self.answered:
            problem = answering.begin(self.session.state, self.chapter)
            if problem:
                self.session.talk.say(f"! {problem}")
        elif not wanted:
            answering.leave_alone(self.session.state, self.name)
        return True

    def _close(self) -> None:
        """What follows from the answers."""
        self._tell(("blocks", "warns", "tells"))
        nova = nova_lines(self.name, self.session.facts, self.session.state.answers)
        if nova:
            self.session.talk.say("\n".join(nova))
        plan = self.session.plan()
        mine = [step for step in plan.steps if self.name in step.chapters]
        if self.name in plan.blocked:
            self.session.talk.say("Blocked: nothing of it is done as long as that stands. b goes back to the answers.")
        elif self.answered:
            after = ", some of it with the next reboot" if any("reboot" in step.labels for step in mine) else ""
            count = f"{len(mine)} step{'s' * (len(mine) != 1)}"
            self.session.talk.say(f"{count}{after}; p shows the plan." if mine else "Nothing is to be changed for it.")

    def _tell(self, severities: tuple[str, ...]) -> None:
        """Say what was found of these severities, and was not said yet."""
        mine = [each for each in self.session.plan().findings if each.chapter == self.name]
        new = [each for each in mine if each.severity in severities and each not in self._told]
        self._told = set(mine) & (self._told | set(new))
        if new:
            self.session.talk.say("\n".join(lines.findings(new)))
