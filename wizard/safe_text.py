"""Text from a node as it may be shown."""

from __future__ import annotations

from wizard.redaction import redacted


class _Shown(dict[int, str]):
    """What each character is shown as; each is looked at once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        shown = self[code] = char if char.isprintable() or char in "\n\t" else f"\\x{code:02x}"
        return shown


_SHOWN = _Shown()


def safe_text(text: str) -> str:
    """Text from a node as it may be shown: without escape sequences and other control characters, tabs and line ends stay;
    and without what looks like a secret."""
    if not text.isprintable():
        text = text.translate(_SHOWN)
    return redacted(text)
