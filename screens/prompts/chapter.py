"""A chapter, question by question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from screens.names import PAGES
from screens.prompts import found, values
from screens.prompts.rows import TableQuestions
from screens.prompts.talk import Command
from wizard import answer_files
from wizard.chapters import Chapter, chapter
from wizard.errors import InputError
from wizard.plan import Finding
from wizard.questions import Question, Table

if TYPE_CHECKING:
    from screens.prompts.walk import Walk

ANSWER_IT = Question(("",), "yesno", "Set this up", help="No leaves this chapter alone: nothing of it is changed.")


class ChapterQuestions:
    """Asks the questions of one chapter. Which there are is found out anew after each answer."""

    def __init__(self, walk: Walk, name: str) -> None:
        self.walk, self.name, self.number = walk, name, PAGES.index(name)
        self.chapter: Chapter = chapter(name)
        self._group = ""
        self._told: set[Finding] = set()

    @property
    def answered(self) -> bool:
        return self.walk.state.answers.get(self.name) is not None

    def _stops(self) -> list[Question | Table]:
        if not self.answered:
            return [ANSWER_IT]
        return [ANSWER_IT, *self.chapter.questions(self.walk.facts, self.walk.state.answers)]

    def ask(self, backwards: bool) -> str:
        """All questions; gives the page that comes next. `backwards`: from a later page, so from the last question."""
        if not backwards:
            self._introduce()
        stops = self._stops()
        place = len(stops) - 1 if backwards else 0
        onwards = not backwards
        while 0 <= place < len(stops):
            before = self.walk.state.answers
            onwards = self._visit(place, stops[place], onwards)
            if self.walk.state.answers != before:
                self.walk.keep()
                self._tell(("blocks", "warns"))
            place += 1 if onwards else -1
            stops = self._stops()
        if place < 0:
            return self.walk.before(self.name)
        self._close()
        return self.walk.after(self.name)

    def _introduce(self) -> None:
        talk = self.walk.talk
        talk.say(f"\n{self.number} {self.chapter.TITLE}")
        if self.name in self.walk.state.visited:
            return
        self.walk.state.visited.add(self.name)
        talk.say(self.chapter.WHY)
        talk.say("\n".join(self.chapter.summary(self.walk.facts)), "  ")

    def _visit(self, place: int, question: Question | Table, onwards: bool) -> bool:
        """Ask one; whether it goes on, or back. What cannot be asked is passed by in the direction of the way."""
        if question.group and question.group != self._group:
            self.walk.talk.say(question.group)
        self._group = question.group
        label = f"{self.number}.{place}" if place else str(self.number)
        if isinstance(question, Table):
            return TableQuestions(self.walk, self.name, question, label).ask()
        if question.disabled:
            if onwards:
                self.walk.talk.say(f"{label} {question.text}: not asked, since {question.disabled}.")
            return onwards
        if question is ANSWER_IT:
            return self._whether(label)
        value = answer_files.value_at(self.walk.state.answers, self.name, question.key)
        return ask_value(self.walk, self.name, question, question.key, value, label)

    def _whether(self, label: str) -> bool:
        """Whether this chapter is answered at all."""
        wanted = choose(self.walk, ANSWER_IT, self.answered, label)
        if isinstance(wanted, Command):
            return False
        if wanted and not self.answered:
            suggested = answer_files.beginning(self.chapter, self.walk.facts)
            if isinstance(suggested, answer_files.Refused):
                self.walk.talk.say(f"! what this node has now cannot be said as an answer: {suggested.what}")
                return True
            if suggested is None:
                self.walk.talk.say("! there is nothing here that it could be set up for")
                return True
            self.walk.state.answers = self.walk.state.answers.replace(self.name, suggested)
        elif not wanted:
            self.walk.state.answers = self.walk.state.answers.replace(self.name, None)
        return True

    def _close(self) -> None:
        """What follows from the answers."""
        self._tell(("blocks", "warns", "tells"))
        plan = self.walk.plan()
        mine = [step for step in plan.steps if self.name in step.chapters]
        if self.name in plan.blocked:
            self.walk.talk.say("Blocked: nothing of it is done as long as that stands. b goes back to the answers.")
        elif self.answered:
            after = ", some of it with the next reboot" if any("reboot" in step.labels for step in mine) else ""
            count = f"{len(mine)} step{'s' * (len(mine) != 1)}"
            self.walk.talk.say(f"{count}{after}; p shows the plan." if mine else "Nothing is to be changed for it.")

    def _tell(self, severities: tuple[str, ...]) -> None:
        """Say what was found of these severities, and was not said yet."""
        mine = [each for each in self.walk.plan().findings if each.chapter == self.name]
        new = [each for each in mine if each.severity in severities and each not in self._told]
        self._told = set(mine) & (self._told | set(new))
        if new:
            self.walk.talk.say("\n".join(found.findings(new)))


def choose(walk: Walk, question: Question, value: Any, label: str) -> Any:
    """One of a few; with arrow keys where they work. Gives the value or BACK."""
    choices = values.choices_of(question)
    while True:
        if walk.talk.select is not None and len(choices) <= values.AT_ONCE:
            said = walk.talk.select(f"{label} {question.text}:", choices, value)
            if isinstance(said, Command):
                if not walk.obey(said, question.help):
                    return said
                continue
            return said
        line = walk.ask(f"{label} {values.prompt(question, value)}", values.explanation(question))
        if isinstance(line, Command):
            return line
        if not line:
            return value
        try:
            return values.meaning(question, line)
        except InputError as error:
            walk.talk.say(f"! {error.what}")


def ask_value(walk: Walk, name: str, question: Question, key: Any, value: Any, label: str) -> bool:
    """Ask one value of the answers until the chapter's model takes it; whether it goes on, or back."""
    while True:
        if question.kind in ("choice", "yesno"):
            wanted = choose(walk, question, value, label)
        else:
            line = walk.ask(f"{label} {values.prompt(question, value)}", values.explanation(question))
            if line == "":
                return True
            try:
                wanted = line if isinstance(line, Command) else values.meaning(question, line)
            except InputError as error:
                walk.talk.say(f"! {error.what}")
                continue
        if isinstance(wanted, Command):
            return False
        if wanted == value:
            return True
        try:
            walk.state.answers = answer_files.change(walk.state.answers, name, key, wanted)
        except InputError as error:
            walk.talk.say(f"! {error.what}")
            continue
        return True
