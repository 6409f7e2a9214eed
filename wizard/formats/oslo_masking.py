"""Hiding all of a nova.conf but what is known to be no secret.

What may be seen is listed, not what must be hidden: passwords stand in options that nobody can list
(transport_url, connection, a vendor's own), in comments, and in lines that came off their option.
"""

from __future__ import annotations

from collections.abc import Collection

from wizard.formats.oslo_reading import separator, split_lines
from wizard.redaction import HIDDEN
from wizard.regex import regex

# A name is shown only if it looks like one: a wrapped password that starts a line may have a part before a "=" too.
_NAME = regex(r"-{0,2}[a-z_][a-z0-9_.-]*")
_HEADER = regex(r"\[[A-Za-z0-9_. :-]+\]")


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
