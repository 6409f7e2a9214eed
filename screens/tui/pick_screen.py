"""One of a list, in a screen of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from screens.shared.page_order import heading
from screens.tui.whole_screen import WholeScreen
from screens.tui.widgets.list_view import Column, Rows


class Pick(WholeScreen[str | None]):
    """Gives the key of the chosen one, or None."""

    BINDINGS: ClassVar = [("escape", "leave", "back"), ("q", "leave", "back"), ("enter", "take", "take")]
    AUTO_FOCUS = "Rows"

    def __init__(self, question: str, choices: Mapping[str, str]) -> None:
        super().__init__()
        self._question, self._choices = question, choices

    def compose(self) -> ComposeResult:
        yield Static(heading(self.app, self._question), id="status", markup=False)
        yield Rows([Column("")], headings=False)
        yield Static("Esc back  Enter take", id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(Rows).show(list(self._choices), lambda key: [self._choices[key]])

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        message.stop()
        self.dismiss(message.key)

    def action_take(self) -> None:
        self.dismiss(self.query_one(Rows).key)

    def action_leave(self) -> None:
        self.dismiss(None)
