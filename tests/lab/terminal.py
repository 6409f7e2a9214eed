"""What a terminal shows after some bytes, as text and as a picture."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Callable

import pyte

_UNKNOWN = re.compile(
    rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^][^\x1b]*\x1b\\"
)
"""Sequences that a VT220 ignores and pyte would print."""
_COLOURS = {
    "black": "#000000",
    "red": "#aa0000",
    "green": "#00aa00",
    "brown": "#aa5500",
    "blue": "#0000aa",
    "magenta": "#aa00aa",
    "cyan": "#00aaaa",
    "white": "#aaaaaa",
    "brightblack": "#555555",
    "brightred": "#ff5555",
    "brightgreen": "#55ff55",
    "brightbrown": "#ffff55",
    "brightyellow": "#ffff55",
    "brightblue": "#5555ff",
    "brightmagenta": "#ff55ff",
    "brightcyan": "#55ffff",
    "brightwhite": "#ffffff",
}
WIDTH, HEIGHT = 9, 18  # of a character cell in a picture


_BEGUN = re.compile(rb"\x1b(?:\[[<>=?0-9;]*\$?|[\]P_^][^\x07\x1b]{0,200}\x1b?)?\Z")
"""A sequence at the end whose rest has not come yet."""


class Terminal:
    """80x24, as a serial console has it. `answer` takes what a terminal says when it is asked for its cursor or its kind."""

    def __init__(self, columns: int = 80, rows: int = 24, answer: Callable[[str], None] | None = None) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._rest = b""
        if answer is not None:
            self.screen.write_process_input = answer  # type: ignore[method-assign, assignment]

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        begun = _BEGUN.search(data)
        self._rest = data[begun.start() :] if begun else b""
        with contextlib.suppress(
            TypeError
        ):  # firmware and boot loaders send sequences with more numbers than there are
            self._stream.feed(_UNKNOWN.sub(b"", data.removesuffix(self._rest)))

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display) + "\n"

    def svg(self) -> str:
        """The screen as a picture: one text element for each run of cells that look alike."""
        columns, rows = self.screen.columns, self.screen.lines
        size = f'width="{columns * WIDTH}" height="{rows * HEIGHT}"'
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="#000000"/>']
        parts.append('<g font-family="DejaVu Sans Mono, monospace" font-size="14.9" xml:space="preserve">')
        for row in range(rows):
            for start, text, front, back in self._runs(row):
                x, y, width = start * WIDTH, row * HEIGHT, len(text) * WIDTH
                if back != "#000000":
                    parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{HEIGHT}" fill="{back}"/>')
                if shown := text.strip():  # blanks at an end are lost where a picture is drawn
                    left = x + WIDTH * (len(text) - len(text.lstrip()))
                    where = f'x="{left}" y="{y + 14}" textLength="{WIDTH * len(shown)}"'
                    parts.append(f'<text {where} fill="{front}">{html.escape(shown)}</text>')
        return "\n".join([*parts, "</g></svg>\n"])

    def _runs(self, row: int) -> list[tuple[int, str, str, str]]:
        runs: list[tuple[int, str, str, str]] = []
        for column in range(self.screen.columns):
            cell = self.screen.buffer[row][column]
            front = _colour(f"bright{cell.fg}" if cell.bold and cell.fg in _COLOURS else cell.fg, "#aaaaaa")
            back = _colour(cell.bg, "#000000")
            if cell.reverse:
                front, back = back, front
            if runs and runs[-1][2:] == (front, back):
                start, text, *_ = runs[-1]
                runs[-1] = (start, text + cell.data, front, back)
            else:
                runs.append((column, cell.data, front, back))
        return runs


def _colour(name: str, default: str) -> str:
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return _COLOURS.get(name, default)
