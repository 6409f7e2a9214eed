"""Lines out, lines in: all that the plain face needs of a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TextIO, TypeAlias

from wizard.model.questions import Choice
from wizard.safe_text import safe_text
from wizard.user_files import output_gone


class Command(Enum):
    """What can be typed instead of an answer."""

    HELP = "?"
    BACK = "b"
    PLAN = "p"
    LEAVE = "q"


Select: TypeAlias = Callable[[str, Sequence[Choice], Any], Any]
"""Chooses with arrow keys: the question, the choices, the value now; gives a value or a Command."""

WIDEST = 100
NUMBER = re.compile(r"\b([0-9]+) (?=\S)")
"""What a number counts, or the choice that it stands for, is not to be on another line."""
BOUND = "\xa0"  # never in printable text


class Ended(Exception):
    """There is no more input, or nobody who reads what is said."""


class Talk:
    """Says and asks. What is typed is repeated where no terminal echoes it, so that a log reads well."""

    def __init__(self, source: TextIO, target: TextIO, columns: int = 80, select: Select | None = None) -> None:
        self._source, self._target, self.select = source, target, select
        self._width = min(columns - 1, WIDEST)
        self.on_terminal = source.isatty()
        self.unheard = False  # whether whoever read what is said has gone

    def say(self, text: str, indent: str = "") -> None:
        """Say lines; long ones are wrapped between words, and go on two columns further in."""
        self._put(f"{self._wrapped(text, indent)}\n")

    def _put(self, text: str) -> None:
        """Raises Ended where nobody reads any more (`| head`): nobody would answer either; OutputError where it cannot be written.
        What is said after that goes nowhere.
        """
        try:
            self._target.write(text)
            self._target.flush()
        except OSError as error:
            self.unheard = True
            output_gone(self._target, error)
            raise Ended from None

    def _wrapped(self, text: str, indent: str = "") -> str:
        lines: list[str] = []
        for line in NUMBER.sub(f"\\1{BOUND}", safe_text(text)).split("\n"):
            lead = indent + line[: len(line) - len(line.lstrip())]
            lines += textwrap.wrap(
                line.strip(),
                max(20, self._width),
                initial_indent=lead,
                subsequent_indent=f"{lead}  ",
                break_long_words=False,
                break_on_hyphens=False,
            ) or [""]
        return "\n".join(lines).replace(BOUND, " ")

    def say_as_it_is(self, text: str) -> None:
        """Say lines that are not to be wrapped, such as a diff."""
        self._put(safe_text(text).rstrip("\n") + "\n")

    def ask(self, prompt: str) -> str:
        """One line, without spaces around it. Raises Ended where there is none."""
        self._put(f"{self._wrapped(prompt)} ")
        line = self._source.readline()
        if not line.endswith("\n") or not self.on_terminal:
            self._put(f"{safe_text(line.strip())}\n")
        if not line:
            raise Ended
        return line.strip()


def literal(text: str) -> str:
    """What stands in double quotes stands for itself: "b" is no command, and "" is empty."""
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text
