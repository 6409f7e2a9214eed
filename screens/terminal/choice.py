"""Which face fits a terminal, why, and what its libraries have to know before they are imported."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Literal

from screens.terminal.probe import Terminal
from wizard.errors import UsageError

Name = Literal["full", "console", "plain"]

SLOW = 38400  # baud: below it a screen takes longer to paint than a line to read
NARROWEST, LOWEST = 40, 10  # columns and rows that a page needs
FEW_COLOURS = (
    "linux",
    "vt1",
    "vt2",
    "vt3",
    "vt4",
    "vt5",
    "ansi",
    "cons",
    "pc",
    "sun",
    "wyse",
    "hp",
    "tty",
    "at386",
    "bsdos",
)
MANY_COLOURS = (
    "xterm", "screen", "tmux", "rxvt", "konsole", "gnome", "vte", "alacritty", "foot", "kitty", "st-", "wezterm", "putty",
    "mintty", "iterm", "contour", "ghostty", "mlterm", "eterm", "nsterm",
)  # fmt: skip
NO_TERMINAL = "Pipe the answers in, or use `compute-wizard suggest`, `plan` and `apply --answers FILE`."


@dataclass(frozen=True, slots=True)
class Face:
    """A face for a terminal, and the reason in words. `arrows`: whether keys that send escape sequences work, so that
    the plain face can offer lists."""

    name: Name
    why: str
    terminal: Terminal
    arrows: bool = False


def choose(terminal: Terminal, wanted: str = "auto", environment: MutableMapping[str, str] = os.environ) -> Face:
    """The face for a terminal. `wanted` is one by name, or auto. Raises UsageError where that one cannot be shown."""
    asked = wanted if wanted != "auto" else environment.get("COMPUTE_WIZARD_UI", "auto")
    if asked in ("full", "console"):
        if terminal.kind == "none":
            raise UsageError(f"the {asked} face needs a terminal, and this is none", do=NO_TERMINAL)
        if terminal.dumb:
            raise UsageError(
                f"the {asked} face needs a terminal that can move its cursor, and TERM={terminal.name or '(empty)'} is none",
                do="Say --ui plain; or set TERM, such as TERM=vt220, if the terminal is better than that.",
            )
        return Face("full" if asked == "full" else "console", "asked for", terminal)
    moves = terminal.kind != "none" and not terminal.dumb and terminal.answers is not False and not terminal.speech
    if asked == "plain":
        return Face("plain", "asked for", terminal, moves)
    if asked != "auto":
        raise UsageError(f"COMPUTE_WIZARD_UI={asked} is no face", do="It may be auto, full, console or plain.")
    name, why = _fitting(terminal, environment)
    return Face(name, why, terminal, moves)


def _fitting(terminal: Terminal, environment: MutableMapping[str, str]) -> tuple[Name, str]:
    if terminal.kind == "none":
        return "plain", "there is no terminal"
    if terminal.dumb:
        return "plain", f"TERM={terminal.name or '(empty)'} cannot move its cursor"
    if terminal.speech:
        return "plain", f"{terminal.speech} reads this console"
    if terminal.columns < NARROWEST or terminal.rows < LOWEST:
        return "plain", f"{terminal.columns}x{terminal.rows} is too small for a page"
    if terminal.answers is False:
        return "plain", "the terminal does not answer"
    if terminal.kind == "serial":
        if terminal.baud is not None and terminal.baud < SLOW:
            return "plain", f"{terminal.baud} baud is slow"
        return "console", "a serial line"
    if terminal.kind == "vt":
        return "console", "a Linux console"
    if not terminal.utf8:
        return "console", "the terminal is not set to UTF-8"
    return _by_name(terminal.name, environment)


def _by_name(name: str, environment: MutableMapping[str, str]) -> tuple[Name, str]:
    """By the terminal's name; where it is an unknown one, by what terminfo says of it."""
    if environment.get("COLORTERM") in ("truecolor", "24bit") or name.endswith(("-256color", "-direct")):
        return "full", "many colours"
    if name.startswith(MANY_COLOURS):
        return "full", f"TERM={name}"
    if name.startswith(FEW_COLOURS):
        return "console", f"TERM={name} has few colours"
    colours = _terminfo_colours(name)
    if colours is None:
        return "plain", f"TERM={name} is unknown here, or cannot move its cursor"
    return ("full", "many colours") if colours >= 256 else ("console", f"TERM={name} has few colours")


def _terminfo_colours(name: str) -> int | None:
    """How many colours terminfo gives a terminal; None where it is not there or cannot move its cursor."""
    try:
        import curses

        curses.setupterm(name, 1)
        return max(0, curses.tigetnum("colors")) if curses.tigetstr("cup") else None
    except (ImportError, curses.error):
        return None


def prepare(face: Face, environment: MutableMapping[str, str] = os.environ) -> None:
    """Set up the surroundings that the face's library reads when it is imported. What the admin has set wins."""
    if face.name == "plain":
        environment.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")
        environment.setdefault("PROMPT_TOOLKIT_COLOR_DEPTH", "DEPTH_1_BIT")
        return
    environment.setdefault("TEXTUAL_ANIMATIONS", "none")
    environment.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if face.name == "console":
        environment.setdefault("ESCDELAY", "300")  # milliseconds: a serial line over a BMC splits escape sequences
        environment["TEXTUAL_COLOR_SYSTEM"] = "standard"
        environment["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
