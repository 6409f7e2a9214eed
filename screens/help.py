"""Help: what a page is for and which keys act there."""

from __future__ import annotations

from importlib import resources
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

KEYS = """
Keys
  Enter next      Esc back (in a field: leave it)     Tab, Up, Down: from field to field
  Space change    Left, Right: another choice         0-9 straight to a page
  h history       F3 or Ctrl-L draw anew              q or F10 quit; the answers are kept
"""


class HelpPage(Screen[None]):
    """One text; any of Esc, Enter, q and F1 leaves it."""

    BINDINGS: ClassVar = [(key, "leave", "back") for key in ("escape", "enter", "q", "f1", "question_mark")]

    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        text = resources.files("assets").joinpath("help", f"{self._page}.md").read_text(encoding="utf-8")
        with VerticalScroll(id="help"):
            yield Static(text + KEYS, markup=False)
        yield Static("Esc back", id="keys", markup=False)

    def action_leave(self) -> None:
        self.app.pop_screen()
