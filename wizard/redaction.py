"""Hiding what looks like a secret, in text of any kind."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"

# Each part is bounded: these look through texts of a node, of any size.
_TELLING = (
    r"(?:passw(?:or)?d|passphrase|pass(?![a-z])|pwd(?![a-z])|psk(?![a-z])|secret|token|credential|(?:private|api|auth|access)[_-]?key)"
    r"[\w.\[\]-]{0,64}[\"']?"
)
_ASSIGNED = re.compile(
    rf"(?i)({_TELLING}(?:[ \t]{{0,64}}\+?=[ \t]*|:[ \t]+))((?<=[ \t])[^\n]+|\"[^\"\n]*\"[^\s]*|'[^'\n]*'[^\s]*|[^\s]+)"
)
_OPTION = re.compile(rf"(?i)(--[\w-]{{0,64}}{_TELLING}[ \t]+)([^\s-]\S*)")
_QUOTED = re.compile(rf"(?i)(\"[\w.-]{{0,64}}{_TELLING}=)[^\"\n]*")  # a whole word of the kernel's line may be quoted
_USER_INFO = re.compile(r"(://)[^\s<>]{0,300}@|(?<=:)([^\s:@/\"']{1,500})(?=@[\w\[])")
# netroot=iscsi:USER:PASSWORD:THEIR-USER:THEIR-PASSWORD@… (dracut.cmdline(7))
_CHAP = re.compile(r"(?<=iscsi:)\S{1,500}@")


def redacted(text: str) -> str:
    """The text without what looks like a secret: values behind `=` of names such as password, and who logs in by URL.

    A net below the others, for text of any kind (kernel command lines, comments, what commands say); it knows names, not
    secrets, and so it is no reason to show what may hold them.
    """
    if "=" in text:
        text = _QUOTED.sub(lambda match: match[1] + HIDDEN, text)
    if "=" in text or ":" in text:
        text = _ASSIGNED.sub(lambda match: match[1] + HIDDEN, text)
    if "--" in text:
        text = _OPTION.sub(lambda match: match[1] + HIDDEN, text)
    if "@" in text:
        text = _CHAP.sub(f"{HIDDEN}@", text)
        text = _USER_INFO.sub(lambda match: f"{match[1] or ''}{HIDDEN}{'@' if match[1] else ''}", text)
    return text


def redacted_data(data: Any) -> Any:
    """JSON-able data with :func:`redacted` texts."""
    if isinstance(data, str):
        return redacted(data)
    if isinstance(data, dict):
        return {key: redacted_data(value) for key, value in data.items()}
    return [redacted_data(value) for value in data] if isinstance(data, list | tuple) else data
