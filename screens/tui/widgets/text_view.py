"""A long text that is scrolled, wrapped, and searched: diffs, output, help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from screens.tui.widgets.pieces import Piece, segments
from wizard.safe_text import safe_text

IN_A_DIFF = ("+", "-", " ", "@")
PARTS = {"+": "added", "-": "removed", "@": "place", "!": "warning"}


class TextView(ScrollView, can_focus=True):
    """Lines, each plain or, by its first character, an addition, a removal, a place in a file, or a warning.

    A line that is longer than the view goes on in the next one, in a diff behind a `>`: nothing is cut off. In `prose` it goes
    on where it began. `words` says which pieces of a line stand out: (first, behind the last, part) by its number.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"text--{name}"
        for name in ("added", "removed", "place", "warning", "found", "key", "comment", "string", "section", "title")
    }
    BINDINGS: ClassVar = [
        ("up", "by(-1)", ""),
        ("down", "by(1)", ""),
        ("home", "to(0)", ""),
        ("end", "to(-1)", ""),
    ]

    def __init__(self, id: str | None = None, *, coloured: bool = False, prose: bool = False) -> None:
        super().__init__(id=id)
        self._coloured, self._prose = coloured, prose
        self._lines: list[str] = []
        self._drawn: list[tuple[int, str]] = []
        self._found = ""
        self._can_follow = self._follows = False
        self.words: Callable[[int, str], Sequence[tuple[int, int, str]]] = lambda number, line: ()
        self.mark = -1  # the line that was last gone to

    @property
    def lines(self) -> list[str]:
        return list(self._lines)

    def show(self, lines: Sequence[str], found: str = "") -> None:
        """Show this text from its top; pieces that are `found` are reversed."""
        self._lines = [line for text in lines for line in safe_text(text).expandtabs(8).split("\n")]
        self._found = found.lower()
        self.mark = -1
        self._can_follow = self._follows = False
        self._wrap()
        self.scroll_to(y=0, animate=False, immediate=True, force=True)

    def add(self, line: str) -> None:
        """One more line at the end, which stays in sight unless somebody scrolled away from it."""
        first = len(self._lines)
        self._lines += safe_text(line).expandtabs(8).split("\n")
        self._wrap(first)

    def follow(self) -> None:
        """Keep the end in sight, unless somebody scrolls away from it."""
        self._can_follow = self._follows = True

    def go(self, line: int) -> None:
        """Bring a line to the top."""
        self.mark = line
        place = next((place for place, (number, _) in enumerate(self._drawn) if number >= line), 0)
        self.scroll_to(y=place, animate=False, immediate=True, force=True)
        self.refresh()

    def page(self, pages: float) -> None:
        """Scroll by so many heights of the view."""
        self.action_by(round(pages * max(1, self.size.height - 1)))

    def action_by(self, lines: int) -> None:
        self._to(round(self.scroll_y) + lines)

    def action_to(self, place: int) -> None:
        self._to(place if place >= 0 else len(self._drawn))

    def _to(self, place: int) -> None:
        """Scroll to a place; at the end the end is followed again, if it ever was."""
        self.scroll_to(y=place, animate=False, immediate=True, force=True)
        self._follows = self._can_follow and place >= self.max_scroll_y
        self.refresh()

    def on_resize(self, _: Resize) -> None:
        self._wrap()

    def _wrap(self, first: int = 0) -> None:
        """Lay the lines out, from line `first` on."""
        width = max(8, self.scrollable_content_region.width or 80)
        while self._drawn and self._drawn[-1][0] >= first:
            self._drawn.pop()
        for number in range(first, len(self._lines)):
            first_piece, *pieces = _pieces(self._lines[number], width)
            self._drawn.append((number, first_piece))
            more = "> " if self._coloured and first_piece[:1] in IN_A_DIFF else "  "
            if self._prose:
                more = "  " if first_piece.startswith("  ") else ""
            self._drawn += [(number, f"{more}{piece}") for piece in pieces]
        self.virtual_size = Size(0, len(self._drawn))
        if self._follows:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)
        self.refresh()

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"text--{name}", partial=True)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        style = Style.from_color(self.rich_style.color, self.rich_style.bgcolor)
        place = round(self.scroll_y) + y
        if place >= len(self._drawn):
            return Strip([Segment(" " * width, style)], width)
        number, text = self._drawn[place]
        part = PARTS.get(self._lines[number][:1]) if self._coloured else None
        if part is not None:
            style += self._style(part)
        text = text.ljust(width)[:width]
        pieces = [*self._words_in(place, number, text), *self._found_in(text), *self._selected(place)]
        return Strip(segments(text, style, pieces), width).apply_offsets(0, place)

    def _words_in(self, place: int, number: int, text: str) -> list[Piece]:
        """What stands out in a line; of one that goes on below, in its first piece only."""
        if place and self._drawn[place - 1][0] == number:
            return []
        return [(first, behind, self._style(part)) for first, behind, part in self.words(number, text)]

    def _found_in(self, text: str) -> list[Piece]:
        hits, at = [], 0
        low = text.lower()
        while self._found and (hit := low.find(self._found, at)) >= 0:
            at = hit + len(self._found)
            hits.append((hit, at, self._style("found")))
        return hits

    def _selected(self, place: int) -> list[Piece]:
        """What the mouse has selected in a line."""
        span = self.text_selection.get_span(place) if self.text_selection is not None else None
        if span is None:
            return []
        first, behind = span
        return [
            (
                first,
                self.size.width if behind == -1 else behind,
                self.screen.get_component_rich_style("screen--selection"),
            )
        ]

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract("\n".join(text for _, text in self._drawn)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()


def _pieces(line: str, width: int) -> list[str]:
    """A line in pieces that fit, broken behind a blank where there is one not too far back; joined they are the line again."""
    pieces = []
    room = width
    while len(line) > room:
        blank = line.rfind(" ", room // 2, room)
        at = blank + 1 if blank >= 0 else room
        pieces.append(line[:at])
        line = line[at:]
        room = width - 2
    return [*pieces, line]
