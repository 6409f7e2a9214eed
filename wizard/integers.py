"""Whole numbers out of text that others wrote: a node's files, what is typed."""

from __future__ import annotations

MOST_DIGITS = 18  # more than anything that is counted here has; Python itself refuses to convert some thousands


def parse_int(text: str) -> int | None:
    """The number that plain digits say; None for anything else, digits of other scripts among it, and for far too many."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


MOST_MINUTES = 24 * 60
