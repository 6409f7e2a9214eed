"""One script on its way: its variables, what has ended, and what it has written so far. Here its simple commands."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

from wizard.chapters.vfs.owners import shell_tests
from wizard.chapters.vfs.owners.cards import NUMBER_FILES, is_number_file
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Verdict
from wizard.chapters.vfs.owners.shell_commands import (
    ASK,
    DONE,
    MENTION,
    READERS,
    SHELLS,
    Status,
    Write,
    echoed,
    path_in,
    unwrapped,
    worth,
)
from wizard.chapters.vfs.owners.shell_expansion import Scope, Value, base, fields, single
from wizard.chapters.vfs.owners.shell_words import Command, Compound, NotUnderstood, Script, Simple
from wizard.chapters.vfs.owners.view import View
from wizard.integers import parse_int

DEEPEST = 4  # scripts that run scripts


class SimpleCommands(ABC):
    def __init__(self, view: View, variables: dict[str, Value], depth: int) -> None:
        self.view = view
        self.variables = variables
        self.depth = depth
        self.found: list[Write] = []
        self.path = ""
        self.mentions = False
        self.arguments: tuple[Value, ...] | None = None
        self.functions: dict[str, Compound] = {}
        self.stops: list[
            tuple[str, Verdict]
        ] = []  # of each script, function, loop and round: whether it has ended before here

    @abstractmethod
    def script_text(
        self, text: str, path: str, first: int, arguments: Sequence[Value] | None, live: Verdict
    ) -> Status: ...

    @abstractmethod
    def script(self, script: Script, live: Verdict) -> Status: ...

    # --- simple commands
    def scope(self) -> Scope:
        return Scope(self.variables, self.arguments, self._said)

    def simple(self, each: Simple, live: Verdict, given: Value) -> Status:
        scope = self.scope()
        for assign in each.assigns:
            name, _, word = assign.partition("=")
            value = single(word, scope)
            if not each.words:
                certain = live is YES and not name.endswith("+")
                self.variables[name.rstrip("+")] = value if certain else Value(value.text, False)
                scope = self.scope()
        words = [value for word in each.words for value in fields(word, scope)]
        said = echoed(words)
        for operator, to in each.redirects:
            if operator == "<<<":
                given = single(to, scope)
            elif operator.startswith((">", "&>")):
                self._redirect(operator, to, each.line, said, live)
        return self.argv(words, each.line, live, given) if words else DONE

    def _redirect(self, operator: str, to: str, line: int, said: Value | None, live: Verdict) -> None:
        if operator.startswith((">", "&>")) and not operator.endswith("&"):
            self._write(single(to, self.scope()), said, line, live)

    def _write(self, target: Value, said: Value | None, line: int, live: Verdict) -> None:
        if not target.text.startswith(("/", "*")):
            here = self.variables.get("PWD", Value("*", False))
            target = Value(f"{here.text}/{target.text}", here.known and target.known)
        if is_number_file(target.text):
            count = parse_int(said.text.strip()) if said is not None and said.known else None
            self.found.append(Write(self.path, line, target, count, live))
        elif not target.known and "*" in target.text.rsplit("/", 1)[-1] and self.mentions:
            self.found.append(Write(self.path, line, Value("*", False), None, UNKNOWN))

    def argv(self, words: list[Value], line: int, live: Verdict, given: Value) -> Status:
        replaces = len(words) > 1 and words[0].text == "exec"
        words = unwrapped(words)
        if not words:
            return DONE
        if replaces:
            status = self.argv(words, line, live, given)
            self._stop("exit", live)
            return status
        name, rest = base(words[0].text), words[1:]
        if name in ("exit", "return", "break", "continue"):
            self._stop(name, live)
            return DONE
        if name in ("true", ":"):
            return YES, NO
        if name == "false":
            return NO, YES
        if name in ("[", "test", "[["):
            verdict = shell_tests.judged([each for each in rest if each.text not in ("]", "]]")], self.view)
            return verdict, ~verdict
        if name == "cd" and rest:
            self.variables["PWD"] = rest[0] if live is YES else Value(rest[0].text, False)
        elif name in ("export", "readonly", "local", "declare", "typeset"):
            for each in rest:
                variable, equals, text = each.text.partition("=")
                if equals:
                    self.variables[variable] = Value(text, each.known and live is YES)
        elif name == "tee":
            for each in rest:
                if not each.text.startswith("-"):
                    self._write(each, given, line, live)
        elif name == "os-net-config-sriov":
            self._os_net_config(rest, line, live)
        elif name in self.functions:
            self._call(name, rest, live)
        elif name in ("set", "shift", "trap", "umask", "sleep", "echo", "printf", "logger"):
            pass
        else:
            return self._program(name, words, line, live)
        return DONE

    def _stop(self, how: str, live: Verdict) -> None:
        """What comes after it in the script, the function, the loop or its round does not run."""
        ends = {
            "exit": ("script",),
            "return": ("function", "script"),
            "break": ("loop",),
            "continue": ("round", "loop"),
        }[how]
        for place in range(len(self.stops) - 1, -1, -1):
            kind, verdict = self.stops[place]
            if kind in ends:
                self.stops[place] = (kind, verdict | live)
                return

    def _call(self, name: str, rest: list[Value], live: Verdict) -> None:
        if len(self.stops) > 20:
            raise NotUnderstood
        before, self.arguments = self.arguments, tuple(rest)
        self.stops.append(("function", NO))
        self.script(self.functions[name].branches[0][1], live)
        self.stops.pop()
        self.arguments = before

    def _program(self, name: str, words: list[Value], line: int, live: Verdict) -> Status:
        rest = words[1:]
        if name == "eval":
            text = " ".join(each.text for each in rest)
            return self._inner(text, line, rest[1:], live) if all(each.known for each in rest) else (UNKNOWN, UNKNOWN)
        if name in SHELLS:
            options = [each for each in rest if each.text.startswith("-")]
            others = [each for each in rest if not each.text.startswith("-")]
            if any("c" in each.text.lstrip("-") for each in options) and others:
                return self._inner(others[0].text, line, others[2:], live & (YES if others[0].known else UNKNOWN))
            return self._file(others[0], others[1:], live) if others else DONE
        if name in (".", "source") and rest:
            return self._file(rest[0], self.arguments or (), live, sourced=True)
        if name not in READERS and any(MENTION.search(each.text) for each in rest):
            target = next(each.text for each in rest if MENTION.search(each.text))
            self.found.append(Write(self.path, line, Value(path_in(target), False), None, UNKNOWN))
        if words[0].text.startswith("/") and words[0].known:
            return self._file(words[0], rest, live)
        asks = name in ASK or (name == "systemctl" and any(each.text.startswith("is-") for each in rest))
        return (UNKNOWN, UNKNOWN) if asks else DONE

    def _inner(self, text: str, line: int, arguments: Sequence[Value], live: Verdict) -> Status:
        if self.depth >= DEEPEST:
            return UNKNOWN, UNKNOWN
        self.depth += 1
        try:
            return self.script_text(text, self.path, line, arguments, live)
        finally:
            self.depth -= 1

    def _file(self, path: Value, arguments: Sequence[Value], live: Verdict, sourced: bool = False) -> Status:
        if self.depth >= DEEPEST or not path.known or path.text.startswith(("/dev/", "/proc/", "/sys/")):
            return DONE
        text = self.view.text(path.text)
        if text is None or not (sourced or worth(text)):
            return DONE
        self.depth += 1
        try:
            return self.script_text(text, path.text, 1, list(arguments), live)
        finally:
            self.depth -= 1

    def _os_net_config(self, rest: list[Value], line: int, live: Verdict) -> None:
        """`-n INTERFACE:NUMBER`, of os-net-config's own udev rules."""
        for option, each in pairwise(rest):
            if option.text == "-n":
                name, _, number = each.text.partition(":")
                target = Value(f"/sys/class/net/{name}/device/{NUMBER_FILES[0]}", each.known)
                self.found.append(Write(self.path, line, target, parse_int(number), live, "os-net-config"))

    # --- what commands say
    def _output(self, each: Command) -> Value:
        if not isinstance(each, Simple):
            return Value("", False)
        said = echoed([value for word in each.words for value in fields(word, self.scope())])
        return said or Value("", False)

    def _said(self, text: str) -> Value:
        """The output of $( ): of echo, basename, and of a look at the number of VFs, which is 0 when a node boots."""
        words = text.replace("<", " cat ", 1).split() if text.lstrip().startswith("<") else text.split()
        if len(words) == 2 and words[0] in ("cat", "basename", "dirname", "echo") and not set(text) & set("|;&"):
            value = single(words[1], self.scope())
            if words[0] == "cat":
                return Value("0", True) if is_number_file(value.text) else Value("*", False)
            if words[0] == "echo":
                return value
            return Value(
                base(value.text) if words[0] == "basename" else value.text.rstrip("/").rpartition("/")[0], value.known
            )
        numbers = re.fullmatch(r"\s*seq\s+(\d{1,3})(?:\s+(\d{1,3}))?\s*", text)
        if numbers:
            low, high = (int(numbers[1]), int(numbers[2])) if numbers[2] else (1, int(numbers[1]))
            return Value(" ".join(str(each) for each in range(low, high + 1)))
        return Value("*", False)

    def _asks(self, each: Command) -> bool:
        return isinstance(each, Simple) and bool(each.words) and base(each.words[0]) in ASK
