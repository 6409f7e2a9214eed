"""/etc/default/grub and its drop-ins: plain assignments of a POSIX shell, evaluated here and never executed.

What only a shell could tell (commands, arithmetic, conditions) is *unknown*, with its file and line: never a guess. The grammar
follows POSIX.1 (Shell Command Language) as dash reads it; grub-mkconfig runs under `#!/bin/sh` with `set -e`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HARMLESS = frozenset({"echo", "printf", "true", ":", "export", "readonly", "test", "["})
_BLOCKS = {"if": "fi", "for": "done", "while": "done", "until": "done", "case": "esac", "{": "}"}
_ENDS = frozenset(_BLOCKS.values())


REFUSED = "a quote that never ends: a shell refuses the file"


@dataclass(frozen=True, slots=True)
class Source:
    """One file, in the order in which they are sourced."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment. `value` None: it could not be evaluated, and `reason` says why; `depends_on` is the unknown variable that it
    takes its value from, if that is why. Lines count from 1."""

    name: str
    value: str | None
    path: str
    line: int
    last_line: int
    reason: str
    depends_on: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All assignments in their order; the last one of a name counts."""

    assignments: tuple[Assignment, ...]

    def layers(self, name: str) -> tuple[Assignment, ...]:
        """Every assignment of a name, in order."""
        return tuple(each for each in self.assignments if each.name == name)

    def value(self, name: str) -> str | None:
        """The effective value; None where it is unknown or was never set."""
        layers = self.layers(name)
        return layers[-1].value if layers else None

    def is_set(self, name: str) -> bool:
        return bool(self.layers(name))

    def known(self, name: str) -> bool:
        """False where the effective value depends on something that was not evaluated."""
        layers = self.layers(name)
        return not layers or layers[-1].value is not None

    def why_unknown(self, name: str) -> str:
        """Such as '/etc/default/grub line 12: command substitution', where it stands and not where it was only passed on;
        empty where the value is known."""
        if self.known(name):
            return ""
        place, found = len(self.assignments), None
        while found is None or found.depends_on:
            wanted = found.depends_on if found else name
            place = max(at for at, each in enumerate(self.assignments[:place]) if each.name == wanted)
            found = self.assignments[place]
        return f"{found.path} line {found.line}: {found.reason}"


class _UnknownError(Exception):
    """A piece of text that only a shell could evaluate; `depends_on` names an unknown variable in it."""

    def __init__(self, reason: str, depends_on: str = "") -> None:
        super().__init__(reason)
        self.depends_on = depends_on


@dataclass(slots=True)
class _Word:
    """One word of a line as it stands: raw text, and where it begins and ends in lines."""

    raw: str
    line: int
    last_line: int


@dataclass(slots=True)
class _State:
    values: dict[str, str | None] = field(default_factory=dict)
    found: list[Assignment] = field(default_factory=list)


def evaluate(sources: Sequence[Source]) -> Evaluation:
    """Evaluate files one after the other. Never raises: what is not understood is unknown."""
    state = _State()
    for source in sources:
        _File(source, state).read()
    return Evaluation(tuple(state.found))


