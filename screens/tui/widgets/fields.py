"""Fields of a form. On and off are told by text, never by colour alone."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Click
from textual.message import Message
from textual.widgets import Input, Static

from screens.tui.widgets.line_input import Entry
from wizard.model.questions import Key, Question
from wizard.safe_text import safe_text

FEW = 3  # choices that are shown one below the other; more of them one at a time


class Changed(Message):
    """A field has a new value: `text` as typed, or `value` as chosen."""

    def __init__(self, field: Field, value: Any, text: str | None) -> None:
        super().__init__()
        self.field, self.value, self.text = field, value, text


class Field(Vertical):
    """One question: its widget, and below it what is wrong or what to type."""

    def __init__(self, question: Question, value: Any, key: Key, problem: str = "") -> None:
        super().__init__(classes="field")
        self.question, self.value, self.key = question, value, key
        self._problem = problem

    def compose(self) -> ComposeResult:
        yield from self.widgets()
        yield Static(self._problem_text(), classes="problem -shown" if self._problem else "problem", markup=False)

    def widgets(self) -> ComposeResult:
        yield from ()

    def _problem_text(self) -> str:
        return safe_text(f"  ! {self._problem}") if self._problem else ""

    def problem(self, text: str) -> None:
        """Show what is wrong, at the field; an empty text takes it away."""
        self._problem = text
        place = self.query_one(".problem", Static)
        place.update(self._problem_text())
        place.set_class(bool(text), "-shown")

    def renew(self, question: Question) -> None:
        """The question is another one now: disabled, or with another help."""
        if question != self.question:
            self.question = question
            self.draw()

    def draw(self) -> None:
        """Draw the question anew."""


class Line(Static, can_focus=True):
    """A line that takes the focus and draws itself from its field."""


class Marked(Field):
    """A field that is one piece of text, drawn from its value."""

    def widgets(self) -> ComposeResult:
        yield Line(safe_text(self.line()), markup=False, disabled=bool(self.question.disabled))

    def line(self) -> str:
        """The text."""
        raise NotImplementedError

    def draw(self) -> None:
        line = self.query_one(Line)
        line.update(safe_text(self.line()))
        line.disabled = bool(self.question.disabled)


class Tick(Marked):
    """[x] yes, [ ] no."""

    BINDINGS: ClassVar = [("space", "change", "change")]

    def line(self) -> str:
        off = f"  ({self.question.disabled})" if self.question.disabled else ""
        return f"[{'x' if self.value else ' '}] {self.question.text}{off}"

    def on_click(self, event: Click) -> None:
        event.stop()
        self.action_change()

    def action_change(self) -> None:
        if not self.question.disabled:
            self.value = not self.value
            self.draw()
            self.post_message(Changed(self, self.value, None))


class ChoiceField(Marked):
    """One of a few, left and right; all of them where there are few, else the one that is chosen."""

    BINDINGS: ClassVar = [("left", "move(-1)", "other"), ("right,space", "move(1)", "other")]

    def line(self) -> str:
        if self.question.disabled:
            return f"{self.question.text}: ({self.question.disabled})"
        if len(self.question.choices) > FEW:
            label = next((c.label for c in self.question.choices if c.value == self.value), str(self.value))
            return f"{self.question.text}: < {label} >"
        lines = [f"  ({'x' if c.value == self.value else ' '}) {c.label}" for c in self.question.choices]
        return "\n".join([f"{self.question.text}:", *lines])

    def on_click(self, event: Click) -> None:
        """The choice in the line that was clicked; where one is seen at a time, the next one."""
        event.stop()
        if len(self.question.choices) > FEW:
            self.action_move(1)
            return
        offset = event.get_content_offset(self.query_one(Line))
        values = [choice.value for choice in self.question.choices]
        place = offset.y - 1 if offset is not None else -1
        if not self.question.disabled and 0 <= place < len(values) and not self.question.choices[place].disabled:
            self.value = values[place]
            self.draw()
            self.post_message(Changed(self, self.value, None))

    def action_move(self, by: int) -> None:
        values = [choice.value for choice in self.question.choices if not choice.disabled]
        if self.question.disabled or not values:
            return
        place = values.index(self.value) if self.value in values else 0
        self.value = values[(place + by) % len(values)]
        self.draw()
        self.post_message(Changed(self, self.value, None))


class TextField(Field):
    """A text or a number. In it only Tab, Esc, Enter and function keys act."""

    def widgets(self) -> ComposeResult:
        text = "" if self.value is None else " ".join(self.value) if isinstance(self.value, list) else str(self.value)
        self._text = text
        with Horizontal(classes="line"):
            yield Static(safe_text(f"{self.question.text}:"), markup=False, classes="label")
            yield Entry(text, compact=True, disabled=bool(self.question.disabled), select_on_focus=False)
        note = self._note()
        yield Static(note, markup=False, classes="note" if note else "note -empty")

    def _note(self) -> str:
        return safe_text(f"  {self.question.disabled or self.question.help}").rstrip()

    def draw(self) -> None:
        self.query_one(Input).disabled = bool(self.question.disabled)
        note = self.query_one(".note", Static)
        note.update(self._note())
        note.set_class(not self._note(), "-empty")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._text:  # an input tells its first value, too
            self._text = event.value
            self.post_message(Changed(self, None, event.value))


def field_for(question: Question, value: Any, key: Key, problem: str = "") -> Field:
    """The widget of a question's kind."""
    kinds: dict[str, type[Field]] = {"yesno": Tick, "choice": ChoiceField}
    return kinds.get(question.kind, TextField)(question, value, key, problem)
