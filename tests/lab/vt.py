"""A machine's own screen and keyboard, a Linux VT: what is typed there, what it shows, and whether a person could see all of it."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.machine import Machine

KEYS = {" ": "spc", "-": "minus", "\r": "ret"}  # characters whose key QEMU names otherwise
SOLID = "█"  # no ground is left in its cell
PAUSE = 3.0  # seconds between two looks: each is a login, and takes the processor from what is waited for
TOLD_APART = 100  # difference of one of the three colours, of 255, between a character and its ground


@dataclass(frozen=True)
class Picture:
    """A screen as pixels: three bytes each, row by row."""

    width: int
    height: int
    pixels: bytes

    @classmethod
    def read(cls, path: Path) -> Picture:
        """A PPM file as QEMU writes it. Raises ValueError where it is none."""
        data = path.read_bytes()
        header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        if header is None:
            raise ValueError(f"{path} is no PPM")
        return cls(int(header[1]), int(header[2]), data[header.end() :])

    def contrast(self, left: int, top: int, width: int, height: int) -> int:
        """The largest difference of one colour between two pixels of a part of it."""
        lines = [
            self.pixels[3 * (row * self.width + left) : 3 * (row * self.width + left + width)]
            for row in range(top, top + height)
        ]
        colours = [b"".join(line[colour::3] for line in lines) for colour in range(3)]
        return max(max(values) - min(values) for values in colours)


class Vt:
    """tty1 of a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def type(self, text: str) -> None:
        self._machine.press(*(KEYS.get(character, character) for character in text))

    def rows(self) -> list[str]:
        """What it shows, as the kernel keeps it."""
        said = self._machine.must("stty -F /dev/tty1 size; base64 -w0 /dev/vcsu1")
        size, _, encoded = said.partition("\n")
        columns = int(size.split()[1])
        text = base64.b64decode(encoded).decode("utf-32-le")
        return [text[at : at + columns].replace("\0", " ") for at in range(0, len(text), columns)]

    def wait(self, pattern: str, seconds: float) -> list[str]:
        """Wait until a pattern is shown and nothing changes any more; gives the rows. Raises TimeoutError with them."""
        end, before = time.monotonic() + seconds, [""]
        while True:
            rows = self.rows()
            if rows == before and re.search(pattern, "\n".join(rows)):
                return rows
            if time.monotonic() > end:
                raise TimeoutError(f"{pattern!r} was not shown within {seconds:.0f} s; the screen:\n" + "\n".join(rows))
            before = rows
            time.sleep(PAUSE)

    def glyphs(self) -> set[str]:
        """The characters for which the console's font has a glyph, as setfont says."""
        table = self._machine.must("setfont -C /dev/tty1 -ou /root/glyphs && cat /root/glyphs && rm /root/glyphs")
        return {chr(int(code, 16)) for code in re.findall(r"U\+([0-9a-fA-F]{4})", table)}

    def unseen(self, scratch: Path) -> list[str]:
        """The characters that are there and cannot be seen or read: their colour is their ground's, or the font lacks them.
        `scratch` is where a picture may be written."""
        rows, glyphs = self.rows(), self.glyphs()
        self._machine.console(scratch)
        picture = Picture.read(scratch)
        scratch.unlink()
        found = [
            f"{where}: the font has no {character!r}" for where, character in _cells(rows) if character not in glyphs
        ]
        width, height = picture.width // len(rows[0]), picture.height // len(rows)
        for (row, column), character in _cells(rows):
            place = (column * width, row * height, width, height)
            if character != SOLID and picture.contrast(*place) < TOLD_APART:
                found.append(f"{(row, column)}: {character!r} has the colour of its ground")
        return found


def _cells(rows: list[str]) -> Iterator[tuple[tuple[int, int], str]]:
    for row, text in enumerate(rows):
        for column, character in enumerate(text):
            if not character.isspace():
                yield (row, column), character
