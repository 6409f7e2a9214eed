"""A shell script run on paper: what is certain of its variables, and where it would end (dash, eval.c and expand.c)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from wizard.formats import shell_commands
from wizard.formats.shell_found import ANY, Assignment, DiesError, ReturnError, UnknownError
from wizard.formats.shell_lexer import NAME, Lexer, ShellSyntaxError, UnclearError
from wizard.formats.shell_parser import Parser, assignment
from wizard.formats.shell_tree import AndOr, Assigned, Block, Command, Part, Pipeline, Redirect, Simple, Word

REFUSES, ENDS = "sh refuses the file", "sh ends there"
Status = bool | None
"""Whether a command succeeds; None where that cannot be told."""


class Execution:
    """The variables of a shell that reads one file after the other."""

    def __init__(self, dash: bool, programs: Collection[str]) -> None:
        self.dash, self.programs = dash, programs
        self.values: dict[str, str | None] = {}
        self.found: list[Assignment] = []
        self.fatal: Assignment | None = None
        self.any_unknown = False
        self.read_only: set[str] = set()
        self.functions: dict[str, Block] = {}
        self.path = ""
        self.maybe_left = ""  # why the rest of this file may not be read

    def read(self, path: str, content: bytes) -> None:
        """Read one file to its end, or to where a shell would end."""
        self.path, self.maybe_left = path, ""
        if b"\0" in content:
            self._anything(content[: content.index(b"\0")].count(b"\n") + 1, "a NUL byte")
            return
        lexer = Lexer(content.decode("utf-8", "surrogateescape"), self.dash)
        try:
            for and_or in Parser(lexer).complete_commands():
                self._and_or(and_or, guarded=False)
        except ReturnError:
            pass
        except ShellSyntaxError as error:
            self._end(error.line, f"{error.reason}: {REFUSES}")
        except UnclearError as error:
            self._anything(error.line, f"{error.reason}: it is not evaluated here")
        except DiesError as error:
            quote = f" (the quote of line {lexer.swallowed} ends on another line)" if lexer.swallowed else ""
            self._end(error.line, f"{error.reason}{quote}: {ENDS}")
        except RecursionError:
            self._anything(lexer.line, "it is nested too deep to be evaluated")

    # what is found

    def _end(self, line: int, reason: str) -> None:
        self._anything(line, reason)
        if not self.maybe_left:
            self.fatal = self.found[-1]

    def _anything(self, line: int, reason: str) -> None:
        """Any variable may be another one from here on."""
        self.values.clear()
        self.any_unknown = True
        self.found.append(Assignment(ANY, None, self.path, line, line, reason))

    def _unknown(self, name: str, line: int, reason: str, depends_on: str = "", last_line: int = 0) -> None:
        self.values[name] = None
        self.found.append(Assignment(name, None, self.path, line, last_line or line, reason, depends_on))

    def _set(self, assigned: Assigned, splits: bool = False) -> None:
        """NAME=value. `splits`: an older dash cuts what a parameter brings into words (export and readonly)."""
        name, line = assigned.name, assigned.line
        if name in self.read_only:
            raise DiesError(f"{name} is read only", line)
        try:
            value = self.expanded(assigned.value, line)
            bare = any(part.kind == "parameter" and not part.quoted for part in assigned.value)
            if splits and bare and re.search(r"[\s*?\[]", value):
                raise UnknownError("some shells cut this into words")
        except UnknownError as error:
            self._unknown(name, line, str(error), error.depends_on, assigned.last_line)
            return
        self._hold(name, value, line, assigned.last_line)

    def _hold(self, name: str, value: str, line: int, last_line: int) -> None:
        if self.maybe_left:
            self._unknown(name, line, self.maybe_left)
            return
        self.values[name] = value
        self.found.append(Assignment(name, value, self.path, line, last_line, ""))

    # expansion

    def expanded(self, parts: Iterable[Part], line: int) -> str:
        """The text of an assignment's value. Raises UnknownError; assignments of ${name:=word} are made on the way."""
        result, problem, start = "", None, True
        for part in parts:
            try:
                result += self._part(part, start or result.endswith(":"), line)
            except UnknownError as error:
                problem = problem or error
            start = False
        if problem is not None:
            raise problem
        return result

    def _part(self, part: Part, tilde: bool, line: int) -> str:
        if part.kind == "literal":
            if not part.quoted and ((tilde and part.text.startswith("~")) or ":~" in part.text):
                raise UnknownError("~ is a home directory")
            return part.text
        if part.kind == "bad":
            raise DiesError(part.text, line)
        if part.kind == "arithmetic" and part.operator:
            self._anything(line, "arithmetic that sets something")
        if part.kind != "parameter":
            raise UnknownError(part.text)
        return self._parameter(part, line)

    def _parameter(self, part: Part, line: int) -> str:
        name, operator = part.text, part.operator
        value = self._value_of(name)
        there = value is not None and not (operator.startswith(":") and not value)
        if operator.endswith("+"):
            return self.expanded(part.word, line) if there else ""
        if there or not operator:
            return value or ""
        if operator.endswith("?"):
            raise DiesError(f"{name} is not set", line)
        word = self.expanded(part.word, line)
        if operator.endswith("="):
            if name in self.read_only:
                raise DiesError(f"{name} is read only", line)
            self._hold(name, word, line, line)
        return word

    def _value_of(self, name: str) -> str | None:
        """None where it is not set. Raises UnknownError."""
        if name in self.values:
            value = self.values[name]
            if value is None:
                raise UnknownError(f"it depends on {name}, which is unknown", depends_on=name)
            return value
        if self.any_unknown:
            raise UnknownError(f"it depends on {name}, which is unknown", depends_on=name)
        if name in shell_commands.SURROUNDINGS:
            raise UnknownError(f"{name} comes from the shell's surroundings")
        return None

    def _effects(self, parts: Iterable[Part], line: int) -> str | None:
        """Expand a word for what that does; gives its text, None where it is not known."""
        try:
            return self.expanded(parts, line)
        except UnknownError as error:
            for name in _set_by(parts):  # of a value that is not known, ${name:=word} may set it or not
                self._unknown(name, line, str(error), "")
            return None

    # commands: each gives whether it succeeds

    def _list(self, commands: Iterable[AndOr], guarded: bool) -> Status:
        status: Status = True
        for and_or in commands:
            status = self._and_or(and_or, guarded)
        return status

    def _and_or(self, and_or: AndOr, guarded: bool) -> Status:
        if and_or.background:
            return True  # a shell of its own
        last = len(and_or.pipelines) - 1
        status = self._pipeline(and_or.pipelines[0], guarded or last > 0)
        for number, (operator, pipeline) in enumerate(zip(and_or.operators, and_or.pipelines[1:], strict=True), 1):
            if status is None:
                self._perhaps(_commands(pipeline), "a condition")
                status = True if operator == "||" and _always(pipeline) else None
            elif status is (operator == "&&"):
                status = self._pipeline(pipeline, guarded or number < last)
        return status

    def _pipeline(self, pipeline: Pipeline, guarded: bool) -> Status:
        if len(pipeline.commands) > 1:
            return None  # each in a shell of its own
        guarded = guarded or pipeline.negated
        status = self._command(pipeline.commands[0], guarded)
        if status is False and not guarded:
            raise DiesError("this command fails", _line(pipeline.commands[0]))
        return (not status if status is not None else None) if pipeline.negated else status

    def _command(self, command: Command, guarded: bool) -> Status:
        if isinstance(command, Simple):
            return self._simple(command, guarded)
        if command.kind == "function":
            self.functions[command.name] = command
            self._perhaps(_direct(command.lists[0]), "a function", defined=True)
            return True
        if command.kind == "group" and not _may_fail(command.redirects):
            return self._list(command.lists[0], guarded)
        if command.kind == "subshell":
            return None
        words = {"if": "a condition", "case": "a condition", "while": "a loop", "for": "a loop"}
        self._perhaps([command], words.get(command.kind, "a condition"))
        return None

    def _simple(self, command: Simple, guarded: bool) -> Status:
        for word in command.words:
            self._effects(word.parts, word.line)
        if _may_fail(command.redirects) and guarded:
            self._perhaps([command], "a condition")
            return None
        if not command.words:
            for assigned in command.assignments:
                self._set(assigned)
            sure = not command.redirects and not any(_substitutes(each.value) for each in command.assignments)
            return True if sure else None
        first = command.words[0]
        name = first.literal
        if name is None and "=" in first.parts[0].text and first.parts[0].kind == "literal":
            name = first.raw  # no program has such a name
        for assigned in command.assignments:
            self._effects(assigned.value, assigned.line)
            if name is None or name in shell_commands.SPECIAL or name in self.functions:
                self._unknown(assigned.name, assigned.line, "whether it stays set is not the same in all shells")
        if name is None:
            self._anything(command.line, "a command whose name only a running shell knows")
            return None
        return self._named(name, command, guarded)

    def _named(self, name: str, command: Simple, guarded: bool) -> Status:
        arguments, line = command.words[1:], command.line
        if name in self.functions and name not in shell_commands.SPECIAL:
            self._perhaps([command], "a function")
            return None
        if name in (":", "true", "echo", "false", "break", "continue"):
            return name != "false" if not command.redirects or name == ":" else None
        if name in ("export", "readonly"):
            return self._export(name, arguments, line)
        if name in ("test", "["):
            return self._test([*arguments], name)
        if name == "unset" and all(_plain_name(word) for word in arguments):
            for word in arguments:
                self._unset(word.raw, word.line)
            return True
        if name == "set" and all(re.fullmatch(r"-[evx]+", word.raw) for word in arguments):
            return True
        if name == "return":
            raise ReturnError
        if name == "exit" or (name == "exec" and arguments):
            raise DiesError(f"the command {name}", line)
        return self._other(name, command, guarded)

    def _other(self, name: str, command: Simple, guarded: bool) -> Status:
        arguments, line = command.words[1:], command.line
        if name == "read" and all(_plain_name(word) or word.raw == "-r" for word in arguments):
            for word in arguments:
                if word.raw != "-r":
                    self._unknown(word.raw, word.line, "the command read may change it")
            return None
        if name == "cd":
            for changed in ("PWD", "OLDPWD"):
                self._unknown(changed, line, "the command cd changes it")
            return None
        if name == "printf" and not (arguments and arguments[0].raw.startswith("-")):
            return None
        if name == "command" and arguments and arguments[0].raw in ("-v", "-V"):
            return None
        if name == "exec" or name in shell_commands.QUIET:
            return None
        missing = self._missing(name)
        if missing:
            if not guarded and not self.maybe_left and not self._may_be_defined():
                raise DiesError(missing, line)
            self._anything(line, missing)
            return None
        if self._is_program(name):
            return None
        appended = re.fullmatch(r"([A-Za-z_]\w*)\+=.*", name, re.DOTALL | re.ASCII)
        if appended:
            self._unknown(appended[1], line, "+= is not evaluated here")
            return None
        self._anything(line, f"the command {name[:40]} may change it")
        return None

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

    def _export(self, command: str, arguments: Iterable[Word], line: int) -> Status:
        for word in arguments:
            assigned = assignment(word)
            if assigned is not None:
                self._set(assigned, splits=True)
            elif not _plain_name(word):
                self._anything(line, f"the command {command} may change it")
                return None
            if command == "readonly":
                self.read_only.add(assigned.name if assigned is not None else word.raw)
        return True

    def _unset(self, name: str, line: int) -> None:
        if name in self.read_only:
            raise DiesError(f"{name} is read only", line)
        if self.maybe_left or self.any_unknown:
            self._unknown(name, line, self.maybe_left or "it is unset here, or was a function")
            return
        self.functions.pop(name, None)
        self.values.pop(name, None)
        if name in shell_commands.SURROUNDINGS:
            self._unknown(name, line, "it is unset here")
        else:
            self.found.append(Assignment(name, "", self.path, line, line, ""))

    def _test(self, words: list[Word], name: str) -> Status:
        """The few tests of text that need nothing but the values."""
        if name == "[" and (not words or words.pop().raw != "]"):
            return None
        texts: list[str] = []
        for word in words:
            text = self._effects(word.parts, word.line)
            if text is None or any(part.kind == "parameter" and not part.quoted for part in word.parts):
                return None
            texts.append(text)
        if len(texts) == 2 and texts[0] in ("-n", "-z"):
            return bool(texts[1]) == (texts[0] == "-n")
        if len(texts) == 3 and texts[1] in ("=", "!="):
            return (texts[0] == texts[2]) == (texts[1] == "=")
        return None

    # what may be done or not

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
                self._perhaps_set(assigned.name, assigned.line, reason)
            for part in _parts(command):
                self._perhaps_part(part, command.line, reason)
            if command.words:
                self._perhaps_named(command, reason, where, defined, seen)

    def _perhaps_block(self, block: Block, reason: str, where: str, defined: bool, seen: frozenset[str]) -> None:
        if block.kind == "function":
            self.functions[block.name] = block
        if block.kind == "for":
            self._perhaps_set(block.name, block.line, reason)
        for word in block.words:
            for part in word.parts:
                self._perhaps_part(part, block.line, reason)
        for inner in block.lists if block.kind != "subshell" else ():
            self._perhaps(_direct(inner), where, defined, seen)

    def _perhaps_part(self, part: Part, line: int, reason: str) -> None:
        for name in _set_by([part]):
            self._perhaps_set(name, line, reason)
        if part.kind == "bad" or (part.kind == "arithmetic" and part.operator) or part.operator.endswith("?"):
            self._anything(line, f"an expansion in {reason.removeprefix('set in ')}")

    def _perhaps_set(self, name: str, line: int, reason: str) -> None:
        if name in self.read_only:
            self._anything(line, f"{name} is read only, and {reason}")
        else:
            self._unknown(name, line, reason)

    def _perhaps_named(self, command: Simple, reason: str, where: str, defined: bool, seen: frozenset[str]) -> None:
        name, line = command.words[0].literal, command.line
        inside = where == "a function"
        if name is not None and name in self.functions and name not in seen and name not in shell_commands.SPECIAL:
            if not defined:
                self._perhaps(_direct(self.functions[name].lists[0]), "a function", False, seen | {name})
        elif name in ("export", "unset", "read") and all(
            assignment(w) or _plain_name(w) or w.raw == "-r" for w in command.words[1:]
        ):
            for word in command.words[1:]:
                assigned = assignment(word)
                if assigned is not None or name != "export":
                    self._perhaps_set(assigned.name if assigned is not None else word.raw, line, reason)
        elif name == "return":
            if not inside:
                self.maybe_left = f"{self.path} may be left at line {line}"
        elif defined and name != "readonly":
            return  # it counts when it is called
        elif name is None or name in ("exit", "exec", "readonly", "set") or name in seen:
            self._anything(line, f"the command {name or command.words[0].raw[:40]} in {where}")
        elif (
            name in ("true", "false", ":", "echo", "test", "[", "break", "continue", "printf", "cd")
            or name in shell_commands.QUIET
        ):
            return
        elif not self._is_program(name):
            self._anything(line, self._missing(name) or f"the command {name[:40]} may change it")