class _File:
    """One file being read."""

    def __init__(self, source: Source, state: _State) -> None:
        self.path, self.state = source.path, state
        self.text = source.content.decode("utf-8", "surrogateescape")
        self.open_blocks: list[str] = []

    def read(self) -> None:
        commands, broken = _commands(self.text)
        for command in commands:
            self._command(command)
        if broken:
            self._everything_unknown(broken, REFUSED)

    def _command(self, words: list[_Word]) -> None:
        """One simple command, or a piece of a compound one."""
        first = words[0].raw
        if first in _BLOCKS or (len(words) > 1 and words[1].raw == "()") or first.endswith("()"):
            self.open_blocks.append(_BLOCKS.get(first, "}"))
        if first in _ENDS or words[-1].raw in _ENDS:
            if self.open_blocks:
                self.open_blocks.pop()
            return
        if self.open_blocks or first in ("then", "do", "else", "elif"):
            self._inside(words)
            return
        assignments = words[1:] if first in ("export", "readonly") else words
        leading = [word for word in assignments if _assigned(word.raw)]
        if first not in ("export", "readonly") and len(leading) != len(assignments):
            self._program(words)
            return
        for word in leading:
            self._assign(word)

    def _program(self, words: list[_Word]) -> None:
        """A command that is no assignment: it may change variables, or be harmless."""
        while words and _assigned(words[0].raw):  # `X=1 command` sets X for the command alone
            words = words[1:]
        appended = re.fullmatch(r"([A-Za-z_]\w*)\+=.*", words[0].raw, re.DOTALL)
        if appended:
            self._unknown(appended[1], words[0], "+= is no assignment for dash: update-grub fails")
        elif words[0].raw in (".", "source", "eval", "unset", "read", "set"):
            for name in list(self.state.values):
                self._unknown(name, words[0], f"the command {words[0].raw} may change it")
        elif words[0].raw not in _HARMLESS and "/" not in words[0].raw and not _NAME.fullmatch(words[0].raw):
            for name in list(self.state.values):
                self._unknown(name, words[0], "something that is not understood stands here")

    def _inside(self, words: list[_Word]) -> None:
        """In a condition, loop or function: whether it is done is not known, so what it sets is not either."""
        for word in words:
            match = re.match(r"([A-Za-z_]\w*)\+?=", word.raw)
            if match:
                self._unknown(match[1], word, "set in a condition, a loop or a function")
            elif word.raw in (".", "source", "eval", "unset"):
                for name in list(self.state.values):
                    self._unknown(name, word, f"the command {word.raw} may change it")

    def _assign(self, word: _Word) -> None:
        name, _, raw = word.raw.partition("=")
        try:
            value = _expanded(raw, self.state.values)
        except _UnknownError as error:
            self._unknown(name, word, str(error), error.depends_on)
            return
        self.state.values[name] = value
        self.state.found.append(Assignment(name, value, self.path, word.line, word.last_line, ""))

    def _unknown(self, name: str, word: _Word, reason: str, depends_on: str = "") -> None:
        self.state.values[name] = None
        self.state.found.append(Assignment(name, None, self.path, word.line, word.last_line, reason, depends_on))

    def _everything_unknown(self, word: _Word, reason: str) -> None:
        for name in list(self.state.values) or []:
            self._unknown(name, word, reason)
        for match in re.finditer(r"([A-Za-z_]\w*)=", word.raw):
            self._unknown(match[1], word, reason)


def _assigned(raw: str) -> bool:
    return re.match(r"[A-Za-z_][A-Za-z0-9_]*=", raw) is not None


def _commands(text: str) -> tuple[list[list[_Word]], _Word | None]:
    """The words of each command; and what is left where a quote never ends."""
    commands: list[list[_Word]] = []
    words: list[_Word] = []
    raw, line, begun = "", 1, 1
    place = 0

    def end_word() -> None:
        nonlocal raw
        if raw:
            words.append(_Word(raw, begun, line))
            raw = ""

    def end_command() -> None:
        nonlocal words
        end_word()
        if words:
            commands.append(words)
            words = []

    while place < len(text):
        char = text[place]
        if not raw:
            begun = line
        if char == "#" and not raw:
            while place < len(text) and text[place] != "\n":
                place += 1
            continue
        if char in " \t":
            end_word()
        elif char in "\n;&|":
            end_command()
            line += char == "\n"
        elif char in "()" and not raw.endswith("$"):
            raw += char
        else:
            piece = _piece(text, place)
            if piece is None:
                return commands, _Word(text[place - len(raw) :], begun, line)
            if piece == "\\\n":
                line += 1
                place += 2
                continue
            raw += piece
            line += piece.count("\n")
            place += len(piece)
            continue
        place += 1
    end_command()
    return commands, None


def _piece(text: str, place: int) -> str | None:
    """The text of one unit from here: a quoted string, an escape, a substitution, or one character; None without its end."""
    char = text[place]
    if char == "\\":
        return text[place : place + 2]
    if char == "'":
        end = text.find("'", place + 1)
        return None if end < 0 else text[place : end + 1]
    if char in '"`':
        return _until(text, place, char)
    if text.startswith(("$(", "${"), place):
        closing = ")" if text[place + 1] == "(" else "}"
        return _balanced(text, place, text[place + 1], closing)
    return char


