"""A table of any length that draws only what is seen, and columns of text cut to their width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.actions import SkipAction
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.shared.fit_text import cut


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells; 0 shares what is left with the other columns of width 0."""

    title: str
    width: int = 0


class Rows(ScrollView, can_focus=True):
    """Rows of cells, one a line. The one under the cursor begins with `>`, and is reversed while the table has the focus."""

    BINDINGS: ClassVar = [
        ("up", "move(-1)", ""),
        ("down", "move(1)", ""),
        ("pageup", "page(-1)", ""),
        ("pagedown", "page(1)", ""),
        ("home", "to(0)", ""),
        ("end", "to(-1)", ""),
    ]

    class Moved(Message):
        """The cursor stands on another row; `key` is None where there is none."""

        def __init__(self, rows: Rows, key: str | None) -> None:
            super().__init__()
            self.rows, self.key = rows, key

        @property
        def control(self) -> Rows:
            return self.rows

    def __init__(
        self, columns: Sequence[Column], id: str | None = None, empty: str = "", headings: bool = True
    ) -> None:
        super().__init__(id=id)
        self._columns, self._empty, self._headings = tuple(columns), empty, headings
        self._keys: list[str] = []
        self._cells: Callable[[str], Sequence[str]] = lambda key: (key,)
        self.cursor = 0
        self.leaves = False  # whether Up and Down go on to the next field at the ends

    def show(self, keys: Sequence[str], cells: Callable[[str], Sequence[str]]) -> None:
        """Show these rows; `cells` gives a row's texts when it is drawn. The cursor stays on its key where that is still there."""
        before = self.key
        self._keys, self._cells = list(keys), cells
        at = self._keys.index(before) if before in self._keys else min(self.cursor, len(self._keys) - 1)
        self.cursor = max(0, at)
        self.virtual_size = Size(0, len(self._keys) + self._headings + (not self._keys))
        self._follow()
        self.refresh(layout=True)
        self.post_message(self.Moved(self, self.key))

    @property
    def key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._keys[self.cursor] if self.cursor < len(self._keys) else None

    @property
    def keys(self) -> list[str]:
        return list(self._keys)

    def go(self, key: str) -> None:
        """Put the cursor on a row."""
        if key in self._keys:
            self._put(self._keys.index(key))

    def action_move(self, by: int) -> None:
        if self.leaves and not 0 <= self.cursor + by < len(self._keys):
            raise SkipAction
        self._put(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._put(self.cursor + by * max(1, self._seen - 1))

    def action_to(self, place: int) -> None:
        self._put(place if place >= 0 else len(self._keys) - 1)

    def _put(self, place: int) -> None:
        place = max(0, min(place, len(self._keys) - 1))
        if place != self.cursor:
            self.cursor = place
            self._follow()
            self.refresh()
            self.post_message(self.Moved(self, self.key))

    def _follow(self) -> None:
        """Scroll so that the cursor is seen."""
        seen = self._seen
        top = round(self.scroll_y)
        if self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + seen:
            top = self.cursor - seen + 1
        if top != round(self.scroll_y):
            self.scroll_to(y=top, animate=False, immediate=True, force=True)

    @property
    def cursor_line(self) -> int:
        """The line of the widget that the cursor is in: where braille and speech look."""
        return self._headings + self.cursor - round(self.scroll_y)

    def on_resize(self, _: Resize) -> None:
        self._follow()

    @property
    def _seen(self) -> int:
        """How many rows there is room for."""
        return max(1, self.scrollable_content_region.height - self._headings)

    @property
    def room(self) -> int:
        """How many cells a row has."""
        return self.scrollable_content_region.width - 1

    def _widths(self) -> list[int]:
        free = self.room - sum(column.width + 1 for column in self._columns if column.width)
        open_ = [column for column in self._columns if not column.width]
        share = max(4, (free - len(open_) + 1) // max(1, len(open_)))
        return [column.width or share for column in self._columns]

    def _line(self, cells: Sequence[str]) -> str:
        return " ".join(cut(cell, width) for cell, width in zip(cells, self._widths(), strict=False))

    def render_line(self, y: int) -> Strip:
        width = self.room + 1
        style = Style.from_color(self.rich_style.color, self.rich_style.bgcolor)
        if self._headings and y == 0:
            text = f" {self._line([column.title for column in self._columns])}"
            return Strip([Segment(text.ljust(width)[:width], style + Style(bold=True, underline=True))], width)
        place = round(self.scroll_y) + y - self._headings
        if place >= len(self._keys):
            text = f" {self._empty}" if not self._keys and place == 0 else ""
            return Strip([Segment(text.ljust(width)[:width], style)], width)
        here = place == self.cursor
        text = f"{'>' if here else ' '}{self._line(self._cells(self._keys[place]))}".ljust(width)[:width]
        return Strip([Segment(text, style + Style(reverse=here and self.has_focus, bold=here))], width)
