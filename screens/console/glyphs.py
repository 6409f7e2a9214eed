"""Characters that a terminal can show: ASCII, or those that the font of a Linux console has."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

SAME_SHAPE = {
    "-": "─━═╌┄┈╴╶╸╺▔▁▂▃▄▀‐‑‒–—−",
    "|": "│┃║╎┆┊▏▎▍▌▋▊▕▐",
    "+": "┌┐└┘╭╮╰╯├┤┬┴┼╔╗╚╝╠╣╦╩╬┏┓┗┛",
    ">": "▶▸►▷→⏵»",
    "<": "◀◂◄←«",
    "v": "▼▾↓",
    "^": "▲▴↑",
    "*": "●•◆■⭘·",
    "o": "○",
    "#": "█▉▓",
    ":": "▒",
    ".": "░",
    "~": "…",
    "x": "✓✔☑",
    "!": "✗✘",
    "'": "‘’′",
    '"': "“”″",
    " ": "\xa0\u2000\u2001\u2002\u2003\u2007\u2009\u202f\u3000",
}
ASCII = {char: plain for plain, chars in SAME_SHAPE.items() for char in chars}


@lru_cache(maxsize=4096)
def in_ascii(char: str) -> str:
    """A character in ASCII: one of the same shape, the letter without its accent, or a question mark."""
    if char in ASCII:
        return ASCII[char]
    base = unicodedata.normalize("NFKD", char)[:1]
    if " " <= base <= "~":
        return base
    return "??" if unicodedata.east_asian_width(char) in "WF" else "?"


def fitting(glyphs: frozenset[int] | None) -> Callable[[str], str]:
    """The function that fits characters to a terminal. `glyphs` are the code points of its font; None where only ASCII
    is sure."""
    if glyphs is None:
        return in_ascii
    return lambda char: char if ord(char) in glyphs else in_ascii(char)
