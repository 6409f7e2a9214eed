"""modprobe.d: options of modules, read as modprobe reads them, and changed with every other byte kept.

Options accumulate over files and lines, and the kernel keeps the last value of a parameter (kernel/params.c). modprobe ignores
lines that it does not know; so does this.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

DIRECTORIES = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)


@dataclass(frozen=True, slots=True)
class _Line:
    """One logical line: the physical lines that backslashes join. `start` and `end` are places in the file's bytes."""

    start: int
    end: int
    words: tuple[str, ...]


def _lines(content: bytes) -> list[_Line]:
    found: list[_Line] = []
    start, text = 0, ""
    place = 0
    for raw in content.splitlines(keepends=True) if content else []:
        place += len(raw)
        line = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if line.endswith("\\") and place < len(content):
            text += line[:-1] + " "
            continue
        found.append(_Line(start, place, tuple((text + line).split())))
        start, text = place, ""
    if start < place:
        found.append(_Line(start, place, tuple(text.split())))
    return found


def _module(name: str) -> str:
    return name.replace("-", "_")


def _options(line: _Line, module: str | None = None) -> bool:
    """Whether a line gives options (to this module)."""
    words = line.words
    return len(words) > 1 and words[0] == "options" and (module is None or _module(words[1]) == _module(module))


def effective(files: Sequence[tuple[str, bytes]]) -> dict[str, dict[str, str]]:
    """module -> parameter -> value over all files, which come in modprobe's order; a parameter without `=` has the value ''."""
    found: dict[str, dict[str, str]] = {}
    for _, content in files:
        for line in _lines(content):
            if _options(line):
                parameters = found.setdefault(_module(line.words[1]), {})
                for word in line.words[2:]:
                    name, _, value = word.partition("=")
                    parameters[_module(name)] = value
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
        if not found:
            missing[name] = value
            continue
        for place in reversed(found[:-1]):
            result = _without(result, place)
        start, end = _places(result, module, name)[-1]
        word = f"{name}={value}".encode()
        result = result if _same(result[start:end], name, value) else result[:start] + word + result[end:]
    return _added(result, module, missing) if missing else result


def _same(word: bytes, name: str, value: str) -> bool:
    there, _, own = word.decode("utf-8", "surrogateescape").partition("=")
    return _module(there) == _module(name) and own == value


def _places(content: bytes, module: str, name: str) -> list[tuple[int, int]]:
    """Where a parameter of a module stands, each as (start, end) in the bytes."""
    found = []
    for line in _lines(content):
        if _options(line, module):
            for number, match in enumerate(re.finditer(rb"[^\s\\]+|\\(?!\r?\n)", content[line.start : line.end])):
                word = match[0].decode("utf-8", "surrogateescape")
                if number >= 2 and _module(word.partition("=")[0]) == _module(name):
                    found.append((line.start + match.start(), line.start + match.end()))
    return found


def _without(content: bytes, place: tuple[int, int]) -> bytes:
    """Without one word, and the blanks before it."""
    start, end = place
    while start > 0 and content[start - 1 : start] in (b" ", b"\t"):
        start -= 1
    return content[:start] + content[end:]


def _added(content: bytes, module: str, parameters: Mapping[str, str]) -> bytes:
    words = " ".join(f"{name}={value}" for name, value in parameters.items()).encode()
    lines = [line for line in _lines(content) if _options(line, module)]
    if lines:
        end = lines[-1].start + len(content[lines[-1].start : lines[-1].end].rstrip(b" \t\r\n\\"))
        return content[:end] + b" " + words + content[end:]
    ending = b"\r\n" if content.endswith(b"\r\n") else b"\n"
    glue = b"" if not content or content.endswith(b"\n") else ending
    if content.rstrip(b"\r\n").endswith(b"\\"):  # a line that goes on: an empty one ends it, and ours is none of it
        glue += ending
    return content + glue + b"options " + module.encode() + b" " + words + ending


def remove_parameters(content: bytes, module: str, names: Collection[str]) -> bytes:
    """The file without these parameters of a module; a line of options that has nothing left goes too."""
    result = content
    for name in names:
        for place in reversed(_places(result, module, name)):
            result = _without(result, place)
    for line in reversed(_lines(result)):
        if _options(line, module) and len(line.words) == 2 and _had_more(content, module, line):
            result = result[: line.start] + result[line.end :]
    return result


def _had_more(content: bytes, module: str, line: _Line) -> bool:
    """Whether an empty line of options is empty because of us: as many of them were there before, so many stay."""
    empty_before = sum(_options(each, module) and len(each.words) == 2 for each in _lines(content))
    return empty_before == 0
