"""Reading a dnsmasq configuration file just as dnsmasq does, so that an edit knows which bytes mean what.

Source: dnsmasq src/option.c, read_file(), split_chr() and parse_dhcp_opt(). The file is taken in pieces of at most 1024 bytes, each
up to a line end; every white space is a blank; quotes hide characters from the parser; `#` after a blank starts a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from wizard.dataclass import dataclass

LONGEST = 1024
ROUTER = 3
KEYS = ("dhcp-option", "dhcp-option-force")

# option.c, meta[]: in quotes, a character of this table is replaced by its index, so that the parser does not see it.
_META = b"\x00123456 \b\t\n78\r90abcdefABCDE\x1bF:,."
_ESCAPES = {ord("t"): 9, ord("n"): 10, ord("b"): 8, ord("r"): 13, ord("e"): 27, ord('"'): 34, ord("\\"): 92}
_WHITE = b" \t\n\v\f\r"
_BLANKS = bytes.maketrans(_WHITE, b" " * len(_WHITE))
_BLANK, _QUOTE, _BACKSLASH, _HASH = b' "\\#'


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a line as dnsmasq sees it: `codes` with quoted characters hidden; places[i] is where codes[i] stands in the file."""

    codes: bytes
    places: tuple[int, ...]

    @property
    def text(self) -> str:
        """The piece with hidden characters shown again; bytes that are not UTF-8 as surrogates."""
        return bytes(_META[code] if code < len(_META) else code for code in self.codes).decode(errors="surrogateescape")

    @property
    def span(self) -> tuple[int, int] | None:
        """The bytes of the file that the piece covers; None for an empty piece."""
        return (self.places[0], self.places[-1] + 1) if self.places else None

    def part(self, first: int, last: int) -> Word:
        """Characters first to last (exclusive) without the blanks around them."""
        while first < last and self.codes[first] == _BLANK:
            first += 1
        while last > first and self.codes[last - 1] == _BLANK:
            last -= 1
        return Word(self.codes[first:last], self.places[first:last])

    def split(self, separator: bytes) -> tuple[Word, Word | None]:
        """What stands before the first separator and behind it, without the blanks around it; None where there is none."""
        at = self.codes.find(separator)
        if at < 0:
            return self, None
        return self.part(0, at), self.part(at + 1, len(self.codes))


@dataclass(frozen=True, slots=True)
class Line:
    """What dnsmasq takes as one line. `number` is the file's own line, counted from 1; [start, end) its bytes with the line end.

    `key` is empty where there is nothing but blanks and a comment; `value` is None where there is no `=`. `body` is what is neither
    margin nor comment, `rest` the place where the comment or the line end begins. `whole` tells that it is a line of the file and not
    a piece of a longer one.
    """

    number: int
    start: int
    end: int
    key: str
    value: Word | None
    body: Word
    rest: int
    whole: bool
    quoted: bool
    unclosed: bool


@dataclass(frozen=True, slots=True)
class DhcpOption:
    """A dhcp-option line. `tags` as they stand, with their prefix; `name` is the word that says which option, None without one.

    `number` is None where the name is none that is known here; `values` is None where there is no comma behind the name.
    `plain` is False for an option inside another one (vendor:, encap:, vi-encap:) and for DHCPv6.
    """

    line: Line
    tags: tuple[str, ...]
    name: Word | None
    number: int | None
    values: Word | None
    plain: bool

    @property
    def is_router(self) -> bool:
        """Whether it sets the router that a DHCP client is told."""
        return self.plain and self.number == ROUTER

    @property
    def label(self) -> str | None:
        """The one tag that has to be set for the line to count; None where it is none, several, or a negated one."""
        names = {without_prefix(tag) for tag in self.tags}
        name = names.pop() if len(names) == 1 else ""
        return name if name and not name.startswith(("!", "#")) else None


def without_prefix(tag: str) -> str:
    """The name that dnsmasq compares; is_tag_prefix() and set_prefix(). Prefixes in capitals belong to the name."""
    return tag[4:] if tag.startswith(("net:", "tag:", "set:")) else tag


def lines(content: bytes) -> Iterator[Line]:
    """The file in the pieces that dnsmasq's fgets() delivers. Never raises."""
    return iter(_parsed(content))


@lru_cache(maxsize=4)  # a file of thousands of networks is asked many things in one plan
def _parsed(content: bytes) -> tuple[Line, ...]:
    return tuple(_pieces(content))


