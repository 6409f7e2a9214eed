"""modprobe.d: options of modules, read as modprobe reads them, and changed with every other byte kept.

Options accumulate over files and lines, and the kernel keeps the last value of a parameter (kernel/params.c). modprobe ignores
lines that it does not know; so does this. kmod cuts a line at blanks and tabs alone into command, module and the rest, drops each
backslash and joins a line that ends in one to the next without a blank (libkmod-util.c, freadline_wrapped); the kernel cuts the rest
at what its isspace() takes for white space, and takes double quotes away (lib/cmdline.c, next_arg).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from wizard.dataclass import dataclass

DIRECTORIES = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)


_BLANKS = b" \t"
_SPACES = b" \t\n\v\f\r\xa0"  # what the kernel's isspace() takes (lib/ctype.c): 0xa0 is the no-break space of Latin-1


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as its reader sees it, and where it stands in the file's bytes."""

    content: bytes
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Line:
    """One logical line: the physical lines that backslashes join. `start` and `end` are places in the file's bytes; `rest` is what
    follows the module's name. `open_quote`: the kernel finds no end of a quote in it."""

    start: int
    end: int
    words: tuple[str, ...]
    rest: _Word
    parameters: tuple[_Word, ...]
    open_quote: bool


_Char = tuple[int, int, int]  # a byte, and from where to where it stands in the file


def _lines(content: bytes) -> list[_Line]:
    found: list[_Line] = []
    chars: list[_Char] = []
    start = place = 0
    while place < len(content):
        byte, begun = content[place], place
        place += 1
        if byte == ord("\n"):
            found.append(_line(start, place, chars))
            start, chars = place, []
            continue
        if byte == ord("\\"):
            if place == len(content):
                byte = 0xFF  # kmod takes the end of the file for a character
            else:
                byte = content[place]
                place += 1
                if byte == ord("\n"):
                    continue
        chars.append((byte, begun, place))
    if start < place:
        found.append(_line(start, place, chars))
    return found


def _line(start: int, end: int, chars: list[_Char]) -> _Line:
    nul = next((at for at, char in enumerate(chars) if char[0] == 0), len(chars))
    chars = chars[:nul]
    if chars and chars[0][0] == ord("#"):
        chars = []
    command, chars = _first(chars)
    module, chars = _first(chars)
    words = [word.text for word in (command, module) if word.content]
    rest = _word(chars, end)
    parameters, open_quote = _arguments(chars)
    return _Line(start, end, tuple(words), rest, parameters, open_quote)


def _word(chars: list[_Char], nowhere: int) -> _Word:
    if not chars:
        return _Word(b"", nowhere, nowhere)
    return _Word(bytes(char[0] for char in chars), chars[0][1], chars[-1][2])


def _first(chars: list[_Char]) -> tuple[_Word, list[_Char]]:
    """The first word, as strtok() with blanks and tabs finds it, and what is left behind the blank that ends it."""
    begin = next((at for at, char in enumerate(chars) if char[0] not in _BLANKS), len(chars))
    end = next((at for at in range(begin, len(chars)) if chars[at][0] in _BLANKS), len(chars))
    return _word(chars[begin:end], 0), chars[end + 1 :]


def _arguments(chars: list[_Char]) -> tuple[tuple[_Word, ...], bool]:
    """The kernel's words: parted by white space that is not between double quotes."""
    found: list[_Word] = []
    current: list[_Char] = []
    quoted = False
    for char in chars:
        quoted ^= char[0] == ord('"')
        if char[0] in _SPACES and not quoted:
            found += [_word(current, 0)] if current else []
            current = []
        else:
            current.append(char)
    return tuple([*found, _word(current, 0)] if current else found), quoted


def _parameter(word: str) -> tuple[str, str]:
    """Name and value, without the quotes that the kernel takes away: of the whole word, or of its value."""
    if word.startswith('"'):
        word = word[1:].removesuffix('"')
    name, _, value = word.partition("=")
    if value.startswith('"'):
        value = value[1:].removesuffix('"')
    return _module(name), value


def _module(name: str) -> str:
    return name.replace("-", "_")


def _options(line: _Line, module: str | None = None) -> bool:
    """Whether a line gives options (to this module)."""
    words = line.words
    return len(words) > 1 and words[0] == "options" and (module is None or _module(words[1]) == _module(module))


def known_install(command: str) -> bool:
    """Whether an `install` line runs nothing but modprobe, true and false: what another program loads is known to nobody here."""
    words = [part.split() for part in re.split(r"&&|\|\||[;|&]|[{}()]", command)]
    first = {each[0].rpartition("/")[2] for each in words if each}
    loads = {"modprobe", "insmod", "true", "false", ":", "echo", "logger", "sleep"}
    return first <= loads and "$(" not in command and "`" not in command


def installs(files: Sequence[tuple[str, bytes]], module: str) -> list[tuple[str, int, str]]:
    """The commands that are run in place of loading a module: path, line, command. The first one counts."""
    return [
        (path, content.count(b"\n", 0, line.start) + 1, line.rest.text.strip())
        for path, content in files
        for line in _lines(content)
        if len(line.words) > 1
        and line.words[0] == "install"
        and _module(line.words[1]) == _module(module)
        and line.rest.content
    ]


def arguments(text: str) -> dict[str, str]:
    """parameter -> value of options that stand in one line, as the kernel cuts them; the last value counts."""
    content = text.encode("utf-8", "surrogateescape")
    words, _ = _arguments([(byte, at, at + 1) for at, byte in enumerate(content)])
    return dict(_parameter(word.text) for word in words)


