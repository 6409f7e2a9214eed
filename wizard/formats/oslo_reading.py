"""Reading nova.conf's dialect as oslo_config/iniparser.py and cfg.ConfigParser read it, and refusing what they refuse.

The dialect is not configparser's: comments stand alone and start at the first column, an indented line continues the
option above it, nothing may stand behind a section's bracket, and a repeated option is one more value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from wizard.dataclass import dataclass
from wizard.errors import FormatError
from wizard.regex import regex

# Python's text mode, in which oslo.config opens the file, ends lines at these three and nowhere else.
_LINE = regex(r"([^\r\n]*)(\r\n|\r|\n)|([^\r\n]+)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Setting:
    """One logical option: its assignment and the continuation lines below it.

    `section` is the name as oslo.config compares it: DEFAULT, else in lower case. `value` is the raw string that
    oslo.config delivers, before interpolation: outer quotes of the first line gone, continuation lines joined by a
    newline. Lines count from 1.
    """

    section: str
    option: str
    value: str
    line: int
    last_line: int


class Line(NamedTuple):
    """One physical line and its end: a newline, CR and newline, CR, or nothing for a last line that has none."""

    text: str
    eol: str


class Document(NamedTuple):
    """A file that oslo.config accepts. `headers` holds (index into `lines`, section's name) in the file's order."""

    lines: list[Line]
    headers: list[tuple[int, str]]
    settings: list[Setting]


def split_lines(text: str) -> list[Line]:
    """The lines of a text with their ends; joined again they are the same text."""
    return [Line(m[1] if m[3] is None else m[3], m[2] or "") for m in _LINE.finditer(text)]


def normalized(section: str) -> str:
    """A section's name as cfg._normalize_group_name makes it: without case, but [default] is not DEFAULT."""
    return section if section == "DEFAULT" else section.lower()


def _decoded(content: bytes) -> str:
    if content.startswith(_BYTE_ORDER_MARK):
        raise FormatError(
            "the file starts with a byte order mark, which oslo.config takes for a part of the first line",
            where="line 1",
            do="save the file as UTF-8 without a byte order mark",
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        above = split_lines(content[: error.start].decode("latin-1"))
        number = len(above) + (0 if above and not above[-1].eol else 1)
        raise FormatError(
            f"byte 0x{content[error.start]:02x} is not UTF-8, so oslo.config cannot read the file",
            where=f"line {number}",
            do="write the file in UTF-8, comments too",
        ) from error


def _section_name(text: str, number: int) -> str:
    if not text.endswith("]"):
        raise FormatError(
            "a section's line does not end with its bracket",
            where=f"line {number}",
            do="write [section] and nothing behind it, not even a comment",
        )
    if len(text) <= 2:
        raise FormatError("a section has no name", where=f"line {number}", do="write [section], for instance [DEFAULT]")
    return normalized(text[1:-1])


def separator(text: str) -> int:
    """Where the name of an assignment ends: the first `=` or `:`; -1 when there is neither."""
    found = [at for at in (text.find("="), text.find(":")) if at >= 0]
    return min(found, default=-1)


def _assignment(text: str, number: int) -> tuple[str, str]:
    at = separator(text)
    if at < 0:
        raise FormatError(
            "this is neither a section, an option nor a comment",
            where=f"line {number}",
            do="write option = value, indent it if it continues the value above, or start it with #",
        )
    option, value = text[:at].strip(), text[at + 1 :].strip()
    if not option:
        raise FormatError("an option has no name", where=f"line {number}", do="write option = value")
    return option, unquoted(value)


def unquoted(value: str) -> str:
    """A value without the pair of quotes around it, as iniparser._split_key_value has it: a lone quote is a pair."""
    return value[1:-1] if value and value[0] == value[-1] and value[0] in "\"'" else value


class _Scan:
    """The state of one reading: the section that is open, and the option that continuation lines would belong to."""

    def __init__(self) -> None:
        self.headers: list[tuple[int, str]] = []
        self.settings: list[Setting] = []
        self._option: tuple[str, int] | None = None
        self._value: list[str] = []

    def take(self, number: int, line: str) -> None:
        text = line.rstrip()
        if text.startswith((" ", "\t")):
            self._continue(number, text)
            return
        self.close(number - 1)
        if text.startswith("["):
            self.headers.append((number - 1, _section_name(text, number)))
        elif text and not text.startswith(("#", ";")):
            self._open(number, text)

    def _open(self, number: int, text: str) -> None:
        option, value = _assignment(text, number)
        if not self.headers:
            raise FormatError(
                "an option stands above the first section",
                where=f"line {number}",
                do="put a section above it, for instance [DEFAULT]",
            )
        self._option, self._value = (option, number), [value]

    def _continue(self, number: int, text: str) -> None:
        if self._option is None:
            raise FormatError(
                "an indented line continues an option, but there is none directly above it",
                where=f"line {number}",
                do="start the option at the first column, or take out the blank line or comment above",
            )
        self._value.append(text.lstrip())

    def close(self, last_line: int) -> None:
        if self._option:
            option, first = self._option
            self.settings.append(Setting(self.headers[-1][1], option, "\n".join(self._value), first, last_line))
        self._option = None


def read(content: bytes) -> Document:
    """The lines, headers and settings of a file. Raises FormatError (where: the line) for what oslo.config refuses."""
    lines, headers, settings = _read(content)
    return Document(list(lines), list(headers), list(settings))


@lru_cache(maxsize=4)
def _read(content: bytes) -> tuple[tuple[Line, ...], tuple[tuple[int, str], ...], tuple[Setting, ...]]:
    """A plan asks a dozen times what is in the same file, and that of a distribution has thousands of lines."""
    lines = split_lines(_decoded(content))
    scan = _Scan()
    for number, line in enumerate(lines, 1):
        scan.take(number, line.text)
    scan.close(len(lines))
    return tuple(lines), tuple(scan.headers), tuple(scan.settings)
