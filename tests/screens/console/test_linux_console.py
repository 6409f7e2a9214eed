"""The console face on a real Linux console, where the machine has one: what its kernel shows is read from /dev/vcsa."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import needs
import pytest
from pseudoterminal import CONTROLLED, DEMO, PATIENCE

from screens.terminal.probe import probe

NUMBERS = range(24, 40)


class Console:
    """A console of its own number, with the wizard on it."""

    def __init__(self, number: int) -> None:
        self.number, self.path = number, f"/dev/tty{number}"
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_NOCTTY)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # another worker's test takes another console
        except OSError:
            os.close(self.descriptor)
            raise
        os.write(self.descriptor, b"\x1bc\x1b%G")
        self.process: subprocess.Popen[bytes] | None = None
        self.cells_path = Path(f"/dev/vcsa{number}")

    def start(self) -> None:
        clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH")}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", CONTROLLED, *DEMO, "--ui", "console"],
            stdin=self.descriptor,
            stdout=self.descriptor,
            stderr=self.descriptor,
            env={**clean, "LANG": "C.UTF-8", "TERM": "linux"},
            start_new_session=True,
        )

    def cells(self) -> tuple[list[list[tuple[int, int]]], tuple[int, int]]:
        """Every cell's glyph and attribute, and where the cursor is (row, column)."""
        data = self.cells_path.read_bytes()
        rows, columns, x, y = data[:4]
        cells = data[4:]
        return [
            [(cells[2 * (r * columns + c)], cells[2 * (r * columns + c) + 1]) for c in range(columns)]
            for r in range(rows)
        ], (y, x)

    def lines(self) -> list[str]:
        return [
            "".join(chr(glyph) if 32 <= glyph < 127 else "?" for glyph, _ in row).rstrip() for row in self.cells()[0]
        ]

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "\n".join(self.lines())
            time.sleep(0.05)

    def press(self, keys: bytes) -> None:
        """As if typed. The kernel may refuse to take keys from a program."""
        for byte in keys:
            fcntl.ioctl(self.descriptor, termios.TIOCSTI, bytes([byte]))

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.descriptor)  # hung up with the wizard's session: the kernel resets the rest


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console that nobody uses; skipped where the kernel has none."""
    needs.root("a Linux console")
    for number in NUMBERS:
        if not Path(f"/dev/tty{number}").exists():
            break
        try:
            made = Console(number)
        except OSError:
            continue
        try:
            made.cells_path = tmp_path / "vcsa"
            os.mknod(made.cells_path, 0o600 | stat.S_IFCHR, os.makedev(7, 128 + number))
            made.cells()
        except OSError:
            made.close()
            break
        yield made
        made.close()
        return
    pytest.skip("kernel: no Linux console that can be used and read")


Shown = tuple[list[list[tuple[int, int]]], tuple[int, int]]


def quiet(console: Console, before: Shown | None = None) -> None:
    """Until the console shows the same for a while; and first something else than `before`, where that comes."""
    start = time.monotonic()
    while console.cells() == before and time.monotonic() < start + 0.5:
        time.sleep(0.02)
    last, since = before, time.monotonic()
    while time.monotonic() - since < (0.4 if before is None else 0.15):
        now = console.cells()
        if now != last:
            last, since = now, time.monotonic()
        assert time.monotonic() < start + PATIENCE
        time.sleep(0.02)


def hidden(console: Console) -> list[tuple[int, int, int, int]]:
    """Cells with a letter that nobody sees: in the colour of their background, or blue on black."""
    found = []
    for y, row in enumerate(console.cells()[0]):
        for x, (glyph, attribute) in enumerate(row):
            letter, ground = attribute & 15, (attribute >> 4) & 7
            if glyph not in (0, 32) and (letter == ground or (letter, ground) == (1, 0)):
                found.append((y, x, glyph, attribute))
    return found


def test_what_the_probe_says_of_it(console: Console) -> None:
    found = probe(console.descriptor, console.descriptor, {"TERM": "linux", "LANG": "C.UTF-8"})
    assert (found.kind, found.device, found.utf8) == ("vt", console.path, True)
    assert found.glyphs is not None and ord("A") in found.glyphs and ord("✓") not in found.glyphs


def test_every_widget_is_focused_once_and_no_cell_is_invisible(console: Console) -> None:
    console.start()
    console.until(lambda: any("Enter next" in line for line in console.lines()))
    focused = set()
    try:
        for page in "1234567":
            console.press(page.encode())
            console.until(lambda page=page: any(f">{page}" in line for line in console.lines()))  # type: ignore[misc]
            quiet(console)
            first = None
            for _ in range(30):
                cells, cursor = console.cells()
                assert not hidden(console), (page, hidden(console)[:5], console.lines())
                here = (page, cursor, "".join(chr(glyph) for glyph, _ in cells[cursor[0]]))
                if here == first:
                    break
                first = first or here
                focused.add(here)
                console.press(b"\t")
                quiet(console, (cells, cursor))
            console.press(b"\x1b")
            quiet(console)
    except OSError:
        pytest.skip("kernel: it takes no keys from a program")
    assert len(focused) > 20
    console.press(b"\x1b")
    quiet(console)
    assert console.process is not None
    console.press(b"q")
    assert console.process.wait(PATIENCE) == 0
    assert not [line for line in console.lines() if line.strip("?")]
