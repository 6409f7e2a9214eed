"""The line of keys: as many as there is room for, the ways back and on always."""

from __future__ import annotations

from collections.abc import Sequence

Key = tuple[str, str]  # how the key is called, what it does: ("F1", "help")


def footer(keys: Sequence[Key], ways: Sequence[Key], width: int) -> str:
    """Keys from the left, the most wanted first, as far as they fit; `ways` at the right end."""
    right = _words(ways)
    left = ""
    for count in range(len(keys), 0, -1):
        left = _words(keys[:count])
        if len(left) + 2 + len(right) <= width:
            break
    return f"{left}{' ' * max(2, width - len(left) - len(right))}{right}"[:width].rstrip()


def _words(keys: Sequence[Key]) -> str:
    return "  ".join(f"{key} {what}" for key, what in keys)
