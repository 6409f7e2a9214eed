"""The field of `/`: what is typed filters or searches at once; Enter takes it, Esc forgets it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from screens.tui.widgets.line_input import Entry


class Find(Horizontal):
    """One line, seen while it is open or holds something."""

    class Changed(Message):
        """Something else is looked for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The field was left with Enter."""

    def __init__(self, label: str) -> None:
        super().__init__(classes="line -hidden")
        self._label = label

    def compose(self) -> ComposeResult:
        yield Static(f"/ {self._label}:", markup=False, classes="label")
        yield Entry("", id="find", compact=True, select_on_focus=False)

    @property
    def field(self) -> Input:
        return self.query_one("#find", Input)

    def open(self) -> None:
        """Show the field and go there."""
        self.remove_class("-hidden")
        self.field.focus()

    def close(self) -> None:
        """Forget what was looked for."""
        self.field.value = ""
        self.add_class("-hidden")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()
        if not event.value.strip():
            self.add_class("-hidden")
        self.post_message(self.Left())
