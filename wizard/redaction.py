"""Hiding what looks like a secret, in text of any kind."""

from __future__ import annotations

import re
from typing import Any

from wizard.redaction_names import STEM, STEMS, Telling, telling
from wizard.redaction_spans import LOOKED_AT, Name, span
from wizard.redaction_values import HIDDEN, without_values
from wizard.regex import regex

__all__ = ["HIDDEN", "redacted", "redacted_data"]

# A line without any of this holds nothing that is known. Words are looked for one after the other: in a text of megabytes, as a
# command may say it, that takes a fiftieth of the time of one pattern with all of them.
_WORDS = (
    *STEMS, "@", "%40", "basic", "bearer", "digest", "negotiate", "-u", "-p", "--login", "mysql", "mariadb", "ipmi", "ldap", "snmp",
    "redis", "rabbit", "com2sec", "sink", "createuser", "inguser", "-----begin", "gaaaaa", "eyj", "gho_", "ghp_", "ghs_", "ghu_",
    "glpat", "xox", "akia", "pbkdf2",
)  # fmt: skip
_SHAPES = {
    "hash": regex(r"hash[_-]?(path)?[_-]?(suffix|prefix)"),
    "$": regex(r"\$[0-9a-z]"),
    "{": regex(r"\{s?m?(sha|md5|crypt)"),
}  # what may come behind a word, in small letters
_NAME = regex(r"[A-Za-z0-9_.-]{0,64}")
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_LONGEST_NAME = 64
_PASSES = 4  # what is hidden may bring two things together: what is shown is looked through once more
_BEGIN = regex(r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}|OpenVPN Static key V1)-----")
_MARK = regex(r"-----(BEGIN|END) [A-Za-z0-9 ]{1,60}-----")
_KEY_BODY = regex(r"[A-Za-z0-9+/=]*|(Proc-Type|DEK-Info|Version|Comment): .*")
_AROUND = " \t+-#;*>\"'|,\\n\r"
_LONE = regex(r"[A-Za-z0-9+/=]{60,}")
_VALUE_LINE = regex(r"[ \t+\-]*<?[\"']?value[\"']?[ \t]*[:=>][ \t]*", re.ASCII | re.IGNORECASE)
_BLOCK = regex(r"[|>][+-]?[0-9]?[ \t]*")
_NAME_ENDS_LINE = regex(
    r"(^|[^A-Za-z0-9])(name|key)[\"']?([ \t]*[:=][ \t]*[\"']?|>)([A-Za-z0-9_.-]{1,64})([\"']?,?|</[a-z]+>)$", re.ASCII
)


def redacted(text: str) -> str:
    """The text without what looks like a secret: what stands behind names such as password in any usual notation, logins in
    URLs, private keys, password hashes, and tokens of known kinds. It has as many lines as before.

    A net below the others, for text of any kind (kernel command lines, comments, what commands say); it knows names, not
    secrets, and so it is no reason to show what may hold them. docs/secrets.md lists what is promised.
    """
    for _ in range(_PASSES):
        if not _may_hold(text):
            break
        lines, before = _Lines(), text
        text = "\n".join([lines.next(line) for line in before.split("\n")])
        if text == before:
            break
    return text


def _may_hold(text: str) -> bool:
    """Whether a text holds anything that a secret is known by. Each part is bounded: the text may be of any size."""
    low = text.lower()
    for word in _WORDS:  # written out, since it is asked of every line that is shown
        if word in low:
            return True
    for word, shape in _SHAPES.items():
        if word in low and shape.search(low):
            return True
    return len(text) >= 60 and _LONE.search(text) is not None


def redacted_data(data: Any) -> Any:
    """JSON-able data with :func:`redacted` texts, and without the values of telling keys."""
    if isinstance(data, str):
        return redacted(data)
    if isinstance(data, dict):
        named = isinstance(name := data.get("name"), str) and telling(name) is Telling.SECRET
        return {key: _member(key, value, named and key == "value") for key, value in data.items()}
    return [redacted_data(value) for value in data] if isinstance(data, list | tuple) else data


