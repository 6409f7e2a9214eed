"""udev's rules, as udev(7) has them: one rule a line, continued by a backslash, its keys parted by commas or blanks."""

from __future__ import annotations

import fnmatch
import re

from wizard.dataclass import dataclass
from wizard.regex import regex

_KEY = regex(r'[\s,]*([A-Z_]+)(?:\{([^}]*)\})?\s*(==|!=|\+=|-=|:=|=)\s*(i?e?)"((?:[^"\\]|\\.)*)"[\s,]*')


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    attribute: str
    operator: str
    value: str
    any_case: bool = False

    @property
    def matches(self) -> bool:
        return self.operator in ("==", "!=")


@dataclass(frozen=True, slots=True)
class Rule:
    """`whole` is False where the line holds what is no key: udev then passes over the rule, some releases over the rest of it."""

    line: int
    text: str
    keys: tuple[Key, ...]
    whole: bool


def rules(text: str) -> list[Rule]:
    found = []
    for number, line in _logical(text):
        keys, place = [], 0
        stripped = line.strip()
        while place < len(stripped) and (match := _KEY.match(stripped, place)):
            value = re.sub(r"\\(.)", r"\1", match[5]) if "e" in match[4] else match[5].replace('\\"', '"')
            keys.append(Key(match[1], match[2] or "", match[3], value, "i" in match[4]))
            place = match.end()
        if stripped:
            found.append(Rule(number, stripped, tuple(keys), place >= len(stripped)))
    return found


def _logical(text: str) -> list[tuple[int, str]]:
    """Lines with those that they go on in; a comment among these is passed over (udev-rules.c)."""
    found: list[tuple[int, str]] = []
    start, kept = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        start = start or number
        if line.endswith("\\"):
            kept += line[:-1]
            continue
        found.append((start, kept + line))
        start, kept = 0, ""
    if kept.strip():
        found.append((start, kept))
    return found


def fits(key: Key, value: str) -> bool:
    """Whether a known value fits the pattern of a key, whatever its operator: alternatives parted by |, each as a shell would."""
    text = value.lower() if key.any_case else value
    patterns = (key.value.lower() if key.any_case else key.value).split("|")
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)
