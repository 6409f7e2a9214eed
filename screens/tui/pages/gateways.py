"""The chapter Gateways as a page: a table that may have thousands of networks."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.events import Paste as Pasted

from screens.shared import edit_history
from screens.shared import editing as answering
from screens.shared.key_line import Key as FooterKey
from screens.tui.add_networks_screen import AddNetworks, Import, Paste, Pattern
from screens.tui.pages.chapter import ChapterPage
from wizard.answers import editing
from wizard.chapters.gateways import chapter as gateways
from wizard.chapters.gateways.network_import import Row

PLACE = ("network",)


class GatewaysPage(ChapterPage):
    """Networks are added one by one, by a pattern, pasted, or from a file."""

    NAME = "gateways"
    FINDS = "only networks with"
    BINDINGS: ClassVar = [("m", "many", "many"), ("p", "paste", "paste"), ("i", "import", "import")]

    def more_row_keys(self) -> list[FooterKey]:
        return [("m", "many"), ("p", "paste"), ("i", "import"), ("/", "filter")]

    def fresh(self) -> Any:
        return gateways.Answers(network=[])

    def find(self, text: str) -> None:
        if self.table is not None:
            self.table.filter(text)

    def leave_find(self) -> None:
        if self.table is not None:
            self.table.rows.focus()

    def action_find(self) -> None:
        if self.table is not None and not self.table.editing:
            super().action_find()
            self.call_after_refresh(self.table.rows.scroll_visible, animate=False)

    def _taken(self) -> list[dict[str, Any]]:
        return editing.value_at(self.state.answers, self.NAME, PLACE) or []

    def action_many(self) -> None:
        self.add_from(Pattern(self._taken()))

    def action_paste(self) -> None:
        self.add_from(Paste(self._taken()))

    def action_import(self) -> None:
        self.add_from(Import(self._taken()))

    def on_paste(self, event: Pasted) -> None:
        """Lines that the terminal pastes while no field has the focus."""
        event.stop()
        self.add_from(Paste(self._taken(), event.text))

    def add_from(self, screen: AddNetworks) -> None:
        """Ask with a screen of its own, and take what it gives."""
        if self.table is not None and not self.table.editing:
            self.app.push_screen(screen, self.take)

    def take(self, rows: list[Row] | None) -> None:
        if rows and self.table is not None:
            edit_history.remember(self.state, self.NAME, "networks added")
            answering.take_networks(self.state, self.NAME, PLACE, rows)
            self.table.refresh_rows()
            self.table.rows.focus()
            self.call_after_refresh(self.table.rows.scroll_visible, animate=False)
            self.later()
