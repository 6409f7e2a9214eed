"""The pieces of a shell script: words, and the commands that they make (POSIX.1, Shell Command Language)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PartKind = Literal["literal", "parameter", "substitution", "arithmetic", "unclear", "bad"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word. `text` is the literal, the parameter's name, or what is unclear or bad about it; `word` follows the
    operator of `${name:-word}`."""

    kind: PartKind
    text: str
    quoted: bool = False
    operator: str = ""
    word: tuple[Part, ...] = ()


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
    """Every command of a list, those inside of others too."""
    for and_or in lists:
        for pipeline in and_or.pipelines:
            for command in pipeline.commands:
                yield command
                if isinstance(command, Block):
                    for inner in command.lists:
                        yield from commands_in(inner)
