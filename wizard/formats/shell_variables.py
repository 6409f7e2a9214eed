"""/etc/default/grub and its drop-ins: scripts of a POSIX shell, evaluated here and never executed.

A value is certain, or it is *unknown* with its file and line: never a guess. What a condition, a loop or a function sets, what
another file or a program could say, is unknown. Where a shell ends before the end (grub-mkconfig runs under `#!/bin/sh` with
`set -e`), that is `fatal`. Where it may end, nothing is certain from there on: a command that may fail where nothing asks for its
result, an error in a special built-in utility, a file whose last command may fail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from wizard.dataclass import dataclass
from wizard.formats.shell_execution import Execution
from wizard.formats.shell_found import ANY, Assignment
from wizard.formats.shell_lexer import Lexer, ShellSyntaxError, UnclearError
from wizard.formats.shell_parser import Parser
from wizard.formats.shell_tree import Simple, commands_in

__all__ = ["Assignment", "Evaluation", "Source", "evaluate", "program_names"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file, in the order in which they are sourced."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All assignments in their order; the last one of a name counts. `fatal` is where a shell ends, whatever it was told to do
    afterwards; None where nothing is known that would end it."""

    assignments: tuple[Assignment, ...]
    fatal: Assignment | None = None

    def layers(self, name: str) -> tuple[Assignment, ...]:
        """Every assignment of a name, in order; those after which any name may have another value are among them."""
        return tuple(each for each in self.assignments if each.name in (name, ANY))

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
            place = max(at for at, each in enumerate(self.assignments[:place]) if each.name in (wanted, ANY))
            found = self.assignments[place]
            before = self.assignments[place - 1] if place else found
            here = (before.path, before.line) == (found.path, found.line) and before.value is None
            if found.name == ANY and here and not before.depends_on:
                place, found = place - 1, before  # what is unknown there goes before what it may also end by
        return str(found)


def evaluate(
    sources: Sequence[Source], *, dash: bool = True, programs: Collection[str] = (), errexit: bool = True
) -> Evaluation:
    """Evaluate files one after the other. Never raises: what is not understood is unknown.

    `dash` is false where another shell reads them: what dash refuses is unknown then. `programs` are names of programs that are
    known to be there, beside the usual ones. `errexit`: they are read under `set -e`, as grub-mkconfig does.
    """
    return _evaluated(tuple(sources), dash, frozenset(programs), errexit)


@lru_cache(maxsize=32)  # a plan asks some fifty times, of three or four sets of files
def _evaluated(sources: tuple[Source, ...], dash: bool, programs: frozenset[str], errexit: bool) -> Evaluation:
    execution = Execution(dash, programs, errexit)
    for source in sources:
        execution.read(source.path, source.content)
        if execution.fatal is not None:
            break
    return Evaluation(tuple(execution.found), execution.fatal)


def program_names(source: Source) -> frozenset[str]:
    """The first words of all commands that a file holds, as far as it can be read."""
    return frozenset(_first_words(source))


def _first_words(source: Source) -> Iterator[str]:
    try:
        for and_or in Parser(Lexer(source.content.decode("utf-8", "surrogateescape"), dash=True)).complete_commands():
            for command in commands_in((and_or,)):
                if isinstance(command, Simple) and command.words and command.words[0].literal:
                    yield command.words[0].literal
    except (ShellSyntaxError, UnclearError):
        return
