"""Text from a node as it may be shown."""

from __future__ import annotations

from wizard.redaction import redacted


def safe_text(text: str) -> str:
    """Text from a node as it may be shown: without escape sequences and other control characters, tabs and line ends stay;
    and without what looks like a secret."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)
    return redacted(text)
