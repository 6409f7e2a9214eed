"""YAML as configuration files of networks are written: mappings, lists and plain values, each with its line.

What goes beyond that (anchors, tags, several documents, texts of many lines) is refused, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from wizard.dataclass import dataclass
from wizard.regex import regex


class NotPlain(Exception):
    """The file uses more of YAML than is read here."""


@dataclass(slots=True)
class Node:
    """A value: a text, a mapping or a list. `line` is where it begins; for a value of a mapping, where its key stands."""

    line: int
    text: str | None = None
    mapping: dict[str, Node] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)

    def get(self, *keys: str) -> Node | None:
        here: Node | None = self
        for key in keys:
            here = here.mapping.get(key) if here is not None else None
        return here

    def words(self) -> list[str]:
        """Its text, or the texts of its list."""
        return [self.text] if self.text is not None else [each.text for each in self.items if each.text is not None]

    def walk(self) -> Iterator[Node]:
        yield self
        for each in (*self.mapping.values(), *self.items):
            yield from each.walk()


@dataclass(slots=True)
class _Line:
    number: int
    depth: int
    text: str


def parse(text: str) -> Node:
    """Raises NotPlain."""
    lines = _lines(text)
    if not lines:
        return Node(1)
    node, rest = _block(lines, 0, lines[0].depth)
    if rest != len(lines):
        raise NotPlain
    return node


def _lines(text: str) -> list[_Line]:
    found: list[_Line] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _without_comment(raw).rstrip()
        if not line.strip() or (line.strip() == "---" and not found):
            continue
        if line.startswith(("---", "...", "%")) or "\t" in line[: len(line) - len(line.lstrip())]:
            raise NotPlain
        depth = len(line) - len(line.lstrip(" "))
        if found and _open(found[-1].text):
            found[-1].text += " " + line.strip()
            continue
        found.append(_Line(number, depth, line.strip()))
    return found


def _open(text: str) -> bool:
    """Whether a flow mapping or list goes on in the next line."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", text)
    return bare.count("{") + bare.count("[") > bare.count("}") + bare.count("]")


def _without_comment(line: str) -> str:
    quote = ""
    for place, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (place == 0 or line[place - 1] in " :-[{,"):
            quote = char
        elif char == "#" and (place == 0 or line[place - 1] in " \t"):
            return line[:place]
    return line


_KEY = regex(
    r"""("[^"]*"|'[^']*'|[^\s"'{}\[\],&*!|>%@`#-][^:]*?|-[^\s:][^:]*?|[^\s"'{}\[\],]+?(?::[^\s:]+)*)\s*:(?:\s+(.*))?$"""
)


def _block(lines: list[_Line], at: int, depth: int) -> tuple[Node, int]:
    if lines[at].text.startswith("- ") or lines[at].text == "-":
        return _list(lines, at, depth)
    if _KEY.match(lines[at].text):
        return _mapping(lines, at, depth)
    return _scalar(lines[at].text, lines[at].number), at + 1


def _list(lines: list[_Line], at: int, depth: int) -> tuple[Node, int]:
    node = Node(lines[at].number)
    while at < len(lines) and lines[at].depth == depth and (lines[at].text.startswith("- ") or lines[at].text == "-"):
        line, rest = lines[at], lines[at].text[1:].lstrip()
        if rest and not rest.startswith(("{", "[")) and (_KEY.match(rest) or rest.startswith("- ")):
            inner = depth + len(line.text) - len(rest)
            lines[at] = _Line(line.number, inner, rest)
            item, at = _block(lines, at, inner)
        elif rest:
            item, at = _scalar(rest, line.number), at + 1
        elif at + 1 < len(lines) and lines[at + 1].depth > depth:
            item, at = _block(lines, at + 1, lines[at + 1].depth)
        else:
            item, at = Node(line.number, text=""), at + 1
        node.items.append(item)
    if at < len(lines) and lines[at].depth > depth:
        raise NotPlain
    return node, at


def _mapping(lines: list[_Line], at: int, depth: int) -> tuple[Node, int]:
    node = Node(lines[at].number)
    while at < len(lines) and lines[at].depth == depth:
        line = lines[at]
        match = _KEY.match(line.text)
        if not match:
            raise NotPlain
        key, rest = match[1].strip("\"'"), match[2] or ""
        at += 1
        if rest:
            value = _scalar(rest, line.number)
        elif at < len(lines) and (
            lines[at].depth > depth or (lines[at].depth == depth and lines[at].text.startswith("- "))
        ):
            value, at = _block(lines, at, lines[at].depth)
        else:
            value = Node(line.number, text="")
        value.line = line.number
        node.mapping[key] = value
    if at < len(lines) and lines[at].depth > depth:
        raise NotPlain
    return node, at


def _scalar(text: str, line: int) -> Node:
    text = text.strip()
    if text.startswith(("&", "*", "!", "|", ">", "%", "@", "`")):
        raise NotPlain
    if text.startswith(("{", "[")):
        node, rest = _flow(text, line)
        if rest.strip():
            raise NotPlain
        return node
    if text[:1] in ("'", '"'):
        if len(text) < 2 or text[-1] != text[0]:
            raise NotPlain
        return Node(line, text=text[1:-1])
    return Node(line, text=text)


def _flow(text: str, line: int) -> tuple[Node, str]:
    text = text.lstrip()
    node = Node(line)
    if not text.startswith(("{", "[")):
        match = re.match(r"\"([^\"]*)\"|'([^']*)'|([^,\[\]{}]*)", text)
        if match is None:
            raise NotPlain
        node.text = next(each for each in (match[1], match[2], match[3], "") if each is not None).strip()
        return node, text[match.end() :].lstrip()
    closing = {"{": "}", "[": "]"}[text[0]]
    rest = text[1:].lstrip()
    while not rest.startswith(closing):
        if closing == "}":
            key = re.match(r"\s*(\"[^\"]*\"|'[^']*'|[^:,{}\[\]]+?)\s*(?::\s+|:(?=[\[{\"'])|(?=[,}]))", rest)
            if key is None:
                raise NotPlain
            value, rest = _flow(rest[key.end() :], line)
            node.mapping[key[1].strip("\"'")] = value
        else:
            value, rest = _flow(rest, line)
            node.items.append(value)
        if rest.startswith(","):
            rest = rest[1:].lstrip()
        elif not rest.startswith(closing):
            raise NotPlain
    return node, rest[1:].lstrip()