def effective(files: Sequence[tuple[str, bytes]]) -> dict[str, dict[str, str]]:
    """module -> parameter -> value over all files, which come in modprobe's order; a parameter without `=` has the value ''."""
    found: dict[str, dict[str, str]] = {}
    for _, content in files:
        for line in _lines(content):
            if _options(line):
                parameters = found.setdefault(_module(line.words[1]), {})
                parameters.update(_parameter(word.text) for word in line.parameters)
    return found


def places(files: Sequence[tuple[str, bytes]], module: str, name: str) -> list[tuple[str, int, str]]:
    """Where a parameter of a module is given over all files, which come in modprobe's order: path, line, word. The last counts."""
    return [
        (path, content.count(b"\n", 0, start) + 1, content[start:end].decode("utf-8", "replace"))
        for path, content in files
        for start, end in _places(content, module, name)
    ]


def order(paths: Iterable[str]) -> list[str]:
    """Files in the order in which modprobe reads them: by name, and a name in a higher directory hides it in the lower ones."""
    first: dict[str, str] = {}
    for path in sorted(paths, key=_rank):
        if path.endswith(".conf"):
            first.setdefault(posixpath.basename(path), path)
    return [first[name] for name in sorted(first)]


def _rank(path: str) -> int:
    directory = posixpath.dirname(path)
    return DIRECTORIES.index(directory) if directory in DIRECTORIES else len(DIRECTORIES)


def set_parameters(content: bytes | None, module: str, parameters: Mapping[str, str]) -> bytes:
    """The file with these parameters of a module in effect, by the smallest change; None is a file that is not there.

    A parameter that is there is changed where it stands last, earlier ones of the same name go; a missing one is added to the
    module's last line of options, or in a line of its own at the end.
    """
    result = content or b""
    missing: dict[str, str] = {}
    for name, value in parameters.items():
        found = _places(result, module, name)
        while len(found) > 1:
            result = _without(result, found[0])
            left = _places(result, module, name)
            if len(left) >= len(found):
                break  # quotes and backslashes made another word of what is left
            found = left
        if not found:
            missing[name] = value
            continue
        start, end = found[-1]
        word = f"{name}={value}".encode()
        result = result if _same(result[start:end], name, value) else result[:start] + word + result[end:]
    result = _added(result, module, missing) if missing else result
    there = effective([("", result)]).get(_module(module), {})
    wrong = {name: value for name, value in parameters.items() if there.get(_module(name)) != value}
    return _appended(result, module, wrong) if wrong else result


def _same(word: bytes, name: str, value: str) -> bool:
    """Whether a word says this already, whatever quotes and backslashes it is written with."""
    return arguments(word.decode("utf-8", "surrogateescape")) == {_module(name): value}


def _places(content: bytes, module: str, name: str) -> list[tuple[int, int]]:
    """Where a parameter of a module stands, each as (start, end) in the bytes."""
    return [
        (word.start, word.end)
        for line in _lines(content)
        if _options(line, module)
        for word in line.parameters
        if _parameter(word.text)[0] == _module(name)
    ]


def _without(content: bytes, place: tuple[int, int]) -> bytes:
    """Without one word, and the blanks before it; one stays before a carriage return, which would be a part of the word before."""
    start, end = place
    if content[end : end + 1] == b"\r":
        return content[:start] + content[end:]
    while start > 0 and content[start - 1 : start] in (b" ", b"\t"):
        start -= 1
    return content[:start] + content[end:]


def _added(content: bytes, module: str, parameters: Mapping[str, str]) -> bytes:
    lines = [line for line in _lines(content) if _options(line, module)]
    if lines and not lines[-1].open_quote and not content.endswith(b"\\"):
        end = lines[-1].parameters[-1].end if lines[-1].parameters else _end_of_module(content, lines[-1])
        return content[:end] + b" " + _words(parameters) + content[end:]
    return _appended(content, module, parameters)


def _appended(content: bytes, module: str, parameters: Mapping[str, str]) -> bytes:
    """With a line of its own at the end."""
    ending = b"\r\n" if content.endswith(b"\r\n") else b"\n"
    glue = b"" if not content or content.endswith(b"\n") else ending
    if content.rstrip(b"\r\n").endswith(b"\\"):  # a line that goes on: an empty one ends it, and ours is none of it
        glue += ending
    return content + glue + b"options " + module.encode() + b" " + _words(parameters) + ending


def _words(parameters: Mapping[str, str]) -> bytes:
    return " ".join(f"{name}={value}" for name, value in parameters.items()).encode()


def _end_of_module(content: bytes, line: _Line) -> int:
    """Where the name of the module ends on a line that says nothing else."""
    return line.start + len(content[line.start : line.end].rstrip(b" \t\r\n\\"))


def remove_parameters(content: bytes, module: str, names: Collection[str]) -> bytes:
    """The file without these parameters of a module; a line of options that has nothing left goes too."""
    result = content
    for name in names:
        for place in reversed(_places(result, module, name)):
            result = _without(result, place)
    for line in reversed(_lines(result)):
        if _options(line, module) and not line.parameters and _had_more(content, module, line):
            result = result[: line.start] + result[line.end :]
    return result


def _had_more(content: bytes, module: str, line: _Line) -> bool:
    """Whether an empty line of options is empty because of us: as many of them were there before, so many stay."""
    empty_before = sum(_options(each, module) and not each.parameters for each in _lines(content))
    return empty_before == 0
