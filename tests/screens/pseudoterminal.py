"""A program on a real pseudo-terminal: keys in, bytes out, and what a terminal would show of them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 90.0  # seconds; a loaded machine is slow, and nothing here depends on how long something takes
QUERY = re.compile(rb"\x1b\[(?:6n|\?\d+\$p|c|\?u)")
# The beginning of a sequence whose end has not come yet.
UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]P](?:[^\x07\x1b]|\x1b(?!\\))*|[ -/]*)?\Z")
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
WIZARD = (str(Path(sys.executable).with_name("compute-wizard")),)
# The terminal is that of the program's own session: it gets its signals.
CONTROLLED = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
DEMO = (*WIZARD, "demo")


class Session:
    """One program. `size` is rows and columns, None for a line that has none; `corner` is what the terminal answers when
    it is asked for its cursor position, None for one that does not answer."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        size: tuple[int, int] | None = (24, 80),
        environment: Mapping[str, str] | None = None,
        corner: tuple[int, int] | None = None,
    ) -> None:
        self.size, self._corner = size or corner or (24, 80), corner
        self.output = b""
        self._mark = 0
        self._asked = 0
        self._shown: tuple[Any, Any, int] | None = (
            None  # a screen, what it is fed by, and how much of the output it got
        )
        self.master, slave = pty.openpty()
        if size is not None:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.before = termios.tcgetattr(slave)
        clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH")}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", CONTROLLED, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**clean, "LANG": "C.UTF-8", **(environment or {})},
            start_new_session=True,
        )
        self.slave = slave  # kept open, so that its settings can be read when the program is gone

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended:
            self.process.kill()
            self.wait()
        os.close(self.master)
        os.close(self.slave)

    def _read(self, seconds: float) -> bool:
        """Read what is there, waiting at most so long; whether there was something."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        for query in QUERY.findall(data):
            if query.endswith(b"6n") and self._corner is not None:
                self._asked += 1
                row, column = self._corner if self._asked == 1 else (1, 2)
                os.write(self.master, b"\x1b[%d;%dR" % (row, column))
        return bool(data)

    def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Read until something is so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end or (self.ended and not self._read(0)):
                raise AssertionError(f"never came true: {what or condition}\n" + "\n".join(self.lines()))
            self._read(0.05)

    def until_text(self, text: str) -> None:
        """Read until the screen shows a text."""
        self.until(lambda: text in "\n".join(self.lines()), text)

    def settle(self, quiet: float = 0.7) -> bytes:
        """Read until nothing came for so many seconds, in which the program only waited; gives what came since the last time."""
        since = begun = time.monotonic()
        while time.monotonic() < since + quiet:
            if self._read(min(quiet, 0.05)) or self._busy():
                since = time.monotonic()
            if time.monotonic() > begun + PATIENCE:
                raise AssertionError(f"the program never rests: {self.output[-200:]!r}")
        new, self._mark = self.output[self._mark :], len(self.output)
        return new

    def _busy(self) -> bool:
        """Whether a thread of the program runs, or would if there were a processor for it."""
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            with suppress(OSError):  # it ended
                if task.read_text().rpartition(") ")[2][0] in "RD":
                    return True
        return False

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def resize(self, rows: int, columns: int) -> None:
        self.size = rows, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def processor_time(self) -> float:
        """Seconds of the processor that the program has taken so far, all its threads together."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self) -> int:
        """Read until the program has ended; gives its exit status."""
        end = time.monotonic() + PATIENCE
        while not self.ended:
            self._read(0.05)
            if time.monotonic() > end:
                self.process.kill()
                end += PATIENCE
        while self._read(0):
            pass
        return int(self.process.returncode)

    @property
    def settings(self) -> list[Any]:
        """The terminal's settings now, as termios has them."""
        return termios.tcgetattr(self.slave)

    def screen(self) -> Any:
        """What a terminal of this size shows, as pyte sees it: it is fed what is new. The same object each time while the
        size stays."""
        import pyte

        rows, columns = self.size
        if self._shown is None or (self._shown[0].lines, self._shown[0].columns) != (rows, columns):
            screen = pyte.Screen(columns, rows)
            self._shown = screen, pyte.ByteStream(screen), 0
        screen, stream, fed = self._shown
        new = self.output[fed:]
        new = new[: match.start()] if (match := UNFINISHED.search(new)) else new
        if new:
            stream.feed(UNKNOWN_TO_PYTE.sub(b"", new))
            self._shown = screen, stream, fed + len(new)
        return screen

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen().display]
