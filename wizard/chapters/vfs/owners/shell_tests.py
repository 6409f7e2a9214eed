"""`[ … ]` in a script: whether it holds when the node boots."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence

from wizard.chapters.vfs.owners.cards import is_number_file
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Verdict, all_of, any_of, of_bool
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.view import View
from wizard.integers import parse_int

_FILES = ("-e", "-f", "-d", "-r", "-w", "-x", "-s", "-L", "-h", "-a")
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}


def judged(words: Sequence[Value], view: View) -> Verdict:
    """The words between `[` and `]`."""
    for separators, join in ((("-o", "||"), any_of), (("-a", "&&"), all_of)):
        places = [at for at, each in enumerate(words) if each.text in separators and 0 < at < len(words) - 1]
        if places:
            pieces = [
                words[start:end]
                for start, end in zip([0, *(at + 1 for at in places)], [*places, len(words)], strict=True)
            ]
            return join(judged(piece, view) for piece in pieces)
    if words and words[0].text == "!":
        return ~judged(words[1:], view)
    if len(words) == 3:
        return _compared(words[0], words[1].text, words[2])
    if len(words) == 2:
        return _single(words[0].text, words[1], view)
    if len(words) == 1:
        return of_bool(bool(words[0].text)) if words[0].known else UNKNOWN
    return UNKNOWN


def _compared(left: Value, how: str, right: Value) -> Verdict:
    if not (left.known and right.known):
        return UNKNOWN
    if how in ("=", "=="):
        return of_bool(fnmatch.fnmatchcase(left.text, right.text))
    if how == "!=":
        return of_bool(not fnmatch.fnmatchcase(left.text, right.text))
    numbers = parse_int(left.text), parse_int(right.text)
    if how in _NUMBERS and numbers[0] is not None and numbers[1] is not None:
        return of_bool(_NUMBERS[how](numbers[0], numbers[1]))
    return UNKNOWN


def _single(how: str, value: Value, view: View) -> Verdict:
    if how in ("-n", "-z"):
        return of_bool(bool(value.text) == (how == "-n")) if value.known else UNKNOWN
    if how not in _FILES or not value.known:
        return UNKNOWN
    if is_number_file(value.text):
        # The file of a function that is here is there; of one that is not, it may be by then under that name.
        aims = view.cards.target(value.text).values()
        if YES in aims:
            return YES
        return UNKNOWN if UNKNOWN in aims else NO
    return YES if view.exists(value.text) else UNKNOWN
