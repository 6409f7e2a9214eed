"""Help: what a page is for and which keys act there."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from screens.shared.page_order import TITLES, heading, help_text
from screens.tui.whole_screen import WholeScreen
from screens.tui.widgets.text_view import TextView

KEYS = """
Everywhere
  Enter next       Esc back          Tab, Up, Down: from field to field
  0-9 to a page    h history         Space change; Left, Right choose
  / search         F1 or ? help      F2 a shell; exit comes back
  q or F10 quit: the answers are kept and offered at the next start
  z undoes the last edit, on whatever page it was made
  F3 or Ctrl-L draw anew, when noise on the line spoilt the screen
In a field that is typed into
  only Tab, Enter (both: next field), Esc (leave it), F-keys and Ctrl-L act
The list on the left
  [  ] not visited   [* ] suggested, not visited   [ok] answered, seen or done
  [! ] a problem     [x ] blocked                  [- ] skipped
"""


def paragraphs(text: str) -> list[str]:
    """Each paragraph as one line, so that it is broken where the view ends and not where the file's lines do."""
    lines: list[str] = []
    for block in text.strip().split("\n\n"):
        lines += [" ".join(block.splitlines()), ""]
    return lines


class HelpPage(WholeScreen[None]):
    """One text; any of Esc, Enter, q and F1 leaves it."""

    BINDINGS: ClassVar = [
        *[(key, "leave", "back") for key in ("escape", "enter", "q", "f1", "f10", "question_mark")],
        ("pagedown", "page(1)", ""),
        ("pageup", "page(-1)", ""),
    ]
    AUTO_FOCUS = "TextView"

    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        yield Static(heading(self.app, f"Help | {TITLES[self._page]}"), id="status", markup=False)
        yield TextView(id="help", prose=True)
        yield Static("Up, Down, PgUp, PgDn  Esc back", id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(TextView).show([*paragraphs(help_text(self._page)), *KEYS.strip().splitlines()])

    def action_leave(self) -> None:
        self.dismiss()

    def action_page(self, by: int) -> None:
        self.query_one(TextView).page(by)
