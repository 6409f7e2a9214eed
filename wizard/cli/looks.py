"""How results look on a terminal: what the entry point brings along, since the engine knows no library of screens."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol, TextIO


class Looks(Protocol):
    """Colours for text, and a picture of it."""

    def paint(self, text: str) -> str:
        """The same text with colours: without them it is the same to the letter."""

    def picture(self, text: str, title: str) -> str:
        """The text as an SVG document."""


load: Callable[[], Looks] | None = None
"""Loads them; None where the engine is used without its screens."""


def for_stream(stream: TextIO | None) -> Looks | None:
    """Colours where this is a terminal that has them; None for a pipe, for NO_COLOR and for a dumb terminal."""
    if load is None or stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in ("dumb", ""):
        return None
    try:
        return load() if stream.isatty() else None
    except (OSError, ValueError):
        return None
