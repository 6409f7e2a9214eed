"""Commands of which it is not known whether, or how often, they are done: what they may leave behind."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wizard.formats import shell_commands
from wizard.formats.shell_expansion import Expansion, set_by
from wizard.formats.shell_lexer import NAME
from wizard.formats.shell_parser import assignment
from wizard.formats.shell_tree import AndOr, Block, Command, Part, Pipeline, Simple, Word, parts_of


class Maybe(Expansion):
    """What conditions, loops and functions may set."""

    def _perhaps(
        self, commands: Iterable[Command], where: str, defined: bool = False, seen: frozenset[str] = frozenset()
    ) -> None:
        """Commands of which it is not known whether, or how often, they are done. `defined`: not now, but when they are called."""
        reason = f"set in {where}"
        for command in commands:
            if isinstance(command, Block):
                self._perhaps_block(command, reason, where, defined, seen)
                continue
            for assigned in command.assignments:
                self._perhaps_set(assigned.name, assigned.line, reason, defined)
            for part in parts_of(command):
                self._perhaps_part(part, command.line, reason, defined)
            if command.words:
                self._perhaps_named(command, reason, where, defined, seen)

    def _perhaps_block(self, block: Block, reason: str, where: str, defined: bool, seen: frozenset[str]) -> None:
        if block.kind == "function":
            self.functions[block.name] = block
        if block.kind == "for":
            self._perhaps_set(block.name, block.line, reason, defined)
        for part in parts_of(block):
            self._perhaps_part(part, block.line, reason, defined)
        for inner in block.lists if block.kind != "subshell" else ():
            self._perhaps(direct(inner), where, defined, seen)

    def _perhaps_part(self, part: Part, line: int, reason: str, defined: bool) -> None:
        for name in set_by([part]):
            self._perhaps_set(name, line, reason, defined)
        where = reason.removeprefix("set in ")
        ends = part.kind == "bad" or part.operator.endswith("?")
        if part.kind == "arithmetic" and "=" in part.operator:
            self._anything(line, f"an expansion in {where}")
        if ends and not defined:
            self._perhaps_ends(line, f"an expansion in {where}")

    def _perhaps_set(self, name: str, line: int, reason: str, defined: bool) -> None:
        if name in self.read_only and not defined:
            self._perhaps_ends(line, f"{name} is read only, and {reason}")
        self._unknown(name, line, reason)

    def _perhaps_named(self, command: Simple, reason: str, where: str, defined: bool, seen: frozenset[str]) -> None:
        name, line = command.words[0].literal, command.line
        inside = where == "a function"
        if name is not None and name in self.functions and name not in seen and name not in shell_commands.SPECIAL:
            if not defined:
                self._perhaps(direct(self.functions[name].lists[0]), "a function", False, seen | {name})
        elif name in ("export", "unset", "read", "local") and all(
            assignment(w) or plain_name(w) or w.raw == "-r" for w in command.words[1:]
        ):
            for word in command.words[1:]:
                assigned = assignment(word)
                if assigned is not None or name != "export":
                    self._perhaps_set(assigned.name if assigned is not None else word.raw, line, reason, defined)
        elif name == "return":
            if not inside:
                self.maybe_left = f"{self.path} may be left at line {line}"
        elif defined and name != "readonly":
            return  # it counts when it is called
        elif name is None or name in ("exit", "exec", "readonly", "set") or name in seen:
            self._anything(line, f"the command {name or command.words[0].raw[:40]} in {where}")
            if name in ("exit", "exec", "readonly"):
                self._perhaps_ends(line, f"the command {name} in {where}")
        elif (
            name in ("true", "false", ":", "echo", "test", "[", "break", "continue", "printf", "cd")
            or name in shell_commands.QUIET
        ):
            return
        elif not self._is_program(name):
            self._anything(line, self._missing(name) or f"the command {name[:40]} may change it")

    # what a name means

    def _missing(self, name: str) -> str:
        """Why a shell finds no such command, as a part of a sentence; empty where it may."""
        if name in shell_commands.BUILT_IN:
            return ""
        if re.match(r"[A-Za-z_]\w*\+=", name, re.ASCII):
            return "+= is no assignment for dash" if self.dash else ""
        if self._is_program(name):
            return ""
        if not self.dash and name in shell_commands.BASH_ONLY:
            return ""
        if name.endswith("\r") or name == "\r":
            return "DOS line ends: the carriage return is taken for a part of a command"
        if name.startswith("\ufeff"):
            return "the file begins with a byte order mark, which is taken for a part of a command"
        return f"{name[:40]!r} is no command here"

    def _is_program(self, name: str) -> bool:
        if name in shell_commands.BUILT_IN:
            return False
        odd = re.search(r"[=\s]", name) is not None
        return (name.startswith("/") and not odd) or name in shell_commands.PROGRAMS or name in self.programs

    def _may_be_defined(self) -> bool:
        """Whether a file that was not read here may have made functions, aliases or another PATH."""
        return self.any_unknown or "PATH" in self.values


def direct(commands: Iterable[AndOr]) -> Iterable[Command]:
    """The commands of a list that are done in this very shell."""
    for and_or in commands:
        for pipeline in () if and_or.background else and_or.pipelines:
            yield from single(pipeline)


def single(pipeline: Pipeline) -> Iterable[Command]:
    """The command of a pipeline that is done in this very shell."""
    return pipeline.commands if len(pipeline.commands) == 1 else ()


def plain_name(word: Word) -> bool:
    """Whether a word is a variable's name, and nothing around it."""
    return NAME.fullmatch(word.raw) is not None
