"""A part of a page with a name: in a border of its own, or below a line with its name where there are no borders."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from screens.tui.widgets.hot import Hot
from wizard.safe_text import safe_text


class Panel(Vertical):
    """`tone` is bad, warn or first where the border says more than where the part ends."""

    def __init__(self, name: str, content: Content, tone: str = "", id: str | None = None) -> None:
        super().__init__(id=id, classes=f"panel -{tone}" if tone else "panel")
        self._title, self._content = name, content
        self.border_title = Content(safe_text(name)).markup

    def compose(self) -> ComposeResult:
        if self._title:
            yield Static(safe_text(self._title), classes="title", markup=False)
        yield Hot(self._content, classes="text", markup=False)

    def show(self, content: Content) -> None:
        """Another text."""
        self.query_one(".text", Hot).update(content)
