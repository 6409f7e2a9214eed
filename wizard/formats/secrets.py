"""Hiding secrets: all of a nova.conf but what is known to be none, and what looks like one in any other text.

In nova.conf what may be seen is listed, not what must be hidden: passwords stand in options that nobody can list
(transport_url, connection, a vendor's own), in comments, and in lines that came off their option.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from wizard.formats.oslo_reading import separator, split_lines

HIDDEN = "***"

# A name is shown only if it looks like one: a wrapped password that starts a line may have a part before a "=" too.
_NAME = re.compile(r"-{0,2}[a-z_][a-z0-9_.-]*")
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

_HEADER = re.compile(r"\[[A-Za-z0-9_. :-]+\]")


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


def masked(content: bytes, shown: Collection[str]) -> bytes:
    """The same lines with every value hidden, but those of the options in `shown` (names as written, in any section).

    Section headers stay; of a comment only `# ***` is left. Lines that continue a shown option stay if they look like
    its JSON or list, and not like an option that was indented by mistake. Any bytes will do, none are refused.
    """
    names = frozenset(shown)
    result: list[str] = []
    continues = False
    for line in split_lines(content.decode("utf-8", "surrogateescape")):
        text = line.text.rstrip()
        if text.startswith((" ", "\t")):
            keep = continues and _is_part_of_value(text.strip())
            masked_text = line.text if keep else _indent(text) + HIDDEN
        else:
            continues = _name(text) in names
            masked_text = line.text if continues or not text else _masked_line(text)
        result.append(masked_text + line.eol)
    return "".join(result).encode("utf-8", "surrogateescape")


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _name(text: str) -> str | None:
    at = separator(text)
    return None if at < 0 or text.startswith(("[", "#", ";")) else text[:at].strip()


def _masked_line(text: str) -> str:
    if text.startswith(("#", ";")):
        return f"# {HIDDEN}" if text.strip("#; \t") else text
    if text.startswith("["):
        header = _HEADER.match(text)
        if header is None:
            return f"[{HIDDEN}]"
        return text if header.end() == len(text) else f"{header[0]} {HIDDEN}"
    name = _name(text)
    return f"{name} = {HIDDEN}" if name is not None and _NAME.fullmatch(name) else HIDDEN


def _is_part_of_value(text: str) -> bool:
    before_colon, colon, _ = text.partition(":")
    looks_like_option = "=" in text or (colon and not any(mark in before_colon for mark in "\"'{"))
    return not looks_like_option and "://" not in text and not text.startswith(("#", ";"))
