"""What the words of a script stand for, as far as that is known: a value with parts that are not known has `*` in their place."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Mapping

from wizard.dataclass import dataclass
from wizard.regex import regex

_PARAMETER = regex(r"([A-Za-z_]\w*|[0-9@*#?$!-])(.*)", re.DOTALL)
_SUBSTITUTE = "*"


@dataclass(frozen=True, slots=True)
class Value:
    """A text, and whether it is known as a whole. An unquoted pattern is a known text with `*` in it."""

    text: str
    known: bool = True


@dataclass(frozen=True)
class Scope:
    """What expansions need to know: variables, the words that a script was given, and what a command's output would be."""

    variables: Mapping[str, Value]
    arguments: tuple[Value, ...] | None  # None: not known
    output: Callable[[str], Value]


def fields(word: str, scope: Scope) -> list[Value]:
    """The word with its quotes gone and its variables replaced, cut at the blanks of unquoted variables."""
    found: list[Value] = []
    text, known, any_part, quote = "", True, False, ""
    place = 0
    while place < len(word):
        char = word[place]
        if quote == "'":
            if char == "'":
                quote = ""
            else:
                text += char
            place += 1
        elif char == "\\":
            text, place, any_part = text + word[place + 1 : place + 2], place + 2, True
        elif char == '"' or (char == "'" and not quote):
            quote = "" if quote == char else char
            place, any_part = place + 1, True
        elif char in "$`" and (taken := _expansion(word, place, scope)) is not None:
            value, place = taken
            if quote or not value.known:
                text, known, any_part = text + value.text, known and value.known, True
                continue
            pieces = value.text.split()
            if len(pieces) > 1:
                found += [Value(text + pieces[0], known), *(Value(each) for each in pieces[1:-1])]
                text, known = "", True
            text += pieces[-1] if pieces else ""
        else:
            text, place = text + char, place + 1
    if text or any_part or not word:
        found.append(Value(text, known))
    return found


def single(word: str, scope: Scope) -> Value:
    """The word as one value, as in an assignment or a case."""
    found = fields(word, scope)
    return Value(" ".join(each.text for each in found), all(each.known for each in found))


def _expansion(word: str, place: int, scope: Scope) -> tuple[Value, int] | None:
    if word[place] == "`":
        end = word.find("`", place + 1)
        return (scope.output(word[place + 1 : end]), end + 1) if end > 0 else None
    if word.startswith("$((", place):
        end = word.find("))", place)
        return Value(_SUBSTITUTE, False), end + 2 if end > 0 else len(word)
    if word.startswith(("$(", "${"), place):
        end = _closed(word, place + 2, word[place + 1])
        inner = word[place + 2 : end]
        return (scope.output(inner) if word[place + 1] == "(" else _parameter(inner, scope)), end + 1
    match = re.match(r"\$([A-Za-z_]\w*|[0-9@*#?$!-])", word[place:])
    return (_parameter(match[1], scope), place + match.end()) if match else None


def _closed(word: str, place: int, opened: str) -> int:
    closing, depth = {"(": ")", "{": "}"}[opened], 1
    while place < len(word):
        if word[place] == opened:
            depth += 1
        elif word[place] == closing:
            depth -= 1
            if not depth:
                return place
        place += 1
    return len(word)


def _plain(name: str, scope: Scope) -> Value | None:
    """None where it is not set, as far as is known."""
    if name.isdecimal() and name != "0":
        if scope.arguments is None:
            return Value(_SUBSTITUTE, False)
        index = int(name) - 1
        return scope.arguments[index] if index < len(scope.arguments) else None
    if name in "@*":
        given = scope.arguments
        if given is None:
            return Value(_SUBSTITUTE, False)
        return Value(" ".join(each.text for each in given), all(each.known for each in given))
    return scope.variables.get(name, Value(_SUBSTITUTE, False))


def _parameter(inner: str, scope: Scope) -> Value:
    match = _PARAMETER.fullmatch(inner)
    if not match:
        return Value(_SUBSTITUTE, False)
    value, rest = _plain(match[1], scope), match[2]
    if not rest:
        return value if value is not None else Value("")
    default = re.fullmatch(r":?[-=](.*)", rest, re.DOTALL)
    if default:
        if value is not None and value.known and value.text:
            return value
        return single(default[1], scope) if value is None or value.known else Value(_SUBSTITUTE, False)
    if value is None or not value.known:
        return Value(_SUBSTITUTE, False)
    cut = re.fullmatch(r"(##?|%%?)(.*)", rest, re.DOTALL)
    if cut:
        return Value(_cut(value.text, cut[1], cut[2]))
    return Value(_SUBSTITUTE, False)


def _cut(text: str, how: str, pattern: str) -> str:
    """`${x##*/}` and its like: what matches the pattern is taken from the front (#) or the end (%), the longest where doubled."""
    lengths = range(len(text) + 1) if len(how) == 1 else range(len(text), -1, -1)
    for length in lengths:
        piece = text[:length] if how[0] == "#" else text[len(text) - length :]
        if fnmatch.fnmatchcase(piece, pattern):
            return text[length:] if how[0] == "#" else text[: len(text) - length]
    return text


def base(text: str) -> str:
    return posixpath.basename(text.rstrip("/"))
