"""What terminal is this, and can the wizard be shown on it? Decided before any library of a face is imported."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios

from wizard.errors import UsageError

DUMB = ("", "dumb", "unknown", "emacs")
FEW_COLOURS = ("linux", "vt100", "vt102", "vt220", "ansi")


def prepare(ui: str) -> None:
    """Set up the surroundings that Textual reads when it is imported. Raises UsageError where there is nothing to draw on."""
    name = os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the wizard needs a terminal", do=HEADLESS)
    if ui == "plain":
        raise UsageError("the plain face is not there yet", do=HEADLESS)
    if name in DUMB:
        raise UsageError(
            f"this terminal (TERM={name!r}) cannot be drawn on", do=f"{HEADLESS} Or set TERM, such as TERM=vt220."
        )
    for variable in ("COLUMNS", "LINES"):  # stale ones would win over the real size
        os.environ.pop(variable, None)
    _give_size()
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    os.environ.setdefault("ESCDELAY", "300")  # a serial line over a BMC splits escape sequences
    if ui == "console" or name in FEW_COLOURS:
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "standard")
        os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")


HEADLESS = "Without one: `compute-wizard suggest`, `plan` and `apply --answers FILE` do the same."


def _give_size() -> None:
    """A serial line has no size of its own: with 0x0, libraries guess differently."""
    try:
        rows, columns = struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))[:2]
        if not rows or not columns:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows or 24, columns or 80, 0, 0))
    except OSError:
        pass