def _pieces(content: bytes) -> Iterator[Line]:
    start = 0
    for number, raw in enumerate(re.findall(rb"[^\n]*\n|[^\n]+", content), start=1):
        for offset in range(0, len(raw), LONGEST):
            yield _line(number, start + offset, raw[offset : offset + LONGEST], whole=len(raw) <= LONGEST)
        start += len(raw)


def _line(number: int, start: int, raw: bytes, *, whole: bool) -> Line:
    text, rest, unclosed = _unquoted(raw, start)
    body = text.part(0, len(text.codes))
    equals = body.codes.find(b"=")
    value = body.part(equals + 1, len(body.codes)) if equals >= 0 else None
    # Hidden characters stay hidden here: dnsmasq knows no quoted name of an option.
    key = body.codes[: equals if equals >= 0 else None].decode(errors="surrogateescape").rstrip(" ")
    quoted = _QUOTE in raw[: rest - start]
    return Line(number, start, start + len(raw), key, value, body, rest, whole, quoted, unclosed)


def _unquoted(raw: bytes, start: int) -> tuple[Word, int, bool]:
    """What is left of a piece without quotes and comment; where that comment or the line end begins; whether a quote stays open."""
    text = raw.split(b"\0", 1)[0]
    end = len(text.rstrip(b"\r\n"))
    if b'"' not in text and b"#" not in text:
        return Word(text.translate(_BLANKS), tuple(range(start, start + len(text)))), start + end, False
    codes = bytearray()
    places: list[int] = []
    white, at, unclosed = True, 0, False
    while at < len(text):
        if text[at] == _QUOTE:
            at = _quoted(text, at + 1, codes, places)
            unclosed = at > len(text)
            if at >= len(text):
                break
        # The character behind a closing quote is taken as it is, even another quote.
        if text[at] not in _WHITE and white and text[at] == _HASH:
            end = at
            break
        white = text[at] in _WHITE
        codes.append(_BLANK if white else text[at])
        places.append(at)
        at += 1
    return Word(bytes(codes), tuple(start + place for place in places)), start + end, unclosed


def _quoted(text: bytes, at: int, codes: bytearray, places: list[int]) -> int:
    """Take over a quoted part from `at` on; returns the place behind the closing quote, or beyond the end where there is none."""
    while at < len(text) and text[at] != _QUOTE:
        code = text[at]
        if code == _BACKSLASH and at + 1 < len(text) and text[at + 1] in _ESCAPES:
            at += 1
            code = _ESCAPES[text[at]]
        codes.append(_META.index(code) if code in _META else code)
        places.append(at)
        at += 1
    return at + 1


def dhcp_options(content: bytes) -> Iterator[DhcpOption]:
    """Every dhcp-option and dhcp-option-force line, in the order of the file."""
    return iter(_options(content))


@lru_cache(maxsize=4)
def _options(content: bytes) -> tuple[DhcpOption, ...]:
    return tuple(
        _dhcp_option(line, line.value)
        for line in lines(content)
        if line.key in KEYS and line.value is not None and not line.unclosed
    )


def _dhcp_option(line: Line, value: Word) -> DhcpOption:
    tags: list[str] = []
    plain = True
    rest: Word | None = value
    while rest is not None:
        word, rest = rest.split(b",")
        # Not isdigit(): that is true for other digits than ASCII ones, and false for the empty word, which dnsmasq takes as option 0.
        if not word.codes.strip(b"0123456789"):
            return DhcpOption(line, tuple(tags), word, int(word.codes or b"0"), rest, plain)
        if word.codes.startswith(b"option:"):
            number = ROUTER if word.codes[7:].lower() == b"router" else None
            return DhcpOption(line, tuple(tags), word, number, rest, plain)
        if word.codes.startswith(b"option6:"):
            return DhcpOption(line, tuple(tags), word, None, rest, plain=False)
        if word.codes.startswith((b"vendor:", b"encap:", b"vi-encap:")):
            plain = False
        else:
            # The prefix counts only where it is not quoted; a quoted one belongs to the name.
            prefix = word.codes.startswith((b"net:", b"tag:", b"set:"))
            tags.append(
                word.text if prefix or not word.text.startswith(("net:", "tag:", "set:")) else f"tag:{word.text}"
            )
    return DhcpOption(line, tuple(tags), None, None, None, plain)