def _member(key: Any, value: Any, named: bool) -> Any:
    if isinstance(value, str) and value and isinstance(key, str):
        kind = telling(key)
        if named or kind is Telling.SECRET or (kind is Telling.KEY and not value.startswith("/")):
            return HIDDEN
    return redacted_data(value)


class _Lines:
    """Looks through one line after the other; some secrets take several."""

    def __init__(self) -> None:
        self._key = False  # within a private key
        self._block: int | None = None  # within what is indented more than this, all of it a value
        self._next: int | None = None  # the next line is the value, if it is indented more than this
        self._named = False  # the next line may be `value: ...` of a telling name

    def next(self, line: str) -> str:
        ending = "\r" if line.endswith("\r") else ""
        return self._line(line.removesuffix("\r")) + ending

    def _line(self, line: str) -> str:
        lead = line[: len(line) - len(line.lstrip(" \t"))]
        if self._key:
            end = line.find("-----END")
            self._key = end < 0 and _KEY_BODY.fullmatch(line.strip(_AROUND)) is not None
            if end >= 0:
                return f"{lead}{HIDDEN if line[:end].strip() else ''}{line[max(end, len(lead)) :]}"
            if self._key:
                return lead + HIDDEN
        if self._block is not None:
            if not line.strip() or len(lead) > self._block:
                return lead + HIDDEN if line.strip() else line
            self._block = None
        if self._next is not None:
            begin, self._next = self._next, None
            if len(lead) > begin and line.strip() and not re.search(r"[:=]([ \t]|$)|^[ \t]*[#\[<]", line):
                return lead + HIDDEN
        if self._named:
            self._named = False
            value = _VALUE_LINE.match(line)
            if value and value.end() < len(line):
                closing = re.search(r"(</.*|[\"']?,?)$", line[value.end() :])
                return line[: value.end()] + HIDDEN + (closing[0] if closing else "")
        if not _may_hold(line):
            return line
        if len(line) >= 60 and _is_key_material(line):
            return lead + HIDDEN
        shown, position, line = [], 0, self._keys(line)
        for mark in _MARK.finditer(line):
            shown += [self._names(without_values(line[position : mark.start()]), len(lead)), mark[0]]
            position = mark.end()
        return "".join([*shown, self._names(without_values(line[position:]), len(lead))])

    def _keys(self, line: str) -> str:
        begun = _BEGIN.search(line) if "-----BEGIN" in line else None
        if begun is None:
            return line
        end = line.find("-----END", begun.end())
        if end >= 0:
            return line[: begun.end()] + HIDDEN + line[end:]
        quote = re.search(r"[\"']", line[begun.end() :])
        rest = line[begun.end() :]
        self._key = quote is None or not rest.strip(_AROUND)
        return line[: begun.end()] + (HIDDEN + rest[quote.start() :] if quote else HIDDEN if rest.strip() else rest)

    def _names(self, line: str, indent: int) -> str:
        shown: list[str] = []
        done, position, string, counted = 0, 0, None, 0
        while (stem := STEM.search(line, position)) is not None:
            start = stem.start()
            least = max(position, done, start - _LONGEST_NAME)
            while start > least and line[start - 1] in _NAME_CHARACTERS:
                start -= 1
            name = _NAME.match(line, stem.end())
            position = name.end() if name else stem.end()
            kind = telling(line[start:position])
            if kind is Telling.NOTHING:
                continue
            for quote in range(line.count('"', counted, start)):
                string = None if string is not None else quote
            counted = start
            found = span(Name(line, start, position, kind), string)
            if found is None:
                self._named |= _NAME_ENDS_LINE.search(line[-LOOKED_AT:]) is not None
                continue
            begin, end = found
            if begin == end:
                self._next = indent
                continue
            if _BLOCK.fullmatch(line, begin, end):
                self._block = indent
                continue
            shown += [line[done:begin], HIDDEN]
            done = position = end
        return "".join([*shown, line[done:]])


def _is_key_material(line: str) -> bool:
    """A line of a private key that is seen by itself, as in a diff: nothing but base64, and too mixed to be a checksum."""
    text = line.strip(_AROUND)
    return _LONE.fullmatch(text) is not None and all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
