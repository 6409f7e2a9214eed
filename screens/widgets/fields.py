"""Fields of a form. On and off are told by text, never by colour alone."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from wizard.questions import Key, Question


class Changed(Message):
    """A field has a new value: `text` as typed, or `value` as chosen."""

    def __init__(self, field: Field, value: Any, text: str | None) -> None:
        super().__init__()
        self.field, self.value, self.text = field, value, text


class Field(Vertical):
    """One question: its widget, and below it what is wrong or what to type."""

    def __init__(self, question: Question, value: Any, key: Key, in_row: bool = False) -> None:
        super().__init__(classes="field -in-row" if in_row else "field")
        self.question, self.value, self.key, self.in_row = question, value, key, in_row

    def compose(self) -> ComposeResult:
        yield from self.widgets()
        yield Static("", classes="problem", markup=False)

    def widgets(self) -> ComposeResult:
        yield from ()

    def problem(self, text: str) -> None:
        """Show what is wrong, at the field; an empty text takes it away."""
        place = self.query_one(".problem", Static)
        place.update(f"  ! {text}" if text else "")
        place.set_class(bool(text), "-shown")


class Line(Static, can_focus=True):
    """A line that takes the focus and draws itself from its field."""


class Tick(Field):
    """[x] yes, [ ] no."""

    BINDINGS: ClassVar = [("space", "change", "change")]

    def widgets(self) -> ComposeResult:
        yield Line(self.line(), markup=False, disabled=bool(self.question.disabled))

    def line(self) -> str:
        off = f"  ({self.question.disabled})" if self.question.disabled else ""
        return f"[{'x' if self.value else ' '}] {self.question.text}{off}"

    def action_change(self) -> None:
        self.value = not self.value
        self.query_one(Line).update(self.line())
        self.post_message(Changed(self, self.value, None))


class ChoiceField(Field):
    """One of a few, left and right; all of them where there are few, else the one that is chosen."""

    BINDINGS: ClassVar = [("left", "move(-1)", "other"), ("right,space", "move(1)", "other")]

    def widgets(self) -> ComposeResult:
        yield Line(self.line(), markup=False, disabled=bool(self.question.disabled))

    def line(self) -> str:
        if self.question.disabled:
            return f"{self.question.text}: ({self.question.disabled})"
        if len(self.question.choices) > 4:
            label = next((c.label for c in self.question.choices if c.value == self.value), str(self.value))
            return f"{self.question.text}: < {label} >"
        lines = [f"  ({'x' if c.value == self.value else ' '}) {c.label}" for c in self.question.choices]
        return "\n".join([f"{self.question.text}:", *lines])

    def action_move(self, by: int) -> None:
        values = [choice.value for choice in self.question.choices if not choice.disabled]
        place = values.index(self.value) if self.value in values else 0
        self.value = values[(place + by) % len(values)]
        self.query_one(Line).update(self.line())
        self.post_message(Changed(self, self.value, None))


class TextField(Field):
    """A text or a number. In it only Tab, Esc, Enter and function keys act."""

    def widgets(self) -> ComposeResult:
        text = "" if self.value is None else " ".join(self.value) if isinstance(self.value, list) else str(self.value)
        field = Input(text, compact=True, disabled=bool(self.question.disabled), select_on_focus=False)
        if self.in_row:
            yield field
            return
        with Horizontal(classes="line"):
            yield Static(f"{self.question.text}:", markup=False, classes="label")
            yield field
        note = self.question.disabled or self.question.help
        if note:
            yield Static(f"  {note}", markup=False, classes="note")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(Changed(self, None, event.value))


def field_for(question: Question, value: Any, key: Key, in_row: bool = False) -> Field:
    """The widget of a question's kind."""
    kinds: dict[str, type[Field]] = {"yesno": Tick, "choice": ChoiceField}
    return kinds.get(question.kind, TextField)(question, value, key, in_row)
