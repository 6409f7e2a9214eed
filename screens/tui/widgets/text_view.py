"""A long text that is scrolled, wrapped, and searched: diffs, output, help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from wizard.safe_text import safe_text

IN_A_DIFF = ("+", "-", " ", "@")
STYLES = {
    "+": Style(color="green"),
    "-": Style(color="red"),
    "@": Style(color="cyan", bold=True),
    "!": Style(bold=True),
}


class TextView(ScrollView, can_focus=True):
    """Lines, each plain or, by its first character, an addition, a removal, a place in a file, or a warning.

    A line that is longer than the view goes on in the next one, in a diff behind a `>`: nothing is cut off. In `prose` it goes
    on where it began.
    """

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

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        style = Style.from_color(self.rich_style.color, self.rich_style.bgcolor)
        place = round(self.scroll_y) + y
        if place >= len(self._drawn):
            return Strip([Segment(" " * width, style)], width)
        number, text = self._drawn[place]
        if self._coloured:
            style += STYLES.get(self._lines[number][:1], Style())
        return Strip(self._marked(text.ljust(width)[:width], style), width)

    def _marked(self, text: str, style: Style) -> list[Segment]:
        if not self._found:
            return [Segment(text, style)]
        segments, at = [], 0
        low = text.lower()
        while (hit := low.find(self._found, at)) >= 0:
            segments += [
                Segment(text[at:hit], style),
                Segment(text[hit : hit + len(self._found)], style + Style(reverse=True)),
            ]
            at = hit + len(self._found)
        return [*segments, Segment(text[at:], style)]


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
