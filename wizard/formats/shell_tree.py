"""The pieces of a shell script: words, and the commands that they make (POSIX.1, Shell Command Language)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from wizard.dataclass import dataclass

PartKind = Literal["literal", "parameter", "substitution", "arithmetic", "unclear", "bad"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word. `text` is the literal, the parameter's name, or what is unclear or bad about it; `word` follows the
    operator of `${name:-word}`; `inner` are the commands of a substitution. The operator of arithmetic has = where it sets
    something and ? where a shell may refuse it; what is unclear has ? where it ends a shell if the variable is not set."""

    kind: PartKind
    text: str
    quoted: bool = False
    operator: str = ""
    word: tuple[Part, ...] = ()
    inner: tuple[AndOr, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `raw` is its text as it stands; lines count from 1."""

    parts: tuple[Part, ...]
    raw: str
    line: int
    last_line: int

    @property
    def literal(self) -> str | None:
        """The text of a word that needs no expansion; None of another one."""
        return "".join(part.text for part in self.parts) if all(part.kind == "literal" for part in self.parts) else None

    @property
    def bare(self) -> str:
        """The text of a word without any quote: what may be a reserved word. Empty for another one."""
        plain = self.raw.replace("\\\n", "")
        return plain if len(self.parts) == 1 and self.parts[0].text == plain else ""


@dataclass(frozen=True, slots=True)
class Assigned:
    """NAME=value before a command, or on its own."""

    name: str
    value: tuple[Part, ...]
    line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Redirect:
    operator: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command: assignments, words, redirections."""

    assignments: tuple[Assigned, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    negated: bool
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class AndOr:
    """Pipelines with && or || between them; `operators` has one less. `background` stands for a & at the end."""

    pipelines: tuple[Pipeline, ...]
    operators: tuple[str, ...]
    background: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A compound command: its lists in their order. A function's `name` is its own, a loop's the variable it sets."""

    kind: Literal["if", "while", "for", "case", "group", "subshell", "function"]
    lists: tuple[tuple[AndOr, ...], ...]
    line: int
    name: str = ""
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


Command = Simple | Block


def commands_in(lists: tuple[AndOr, ...]) -> Iterator[Command]:
    """Every command of a list, those inside of others and of substitutions too."""
    for and_or in lists:
        for pipeline in and_or.pipelines:
            for command in pipeline.commands:
                yield command
                for inner in command.lists if isinstance(command, Block) else ():
                    yield from commands_in(inner)
                yield from _substituted(parts_of(command))


def _substituted(parts: Iterable[Part]) -> Iterator[Command]:
    for part in parts:
        yield from commands_in(part.inner)
        yield from _substituted(part.word)


def parts_of(command: Command) -> Iterator[Part]:
    """The pieces of all words that belong to the command itself, its redirections' too."""
    for assigned in command.assignments if isinstance(command, Simple) else ():
        yield from assigned.value
    for word in (*command.words, *(each.target for each in command.redirects)):
        yield from word.parts
