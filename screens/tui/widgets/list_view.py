"""A table of any length that draws only what is seen, and columns of text cut to their width.

Not Textual's DataTable: that one lays out every row of 4,094 networks when they change, this one asks for those that are seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.actions import SkipAction
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.shared.fit_text import cut
from screens.tui.widgets.pieces import Piece, segments


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells; 0 shares what is left with the other columns of width 0."""

    title: str
    width: int = 0


PARTS = ("title", "cursor", "heading", "good", "warn", "bad", "accent", "dim", "danger", "caution", "effect")
Tones = Mapping[int, str]  # by the number of a cell: good, warn, bad, accent or dim


class Rows(ScrollView, can_focus=True):
    """Rows of cells, one a line. The one under the cursor begins with `>`, and stands out while the table has the focus.
    Headings between them are passed by. `tones` gives the meaning of a row's cells, `words` that of pieces of its text:
    (first, behind the last, one of PARTS)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"rows--{name}" for name in PARTS}
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

    class Chosen(Message):
        """A row was clicked twice."""

        def __init__(self, rows: Rows, key: str) -> None:
            super().__init__()
            self.rows, self.key = rows, key

    def __init__(
        self, columns: Sequence[Column], id: str | None = None, empty: str = "", headings: bool = True
    ) -> None:
        super().__init__(id=id)
        self._columns, self._empty, self._headings = tuple(columns), empty, headings
        self._keys: list[str] = []
        self._cells: Callable[[str], Sequence[str]] = lambda key: (key,)
        self._passed: Collection[str] = ()
        self.tones: Callable[[str], Tones] = lambda key: {}
        self.words: Callable[[str, str], Sequence[tuple[int, int, str]]] = lambda key, text: ()
        self.cursor = 0
        self.leaves = False  # whether Up and Down go on to the next field at the ends

    def show(self, keys: Sequence[str], cells: Callable[[str], Sequence[str]], headings: Collection[str] = ()) -> None:
        """Show these rows; `cells` gives a row's texts when it is drawn. The cursor stays on its key where that is still there.
        Keys that are `headings` have one cell over the whole width, and the cursor passes them by."""
        before = self.key
        self._keys, self._cells, self._passed = list(keys), cells, frozenset(headings)
        at = self._keys.index(before) if before in self._keys else min(self.cursor, len(self._keys) - 1)
        self.cursor = self._free(max(0, at), 1)
        self.virtual_size = Size(0, len(self._keys) + self._headings + (not self._keys))
        self._follow()
        self.refresh(layout=True)
        self.post_message(self.Moved(self, self.key))

    @property
    def key(self) -> str | None:
        """The key of the row under the cursor."""
        here = self._keys[self.cursor] if self.cursor < len(self._keys) else None
        return None if here in self._passed else here

    @property
    def keys(self) -> list[str]:
        """The keys of the rows, headings left out."""
        return [key for key in self._keys if key not in self._passed] if self._passed else list(self._keys)

    @property
    def place(self) -> int:
        """The number of the row under the cursor among `keys`."""
        key = self.key
        return self.keys.index(key) if key is not None else 0

    def go(self, key: str) -> None:
        """Put the cursor on a row."""
        if key in self._keys:
            self._put(self._keys.index(key), 1)

    def action_move(self, by: int) -> None:
        place = self._free(self.cursor + by, by)
        if self.leaves and place == self.cursor:
            raise SkipAction
        self._put(self.cursor + by, by)

    def action_page(self, by: int) -> None:
        self._put(self.cursor + by * max(1, self._seen - 1), by)

    def action_to(self, place: int) -> None:
        self._put(place if place >= 0 else len(self._keys) - 1, 1 if place >= 0 else -1)

    def _free(self, place: int, by: int) -> int:
        """The nearest place from here on that is no heading, in the direction of `by`, else in the other one."""
        last = len(self._keys) - 1
        place = max(0, min(place, last))
        for step in (1 if by > 0 else -1, -1 if by > 0 else 1):
            at = place
            while 0 <= at <= last and self._keys[at] in self._passed:
                at += step
            if 0 <= at <= last:
                return at
        return place

    def _put(self, place: int, by: int) -> None:
        place = self._free(place, by)
        if place != self.cursor:
            self.cursor = place
            self._follow()
            self.refresh()
            self.post_message(self.Moved(self, self.key))

    def on_click(self, event: Click) -> None:
        """A click puts the cursor there; the second one chooses."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        place = round(self.scroll_y) + offset.y - self._headings
        if offset.y >= self._headings and 0 <= place < len(self._keys) and self._keys[place] not in self._passed:
            self._put(place, 1)
            if event.chain == 2:
                self.post_message(self.Chosen(self, self._keys[place]))

    def _follow(self) -> None:
        """Scroll so that the cursor is seen, and a heading just above it."""
        seen = self._seen
        top = round(self.scroll_y)
        first = self.cursor
        while first > 0 and self._keys[first - 1] in self._passed:
            first -= 1
        if first < top:
            top = first
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

    def _style(self, name: str) -> Style:
        """What the style sheet says of a part, and nothing that it does not say."""
        return self.get_component_rich_style(f"rows--{name}", partial=True)

    def render_line(self, y: int) -> Strip:
        width = self.room + 1
        style = Style.from_color(self.rich_style.color, self.rich_style.bgcolor)
        if self._headings and y == 0:
            titles = " ".join(
                cut(column.title, width) for column, width in zip(self._columns, self._widths(), strict=True)
            )
            return Strip([Segment(f" {titles}".ljust(width)[:width], style + self._style("title"))], width)
        place = round(self.scroll_y) + y - self._headings
        if place >= len(self._keys):
            text = f" {self._empty}" if not self._keys and place == 0 else ""
            return Strip([Segment(text.ljust(width)[:width], style)], width)
        key = self._keys[place]
        if key in self._passed:
            text = cut(f" {self._cells(key)[0]}", width)
            return Strip([Segment(text, style + self._style("heading"))], width)
        here = place == self.cursor
        if here:
            style += self._style("cursor")
        tones, widths = self.tones(key), self._widths()
        text, pieces = ">" if here else " ", list[Piece]()
        for number, (cell, room) in enumerate(zip(self._cells(key), widths, strict=False)):
            text += " " if number else ""
            if tones.get(number):
                pieces.append((len(text), len(text) + room, self._style(tones[number])))
            text += cut(cell, room)
        pieces += [(first, behind, self._style(part)) for first, behind, part in self.words(key, text)]
        return Strip(segments(text.ljust(width)[:width], style, pieces), width)
