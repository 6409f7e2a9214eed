"""What is seen while the engine is loaded and the node is read: the frame, with nothing in it yet."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from screens.shared.key_line import Key
from screens.shared.page_order import heading
from screens.shared.status import NOTHING_CHANGED, SIMULATION
from screens.tui.page import Page
from screens.tui.tones import plain


class OpeningPage(Page):
    """Keys that lead somewhere lead nowhere yet."""

    def status(self) -> Content:
        if not self.full:
            return plain(heading(self.app, "nothing changed yet"))
        return self.head(
            ["reading this node"], [SIMULATION, NOTHING_CHANGED] if self.wizard.simulation else [NOTHING_CHANGED]
        )

    def mark(self, page: str) -> str:
        return ""

    def refresh_frame(self) -> None:
        self.query_one("#status", Static).update(self.status())
        self.query_one("#pages", Static).update(self.pages())
        self.refresh_keys()

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
