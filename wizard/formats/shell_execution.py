"""A shell script run on paper: what is certain of its variables, and where it would end (dash, eval.c).

Under `set -e` a command that fails ends the shell where nothing asks for its result (POSIX.1, set), so each command is asked for its
status: success, failure, or not to be told. What may be done or not is tried on a copy, for the sake of whether it may end the shell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from wizard.formats import shell_commands
from wizard.formats.shell_builtins import Builtins
from wizard.formats.shell_expansion import Status
from wizard.formats.shell_found import DiesError, ReturnError
from wizard.formats.shell_lexer import Lexer, ShellSyntaxError, UnclearError
from wizard.formats.shell_maybe import direct, plain_name, single
from wizard.formats.shell_parser import Parser
from wizard.formats.shell_tree import AndOr, Block, Command, Pipeline, Redirect, Simple

REFUSES, ENDS = "sh refuses the file", "sh ends there"
MOST_COPIES = 500
"""Copies of the variables that are made for one set of files: what is nested or called oftener is not followed."""


class Execution(Builtins):
    """The variables of a shell that reads one file after the other."""

    def read(self, path: str, content: bytes) -> None:
        """Read one file to its end, or to where a shell would end."""
        self.path, self.maybe_left, self.status = path, "", True
        if b"\0" in content:
            self._anything(content[: content.index(b"\0")].count(b"\n") + 1, "a NUL byte")
            return
        lexer = Lexer(content.decode("utf-8", "surrogateescape"), self.dash)
        try:
            self._read_commands(Parser(lexer).complete_commands())
        except ShellSyntaxError as error:
            self._end(error.line, f"{error.reason}: {REFUSES}")
        except UnclearError as error:
            self._anything(error.line, f"{error.reason}: it is not evaluated here")
        except DiesError as error:
            quote = f" (the quote of line {lexer.swallowed} ends on another line)" if lexer.swallowed else ""
            self._end(error.line, f"{error.reason}{quote}: {ENDS}")
        except RecursionError:
            self._anything(lexer.line, "it is nested too deep to be evaluated")

    def _read_commands(self, commands: Iterable[AndOr]) -> None:
        """The file is a command itself, `.`: with the status of its last one, and nothing asks for it."""
        line = 1
        status: Status = True
        try:
            for and_or in commands:
                line = _line(and_or.pipelines[-1].commands[0])
                status = self._and_or(and_or, guarded=False)
        except ReturnError as error:
            line, status = error.line, error.status
        self._judge(
            status, False, line, "this is the last command that is done, and it fails", "the file's last status"
        )

    def _end(self, line: int, reason: str) -> None:
        self._anything(line, reason)
        if not self.maybe_left:
            self.fatal = self.found[-1]

    # commands: each gives whether it succeeds

    def _judge(self, status: Status, guarded: bool, line: int, failed: str, perhaps: str) -> None:
        """What `set -e` makes of a status."""
        if status is True or guarded or self.errexit is False:
            return
        if status is False and self.errexit and self.may_end is None and not self.maybe_left:
            raise DiesError(failed, line)
        self._perhaps_ends(line, perhaps)

    def _list(self, commands: Iterable[AndOr], guarded: bool) -> Status:
        status: Status = True
        for and_or in commands:
            status = self._and_or(and_or, guarded)
        return status

    def _and_or(self, and_or: AndOr, guarded: bool) -> Status:
        if and_or.background:
            self.status = True
            return True  # a shell of its own
        last = len(and_or.pipelines) - 1
        status = self._pipeline(and_or.pipelines[0], guarded or last > 0)
        for number, (operator, pipeline) in enumerate(zip(and_or.operators, and_or.pipelines[1:], strict=True), 1):
            if status is None:
                self._perhaps(single(pipeline), "a condition")
                tried = self._tried(_of_pipeline(pipeline, guarded or number < last), operator == "&&")
                status = True if operator == "||" and tried else None
            elif status is (operator == "&&"):
                self.status = status
                status = self._pipeline(pipeline, guarded or number < last)
        self.status = status
        return status

    def _pipeline(self, pipeline: Pipeline, guarded: bool) -> Status:
        line, guarded = _line(pipeline.commands[-1]), guarded or pipeline.negated
        if len(pipeline.commands) > 1:  # each in a shell of its own
            status = self._apart(_of_command(pipeline.commands[-1], guarded))
        else:
            status = self._command(pipeline.commands[0], guarded)
        if (
            len(pipeline.commands) > 1
            or not isinstance(pipeline.commands[0], Block)
            or _may_fail_block(pipeline.commands[0])
        ):
            what = "its command substitution" if _only_assigns(pipeline.commands[-1]) else "this command"
            self._judge(status, guarded, line, f"{what} fails", f"{what} may fail")
        status = (not status if status is not None else None) if pipeline.negated else status
        self.status = status
        return status

    def _command(self, command: Command, guarded: bool) -> Status:
        if isinstance(command, Simple):
            return self._simple(command, guarded)
        if command.kind == "function":
            self.functions[command.name] = command
            self._perhaps(direct(command.lists[0]), "a function", defined=True)
            return True
        for redirect in command.redirects:
            self._effects(redirect.target.parts, command.line)
        if command.kind == "subshell":
            status = self._apart(_of_list(command.lists[0], guarded))
            return None if status and _may_fail(command.redirects) else status
        if command.kind == "group" and not _may_fail(command.redirects):
            return self._list(command.lists[0], guarded)
        words = {"if": "a condition", "case": "a condition", "while": "a loop", "for": "a loop"}
        if command.kind == "for" and command.name in self.read_only:
            self._perhaps_ends(command.line, f"{command.name} is read only")
        self._perhaps([command], words.get(command.kind, "a condition"))
        return self._bodies(command, guarded)

    def _bodies(self, block: Block, guarded: bool) -> Status:
        """Each list of a compound command, tried; True where whatever is done ends well."""
        status: Status = None if _may_fail(block.redirects) else True
        for number, commands in enumerate(block.lists):
            last_else = block.kind == "if" and number == len(block.lists) - 1 and number % 2 == 0
            asked = block.kind in ("if", "while") and number % 2 == 0 and not last_else
            tried = self._tried(_of_list(commands, guarded or asked), None if last_else else True)
            status = status if asked or tried else None
        return status

    # copies

    def _tried(self, do: Callable[[Execution], Status], before: Status) -> Status:
        """The status of commands that may be done, once; `before` is that of the command before them."""
        copy = self.paper()
        copy.status = before
        line, reason = 0, ""
        try:
            status = None if self.papers[0] > MOST_COPIES else do(copy)
        except DiesError as error:
            line, reason, status = error.line, error.reason, None
        except ReturnError as error:
            status = error.status
            if not status and not self.calling:
                line, reason = error.line, "the file may be left with a failure"
            copy.returns = copy.returns or not status
        self.returns = copy.returns
        if self.papers[0] > MOST_COPIES:
            line, reason = self.found[-1].line if self.found else 1, "this is too much to be followed"
        if line:
            self._perhaps_ends(line, reason)
        elif copy.may_end is not None:
            self._perhaps_ends(copy.may_end.line, copy.may_end.reason.partition(": ")[2])
        return status

    def _apart(self, do: Callable[[Execution], Status]) -> Status:
        """The status of commands in a shell of their own."""
        if self.papers[0] > MOST_COPIES:
            return None
        copy = self.paper(apart=True)
        try:
            status = do(copy)
        except (DiesError, ReturnError) as error:
            status = error.status
        return None if copy.may_end is not None and status else status

    def _substitution(self, inner: tuple[AndOr, ...]) -> Status:
        outer, self.substituting = self.substituting, True
        status = self._apart(_of_list(inner, False))
        self.substituting = outer
        return status

    def _called(self, command: Simple, name: str, guarded: bool) -> Status:
        """A function."""
        self._perhaps([command], "a function")
        if name in self.calling:
            self._perhaps_ends(command.line, "a function that calls itself")
            return None
        outer, self.calling = self.calling, (*self.calling, name)
        outer_arguments, self.no_arguments = self.no_arguments, False
        outer_returns, self.returns = self.returns, False
        status = self._tried(_of_list(self.functions[name].lists[0], guarded), self.status)
        if self.returns and status:
            status = None  # somewhere on the way it may have returned with a failure
        self.calling, self.no_arguments, self.returns = outer, outer_arguments, outer_returns
        return status

    # simple commands

    def _simple(self, command: Simple, guarded: bool) -> Status:
        self.substituted = True
        for word in command.words:
            self._effects(word.parts, word.line)
        for redirect in command.redirects:
            self._effects(redirect.target.parts, command.line)
        name = _name(command)
        if name in shell_commands.SPECIAL and _may_fail(command.redirects):
            self._perhaps_ends(command.line, f"{name} ends it where its redirection fails")
        elif _may_fail(command.redirects) and guarded:
            self._perhaps([command], "a condition")
            return None
        if not command.words:
            self.substituted = True
            for assigned in command.assignments:
                self._set(assigned)
            return None if _may_fail(command.redirects) else self.substituted
        for assigned in command.assignments:
            self._writable(assigned.name, assigned.line)
            self._effects(assigned.value, assigned.line)
            if name is None or name in shell_commands.SPECIAL or name in self.functions:
                self._unknown(assigned.name, assigned.line, "whether it stays set is not the same in all shells")
        if name is None:
            self._anything(command.line, "a command whose name only a running shell knows")
            self._perhaps_ends(command.line, "a command whose name only a running shell knows")
            return None
        status = self._named(name, command, guarded)
        sure = name in shell_commands.SPECIAL or not _may_fail(command.redirects)
        return status if sure or status is False else None

    def _named(self, name: str, command: Simple, guarded: bool) -> Status:
        arguments, line = command.words[1:], command.line
        if name in shell_commands.SPECIAL:
            return self._special(name, command)
        if name in self.functions:
            return self._called(command, name, guarded)
        if name in ("true", "echo", "false"):
            return name != "false"
        if name in ("test", "["):
            return self._test([*arguments], name)
        if name == "local":
            return self._local(command)
        if name == "read" and all(plain_name(word) or word.raw == "-r" for word in arguments):
            for word in arguments:
                if word.raw != "-r":
                    self._unknown(word.raw, word.line, "the command read may change it")
            return None
        if name in ("cd", "chdir"):
            for changed in ("PWD", "OLDPWD"):
                self._unknown(changed, line, "the command cd changes it")
            return None
        if name == "printf" and not (arguments and arguments[0].raw.startswith("-")):
            return self._answers(name, arguments, line)
        if name == "command" and (not arguments or arguments[0].raw in ("-v", "-V")):
            return None if arguments else True
        if name in shell_commands.QUIET:
            return self._answers(name, arguments, line)
        return self._other(name, command, guarded)

    def _local(self, command: Simple) -> Status:
        if not self.calling and self.dash:
            raise DiesError("local outside of a function", command.line)
        self._anything(command.line, "the command local may change it")
        return True if self.calling and all(plain_name(word) for word in command.words[1:]) else None

    def _other(self, name: str, command: Simple, guarded: bool) -> Status:
        line = command.line
        missing = self._missing(name)
        if missing:
            sure = not name.startswith("~") and not self.substituting
            if (
                sure
                and not guarded
                and not self.maybe_left
                and not self._may_be_defined()
                and self.errexit
                and self.may_end is None
            ):
                raise DiesError(missing, line)
            self._anything(line, missing)
            return None
        if self._is_program(name):
            return self._answers(name, command.words[1:], line)
        appended = re.fullmatch(r"([A-Za-z_]\w*)\+=.*", name, re.DOTALL | re.ASCII)
        if appended:
            self._unknown(appended[1], line, "+= is not evaluated here")
            return None
        self._anything(line, f"the command {name[:40]} may change it")
        if any(word.literal is None or word.raw in shell_commands.SPECIAL for word in command.words[1:2]):
            self._perhaps_ends(line, f"the command {name} may end it")  # `command exec`, `builtin exit`
        return None


def _name(command: Simple) -> str | None:
    """What a shell looks for; None where only a running one knows it."""
    if not command.words:
        return None
    first = command.words[0]
    if first.literal is None and first.parts[0].kind == "literal" and "=" in first.parts[0].text:
        return first.raw  # no program has such a name
    return first.literal


def _of_list(commands: tuple[AndOr, ...], guarded: bool) -> Callable[[Execution], Status]:
    return lambda shell: shell._list(commands, guarded)


def _of_pipeline(pipeline: Pipeline, guarded: bool) -> Callable[[Execution], Status]:
    return lambda shell: shell._pipeline(pipeline, guarded)


def _of_command(command: Command, guarded: bool) -> Callable[[Execution], Status]:
    return lambda shell: shell._command(command, guarded)


def _may_fail(redirects: Iterable[Redirect]) -> bool:
    """Whether a redirection may fail, so that the command is not done."""
    return any(not _sure(each) for each in redirects)


def _sure(redirect: Redirect) -> bool:
    target = redirect.target.raw
    if redirect.operator.startswith("<<"):
        return True
    if redirect.operator in ("<&", ">&"):
        return target in ("0", "1", "2", "-")
    return target == "/dev/null" or (target in shell_commands.EVERYWHERE and redirect.operator == "<")


def _may_fail_block(block: Block) -> bool:
    """Whether a compound command has a status that `set -e` judges: of a shell of its own, or of its redirections."""
    return block.kind == "subshell" or _may_fail(block.redirects)


def _only_assigns(command: Command) -> bool:
    """Whether the status is that of a command substitution in a value."""
    return isinstance(command, Simple) and not command.words and not _may_fail(command.redirects)


def _line(command: Command) -> int:
    return command.line
