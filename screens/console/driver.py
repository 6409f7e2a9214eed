"""The console driver: Textual on a Linux VT, a vt100 and a serial line, where only changed cells are sent.

Textual paints whole widgets and sends modern sequences to every terminal alike. This driver reads its frames into cells,
sends the difference, and what a VT100 does not know it leaves out. While the line is busy frames are merged: the next
that is sent is the newest. Software flow control stays as it is. It overrides members of Textual's Linux driver that are
not public: the version of Textual is pinned, and a test compares both drivers cell by cell.
"""

from __future__ import annotations

import os
import termios
import threading
from typing import Any

from rich.cells import get_character_cell_size
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from screens.console.cells import Cells
from screens.console.glyphs import fitting
from screens.terminal.probe import Terminal

NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
BEGIN = NO_WRAP
END = f"{WRAP}{SHOW_CURSOR}\x1b[m\x1b[2J\x1b[H"  # not every console has another screen to go back to
LAST_WORDS = 5.0  # seconds that the line has for them


class ConsoleDriver(LinuxDriver):
    """Use :func:`for_terminal` to make one that knows its terminal."""

    terminal = Terminal("vt100", "pty", utf8=False)

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = False, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=False, size=size)
        fit = fitting(self.terminal.glyphs)
        self._cells = Cells(*self._get_terminal_size(), fit=fit, width_of=get_character_cell_size)
        self._changed = threading.Condition()
        self._due = False  # something is to be sent
        self._ending = False
        self._first = ""  # sent before the cells
        self._sender: threading.Thread | None = None

    def write(self, data: str) -> None:
        """Take a frame. It is sent when the line is free."""
        with self._changed:
            size = self._get_terminal_size()
            if size != (self._cells.width, self._cells.height):
                self._cells.resize(*size)
            self._cells.read(data)
            self._due = True
            self._changed.notify()

    def redraw(self) -> None:
        """Clear and paint everything anew: after noise on the line, or a message of the kernel."""
        with self._changed:
            self._cells.forget()
            self._due = True
            self._changed.notify()

    def start_application_mode(self) -> None:
        hidden = self.terminal.kind == "vt" and not self.terminal.speech  # there it would blink; readers find it anyway
        with self._changed:
            self._cells.forget()
            self._first = BEGIN + (HIDE_CURSOR if hidden else SHOW_CURSOR)
            self._ending = False
        self._sender = threading.Thread(target=self._send, name="console-output", daemon=True)
        self._sender.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            self._writer_thread.stop()
            self._writer_thread = None

    def close(self) -> None:
        """Say the last words, and wait until they are sent."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._sender is not None:
            self._sender.join(LAST_WORDS)

    def _send(self) -> None:
        """Send what changed, again and again. Ends with :meth:`close`, or when the terminal is gone."""
        assert self._file is not None
        descriptor = self._file.fileno()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._ending)
                text, self._first = self._first, ""
                ending, self._due = self._ending, False
                text += END if ending else self._cells.update()
            try:
                _write_all(descriptor, text.encode("utf-8", "replace"))
                if ending:
                    return
                termios.tcdrain(descriptor)  # while the line is busy, newer frames replace older ones
            except (OSError, termios.error):
                return

    @classmethod
    def _patch_iflag(cls, attrs: int) -> int:
        """Raw, but for software flow control, without which a slow line loses characters."""
        return super()._patch_iflag(attrs) | attrs & (termios.IXON | termios.IXOFF)

    def _request_terminal_sync_mode_support(self) -> None:
        """Not known to a VT100."""

    def _query_in_band_window_resize(self) -> None:
        """Not known to a VT100."""


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def for_terminal(known: Terminal) -> type[ConsoleDriver]:
    """The driver for a terminal."""

    class Driver(ConsoleDriver):
        terminal = known

    return Driver
