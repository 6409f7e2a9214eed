"""What is seen while the engine is loaded and the node is read: the frame, with nothing in it yet."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from screens.shared.key_line import Key
from screens.shared.page_order import heading
from screens.tui.page import Page


class OpeningPage(Page):
    """Keys that lead somewhere lead nowhere yet."""

    def status(self) -> str:
        return heading(self.app, "nothing changed yet")

    def mark(self, page: str) -> str:
        return ""

    def body(self) -> ComposeResult:
        yield Static("Looking at this node ...", markup=False)

    def ways(self) -> list[Key]:
        return []

    def on_mount(self) -> None:
        self.call_after_refresh(self.wizard.open_node)

    def back(self) -> None:
        """There is nothing before this page."""

    def action_next(self) -> None:
        """The next page comes by itself."""

    def action_help(self) -> None:
        """The next page has its own."""