def _set_by(parts: Iterable[Part]) -> list[str]:
    """Variables that ${name:=word} sets, in words of others too."""
    found: list[str] = []
    for part in parts:
        found += [part.text] if part.kind == "parameter" and part.operator.endswith("=") else []
        found += _set_by(part.word)
    return found


def _parts(command: Simple) -> Iterable[Part]:
    for assigned in command.assignments:
        yield from assigned.value
    for word in command.words:
        yield from word.parts


def _direct(commands: Iterable[AndOr]) -> Iterable[Command]:
    """The commands of a list that are done in this very shell."""
    for and_or in commands:
        for pipeline in () if and_or.background else and_or.pipelines:
            yield from _commands(pipeline)


def _commands(pipeline: Pipeline) -> Iterable[Command]:
    return pipeline.commands if len(pipeline.commands) == 1 else ()


def _always(pipeline: Pipeline) -> bool:
    """Whether a pipeline is one that always succeeds."""
    command = pipeline.commands[0]
    plain = isinstance(command, Simple) and not command.redirects and bool(command.words)
    return plain and not pipeline.negated and len(pipeline.commands) == 1 and command.words[0].literal in (":", "true")


def _substitutes(parts: Iterable[Part]) -> bool:
    return any(part.kind == "substitution" or _substitutes(part.word) for part in parts)


def _plain_name(word: Word) -> bool:
    return NAME.fullmatch(word.raw) is not None


def _may_fail(redirects: Iterable[Redirect]) -> bool:
    """Whether a redirection may fail, so that the command is not done."""
    return any(each.target.raw != "/dev/null" and not each.target.raw.isdigit() for each in redirects)


def _line(command: Command) -> int:
    return command.line
