"""A line of text in segments, of which some stand out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style

Piece = tuple[int, int, Style]  # where it begins, what is behind its end, and what it looks like


def segments(text: str, style: Style, pieces: Sequence[Piece]) -> list[Segment]:
    """A text in segments; where pieces lie over each other, the later one is on top."""
    if not pieces:
        return [Segment(text, style)]
    edges = sorted({0, len(text), *(min(max(edge, 0), len(text)) for piece in pieces for edge in piece[:2])})
    found = []
    for first, behind in pairwise(edges):
        here = style
        for start, end, over in pieces:
            if start <= first and behind <= end:
                here += over
        found.append(Segment(text[first:behind], here))
    return found
