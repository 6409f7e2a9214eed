"""A text in exactly so many cells."""

from __future__ import annotations

from wizard.safe_text import safe_text


def cut(text: str, width: int) -> str:
    """A text in exactly this many cells; what does not fit is told by two dots: in the middle of a path, at the end of a command."""
    text = safe_text(text).replace("\n", " ").replace("\t", " ")
    if len(text) <= width:
        return text.ljust(width)
    if width < 8:
        return text[:width]
    if not text.startswith("$ ") and "/" in text and " " not in text.rpartition("/")[2]:
        tail = (width - 2) * 2 // 3
        return f"{text[: width - 2 - tail]}..{text[-tail:]}"
    return f"{text[: width - 2]}.."
