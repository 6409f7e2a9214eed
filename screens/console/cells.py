"""What a terminal shows, as cells: frames of Textual are read into a grid, and only what differs is sent.

Pure: text in, text out. What is sent is what a VT100 knows: cursor address, graphic rendition, erase to the end of the
line, erase the screen, carriage return and line feed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, TypeAlias

Cell: TypeAlias = tuple[str, str]
"""A character (empty: the right half of a wide one) and its graphic rendition, the parameters of SGR."""

BLANK: Final[Cell] = (" ", "")
DEFAULTS = ("", "0", "39", "49")
BOLD, REVERSE = "1", "7"
SEEN_ON_A_SPACE = re.compile(r"[479]|4[0-8]|10[0-7]")  # underline, reverse, strike through, and every background
CLEAR: Final = "\x1b[m\x1b[2J"
TOKEN = re.compile(
    r"\x1b\[(?P<private>[<>=?]?)(?P<parameters>[0-9;:]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|(?P<line>\r?\n)|(?P<text>[^\x00-\x1f\x7f]+)|\x1b.|[\x00-\x1f\x7f]"
)


class Cells:
    """The screen as it is wanted, and as the terminal shows it. `width` and `height` in cells; `fit` gives the
    characters that the terminal can show for a text, cell by cell; `width_of` the cells that a character takes."""

    def __init__(
        self, width: int, height: int, fit: Callable[[str], str], width_of: Callable[[str], int] = lambda _: 1
    ) -> None:
        self._fit, self._width_of = fit, width_of
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """A screen of another size; what it shows is unknown until it is cleared."""
        self.width, self.height = width, height
        self.wanted: list[list[Cell]] = [[BLANK] * width for _ in range(height)]
        self.cursor = (0, 0)  # row and column, where the hardware cursor is to be
        self.forget()

    def forget(self) -> None:
        """The terminal may show anything: it is cleared and painted anew."""
        self._shown: list[list[Cell]] = [[BLANK] * self.width for _ in range(self.height)]
        self._unknown = True
        self._place: tuple[int, int] | None = None
        self._style = ""

    def read(self, frame: str) -> None:
        """Take a frame into the screen that is wanted. Where it leaves the cursor is where the cursor is to be."""
        row, column = self.cursor
        style = ""
        for token in TOKEN.finditer(frame):
            kind = token.lastgroup
            if kind == "text":
                column = self._write(token["text"], row, column, style)
            elif kind == "line":
                row, column = row + 1, 0
            elif token["final"] == "m" and not token["private"]:
                style = _rendition(token["parameters"])
            elif token["final"] == "H":
                down, _, right = token["parameters"].partition(";")
                row, column = int(down or 1) - 1, int(right or 1) - 1
        self.cursor = (min(max(row, 0), self.height - 1), min(max(column, 0), self.width - 1))

    def _write(self, text: str, row: int, column: int, style: str) -> int:
        """Put a text down; gives the column behind it."""
        inside = 0 <= row < self.height
        for char in text:
            cells = 1 if char < "\x7f" else self._width_of(char)
            if cells == 0:  # a combining mark: no cell of its own
                continue
            shown = char if char < "\x7f" else self._fit(char)
            for offset, part in enumerate(_parts(shown, cells)):
                if inside and 0 <= column + offset < self.width:
                    self.wanted[row][column + offset] = (part, _on_a_space(style) if part == " " else style)
            column += cells
        return column

    def update(self) -> str:
        """What has to be sent so that the terminal shows what is wanted; empty if it does."""
        out: list[str] = []
        if self._unknown:
            out.append(CLEAR)
            self._unknown = False
        for row in range(self.height):
            if self.wanted[row] != self._shown[row]:
                self._update_row(row, out)
        if self._place != self.cursor:
            out.append(self._move(*self.cursor))
            self._place = self.cursor
        return "".join(out)

    def _update_row(self, row: int, out: list[str]) -> None:
        wanted, shown = self.wanted[row], self._shown[row]
        end = self.width  # behind it all is blank, and erased at once
        while end and wanted[end - 1] == BLANK:
            end -= 1
        if end > self.width - 4 or shown[end:] == wanted[end:]:  # erasing costs three bytes, and more if a style is on
            end = self.width
        column = 0
        while column < end:
            if wanted[column] == shown[column]:
                column += 1
                continue
            if not wanted[column][0]:  # half of a wide character: the whole of it
                column -= 1
            self._go(row, column, out)
            column = self._put(row, column, out)
        if shown[end:] != wanted[end:]:
            self._go(row, end, out)
            self._render("", out)
            out.append("\x1b[K")
            shown[end:] = wanted[end:]

    def _put(self, row: int, column: int, out: list[str]) -> int:
        """Send the character of a cell; gives the column behind it."""
        wanted, shown = self.wanted[row], self._shown[row]
        char, style = wanted[column]
        self._render(style, out)
        out.append(char)
        shown[column] = wanted[column]
        column += 1
        if column < self.width and not wanted[column][0]:
            shown[column] = wanted[column]
            column += 1
        self._place = (row, column) if column < self.width else None  # at the edge terminals differ
        return column

    def _render(self, style: str, out: list[str]) -> None:
        if style != self._style:
            out.append("\x1b[m" if not style else f"\x1b[{style}m" if not self._style else f"\x1b[0;{style}m")
            self._style = style

    def _go(self, row: int, column: int, out: list[str]) -> None:
        """Move to a cell in the fewest bytes: over cells that are right as they are, by a line end, or by its address."""
        if self._place == (row, column):
            return
        address = self._move(row, column)
        if self._place is not None:
            here_row, here_column = self._place
            if here_row == row and here_column < column:
                between = self._shown[row][here_column:column]
                if len(between) < len(address) and all(char and style == self._style for char, style in between):
                    out.append("".join(char for char, _ in between))
                    self._place = (row, column)
                    return
        out.append(address)
        self._place = (row, column)

    def _move(self, row: int, column: int) -> str:
        """The shortest address of a cell, from where the cursor is."""
        if self._place is not None and column == 0 and row == self._place[0] + 1:
            return "\r\n"
        if self._place is not None and column == 0 and row == self._place[0]:
            return "\r"
        if (row, column) == (0, 0):
            return "\x1b[H"
        return f"\x1b[{row + 1}H" if column == 0 else f"\x1b[{row + 1};{column + 1}H"


@lru_cache(maxsize=1024)
def _rendition(parameters: str) -> str:
    """The parameters of SGR without those that say what is so anyway, and not bold where it is reversed: a Linux console
    shows that as dark grey on light grey."""
    if parameters.startswith(("38;", "48;")) or ";38;" in parameters or ";48;" in parameters:
        return parameters  # numbers inside a colour are no parameters of their own
    parts = [part for part in parameters.split(";") if part not in DEFAULTS]
    return ";".join(part for part in parts if part != BOLD or REVERSE not in parts)


@lru_cache(maxsize=1024)
def _on_a_space(style: str) -> str:
    """What of a rendition is seen on a space: an empty cell in another colour is an empty cell."""
    return style if any(SEEN_ON_A_SPACE.fullmatch(part) for part in style.split(";")) else ""


def _parts(shown: str, cells: int) -> Iterable[str]:
    """A character's cells: it and the empty right half of a wide one; or as many characters as it has cells."""
    if len(shown) == cells:
        return shown
    return (shown[:1], *[""] * (cells - 1))
