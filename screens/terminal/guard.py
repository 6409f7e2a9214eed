"""Leaves the terminal as it was found, whatever ends the program: a signal, a defect, or its own end."""

from __future__ import annotations

import datetime
import os
import signal
import sys
import termios
import threading
import traceback
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from wizard import locations
from wizard.errors import WizardError
from wizard.redaction import redacted
from wizard.user_files import own_directory, write_private

ENDING = (signal.SIGTERM, signal.SIGHUP)
GRACE = 5.0  # seconds that a face has to end by itself after a signal
# Mouse, focus, paste and keyboard reports off, text as it was, cursor there, lines wrap; then the first screen again.
SANE = "\x1b[?1000l\x1b[?1003l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?1049l\x1b[m\x1b[?25h\x1b[?7h\r\n"
SANE_VT100 = "\x1b[m\x1b[?25h\x1b[?7h\x1b[2J\x1b[H"


class Defect(WizardError):
    """This tool has a mistake: its own report of it is in the log."""

    code = "DEFECT"


class Guard:
    """Around a face. A defect leaves as one message that says where the log is. Until the face has its own handlers, a
    signal restores the terminal and ends at once; `gently` makes it leave as SystemExit instead.

    `last_words` are sent to a terminal whose face could not say its own."""

    def __init__(self, last_words: str = "", gently: bool = False) -> None:
        self._last_words, self._gently = last_words, gently
        self._before: list[Any] | None = None
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Guard:
        if sys.stdin.isatty():
            self._before = termios.tcgetattr(sys.stdin.fileno())
        for number in ENDING:
            self._handlers[number] = signal.signal(number, self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = self._gently and isinstance(
            error, SystemExit
        )  # the terminal may send its signal once more: what is ours is tidied up
        for number, handler in self._handlers.items():
            signal.signal(number, signal.SIG_IGN if ended else handler)
        self._restore()
        if isinstance(error, Exception) and not isinstance(error, WizardError | BrokenPipeError):
            raise _report(error) from None

    def _end(self, number: int, _: FrameType | None = None) -> None:
        if self._gently:
            for each in ENDING:  # a terminal that goes sends more than one: what is tidied up now is tidied up whole
                signal.signal(each, signal.SIG_IGN)
            raise SystemExit(128 + number)
        self._force(number)

    def hurry(self, number: int) -> None:
        """A signal came, and the face is ending: it has GRACE seconds."""
        timer = threading.Timer(GRACE, self._force, (number,))
        timer.daemon = True
        timer.start()

    def _force(self, number: int) -> None:
        self._restore()
        try:
            if self._last_words:
                os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, self._last_words.encode())
        except OSError:
            pass  # the terminal is gone
        os._exit(128 + number)

    def _restore(self) -> None:
        if self._before is None:
            return
        try:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._before)
        except (termios.error, OSError, ValueError):
            return  # the terminal is gone


def _report(error: Exception) -> Defect:
    """Keep the traceback, without the values of variables: they may be secrets."""

    text = "".join(traceback.format_exception(error))
    log = keep_report(text)
    place = f"It is described in {log}." if log else "It could not be described in a log."
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{os.path.basename(last[0].filename)}:{last[0].lineno}" if last else ""  # noqa: PTH119, no path is looked at
    return Defect(
        f"a mistake in this program: {type(error).__name__} at {where}",
        do=f"{place} Nothing that was running was stopped; the answers of this session are kept.",
    )


def keep_report(text: str) -> Path | None:
    """Write down what went wrong inside this tool, without what looks like a secret; gives the file, or None where none can
    be written."""
    path = locations.logs() / f"defect-{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    try:
        own_directory(path.parent)
        write_private(path, redacted(text).encode("utf-8", "backslashreplace"))
    except (OSError, WizardError):
        return None
    return path
