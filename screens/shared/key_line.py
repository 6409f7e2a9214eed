"""The line of keys: as many as there is room for, the ways back and on always."""

from __future__ import annotations

from collections.abc import Sequence

Key = tuple[str, str]  # how the key is called, what it does: ("F1", "help")


def fitting(keys: Sequence[Key], ways: Sequence[Key], width: int) -> Sequence[Key]:
    """The keys that there is room for beside the ways."""
    right = _words(ways)
    for count in range(len(keys), 1, -1):
        if len(_words(keys[:count])) + 2 + len(right) <= width:
            return keys[:count]
    return keys[:1]


def footer(keys: Sequence[Key], ways: Sequence[Key], width: int) -> str:
    """Keys from the left, the most wanted first, as far as they fit; `ways` at the right end."""
    left, right = _words(fitting(keys, ways, width)), _words(ways)
    return f"{left}{' ' * max(2, width - len(left) - len(right))}{right}"[:width].rstrip()


def _words(keys: Sequence[Key]) -> str:
    return "  ".join(f"{key} {what}" for key, what in keys)
