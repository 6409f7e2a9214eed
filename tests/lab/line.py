"""A machine's serial line: what it says, as bytes and as the screen of a terminal; what is typed."""

from __future__ import annotations

import re
import select
import socket
import time
from pathlib import Path

from lab.terminal import Terminal

TAIL = 1500  # bytes of the line that an error shows


class Line:
    """The host's end of a serial line, over a socket of QEMU."""

    def __init__(self, path: Path, log: Path) -> None:
        """Connect to the socket at `path`; all that is said is added to `log`."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._log = log.open("ab", buffering=0)
        self.said = b""
        self._read = 0  # how much of it was waited for
        self.terminal = Terminal(answer=self.type)

    def close(self) -> None:
        self._socket.close()
        self._log.close()

    def pump(self, wait: float = 0.2) -> bool:
        """Take what has come within this time; whether something came. Raises EOFError when the machine is gone."""
        ready, _, _ = select.select([self._socket], [], [], wait)
        if not ready:
            return False
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError("the machine's serial line was closed")
        self.said += data
        self._log.write(data)
        self.terminal.feed(data)
        return True

    def wait(self, pattern: str, seconds: float) -> re.Match[bytes]:
        """Wait for a pattern in what was not waited for yet. Raises TimeoutError with the end of what was said."""
        compiled, end = re.compile(pattern.encode()), time.monotonic() + seconds
        while True:
            match = compiled.search(self.said, self._read)
            if match:
                self._read = match.end()
                return match
            if time.monotonic() > end:
                raise TimeoutError(f"{pattern!r} was not said within {seconds:.0f} s; the end of it:\n{self._end()}")
            self.pump()

    def wait_screen(self, pattern: str, seconds: float) -> str:
        """Wait until the terminal's screen shows a pattern; gives the screen."""
        compiled, end = re.compile(pattern), time.monotonic() + seconds
        while True:
            shown = self.terminal.text()
            if compiled.search(shown):
                self._read = len(self.said)
                return shown
            if time.monotonic() > end:
                raise TimeoutError(f"{pattern!r} was not shown within {seconds:.0f} s; the screen:\n{shown}")
            self.pump()

    def settle(self, quiet: float = 1.5, seconds: float = 60) -> None:
        """Wait until nothing has come for a while."""
        end = time.monotonic() + seconds
        while self.pump(quiet) and time.monotonic() < end:
            pass

    def type(self, text: str) -> None:
        self._socket.sendall(text.encode())

    def _end(self) -> str:
        return self.said[-TAIL:].decode("utf-8", "replace")