def _until(text: str, place: int, quote: str) -> str | None:
    end = place + 1
    while end < len(text) and text[end] != quote:
        if text[end] == "\\":
            end += 1
        elif quote == '"' and text.startswith(("$(", "`"), end):
            inner = _piece(text, end)
            if inner is None:
                return None
            end += len(inner) - 1
        end += 1
    return text[place : end + 1] if end < len(text) else None


def _balanced(text: str, place: int, opening: str, closing: str) -> str | None:
    depth, end = 0, place + 1
    while end < len(text):
        if text[end] == "\\":
            end += 1
        elif text[end] == opening:
            depth += 1
        elif text[end] == closing:
            depth -= 1
            if depth == 0:
                return text[place : end + 1]
        end += 1
    return None


def _expanded(raw: str, values: dict[str, str | None]) -> str:
    """The value of an assignment's right side. Raises _UnknownError."""
    result, place = "", 0
    while place < len(raw):
        char = raw[place]
        if char == "'":
            end = raw.index("'", place + 1)
            result += raw[place + 1 : end]
            place = end + 1
        elif char == '"':
            piece = _until(raw, place, '"') or ""
            result += _in_quotes(piece[1:-1], values)
            place += len(piece)
        elif char == "\\":
            result += raw[place + 1 : place + 2]
            place += 2
        elif char in "$`":
            value, place = _dollar(raw, place, values)
            result += value
        elif char in "()<>":
            raise _UnknownError(f"{char} is something for a shell")
        elif char == "~" and (place == 0 or raw[place - 1] == ":"):
            raise _UnknownError("~ is a home directory")
        else:
            result += char
            place += 1
    return result


def _in_quotes(text: str, values: dict[str, str | None]) -> str:
    result, place = "", 0
    while place < len(text):
        char = text[place]
        if char == "\\" and place + 1 < len(text) and text[place + 1] in '$`"\\\n':
            result += "" if text[place + 1] == "\n" else text[place + 1]
            place += 2
        elif char in "$`":
            value, place = _dollar(text, place, values)
            result += value
        else:
            result += char
            place += 1
    return result


_PARAMETER = r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})"
_BRACED = re.compile(rf"\$\{{([A-Za-z_]\w*)(?:(:?[-+])([^{{}}$`\"'\\]*(?:{_PARAMETER}[^{{}}$`\"'\\]*)*))?\}}", re.ASCII)


def _dollar(text: str, place: int, values: dict[str, str | None]) -> tuple[str, int]:
    """What stands for a parameter, and where it ends. Raises _UnknownError for anything else that begins with $ or `."""
    if text[place] == "`" or text.startswith("$(", place):
        arithmetic = text.startswith("$((", place)
        raise _UnknownError("arithmetic" if arithmetic else "command substitution")
    name = _NAME.match(text, place + 1)
    if name:
        return _of(name[0], values), name.end()
    if text.startswith("${", place):
        braced = _BRACED.match(text, place)
        if not braced:
            raise _UnknownError("an expansion that is not evaluated here")
        return _braced(braced, values), braced.end()
    if place + 1 < len(text) and (text[place + 1] in "@*#?-$!" or text[place + 1].isdigit()):
        raise _UnknownError(f"${text[place + 1]} is known to a running shell only")
    return "$", place + 1


def _of(name: str, values: dict[str, str | None]) -> str:
    value = values.get(name, "")
    if value is None:
        raise _UnknownError(f"it depends on {name}, which is unknown", depends_on=name)
    if name not in values and name in ("PATH", "HOME", "PWD", "OPTIND", "PS1", "PS2", "PS4", "IFS", "PPID"):
        raise _UnknownError(f"{name} comes from the shell's surroundings")
    return value


def _braced(match: re.Match[str], values: dict[str, str | None]) -> str:
    name, operator, word = match[1], match[2], match[3] or ""
    value = _of(name, values)
    if not operator:
        return value
    there = bool(value) if operator.startswith(":") else name in values
    if operator.endswith("+"):
        return _in_quotes(word, values) if there else ""
    return value if there else _in_quotes(word, values)
