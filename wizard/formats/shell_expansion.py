"""The variables of a shell that is run on paper, and what its words come to (dash, expand.c and var.c)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from wizard.formats import shell_commands
from wizard.formats.shell_found import ANY, Assignment, DiesError, UnknownError
from wizard.formats.shell_tree import AndOr, Assigned, Block, Part

if TYPE_CHECKING:
    from collections.abc import Collection

Status = bool | None
"""Whether a command succeeds; None where that cannot be told."""
Own = TypeVar("Own", bound="Expansion")


class Expansion:
    """What is certain of the variables, and where a shell would end, or may."""

    def __init__(self, dash: bool, programs: Collection[str], errexit: bool) -> None:
        self.dash, self.programs = dash, programs
        self.errexit: Status = errexit  # `set -e`; None where that cannot be told
        self.values: dict[str, str | None] = {}
        self.found: list[Assignment] = []
        self.fatal: Assignment | None = None
        self.any_unknown = False
        self.read_only: set[str] = set()
        self.functions: dict[str, Block] = {}
        self.calling: tuple[str, ...] = ()  # the functions that are run just now
        self.substituting = False  # inside of $( ): programs there may be ones that nobody has looked for
        self.returns = False  # whether the function that is run may have returned with a failure
        self.no_arguments = True  # $1 and its kin are not set: grub-mkconfig has shifted its own away
        self.path = ""
        self.maybe_left = ""  # why the rest of this file may not be read
        self.may_end: Assignment | None = None  # where the shell may end: nothing after it is certain
        self.status: Status = True  # of the last command
        self.substituted: Status = True  # of the last command substitution
        self.papers = [0]  # how many copies were made, of all copies together

    def paper(self: Own, apart: bool = False) -> Own:
        """A copy that may be run without an effect on this one. `apart`: for a shell of its own, whose end is not this one's."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.values, copy.found, copy.read_only = dict(self.values), list(self.found), set(self.read_only)
        copy.functions = dict(self.functions)
        copy.may_end = None if apart else self.may_end
        self.papers[0] += 1
        return copy

    # what is found

    def _anything(self, line: int, reason: str) -> None:
        """Any variable may be another one from here on."""
        self.values.clear()
        self.any_unknown = True
        self.found.append(Assignment(ANY, None, self.path, line, line, reason))

    def _perhaps_ends(self, line: int, reason: str) -> None:
        """The shell may end here: whatever it would set afterwards is not certain."""
        if self.may_end is None:
            self.may_end = Assignment(ANY, None, self.path, line, line, f"sh may end there: {reason}")
            self.found.append(self.may_end)

    def _unknown(self, name: str, line: int, reason: str, depends_on: str = "", last_line: int = 0) -> None:
        self.values[name] = None
        self.found.append(Assignment(name, None, self.path, line, last_line or line, reason, depends_on))

    def _set(self, assigned: Assigned, splits: bool = False) -> None:
        """NAME=value. `splits`: an older dash cuts what a parameter brings into words (export and readonly)."""
        name, line = assigned.name, assigned.line
        self._writable(name, line)
        try:
            value = self.expanded(assigned.value, line)
            bare = any(part.kind == "parameter" and not part.quoted for part in assigned.value)
            if splits and bare and re.search(r"[\s*?\[]", value):
                self._perhaps_ends(line, "some shells cut this into words, which are names then")
                raise UnknownError("some shells cut this into words")
        except UnknownError as error:
            self._unknown(name, line, str(error), error.depends_on, assigned.last_line)
            if name == "OPTIND":
                self._perhaps_ends(line, "OPTIND takes numbers only")
            return
        if name == "OPTIND" and not value.isdigit():
            self._perhaps_ends(line, "OPTIND takes numbers only")
        self._hold(name, value, line, assigned.last_line)

    def _writable(self, name: str, line: int) -> None:
        if name in self.read_only:
            raise DiesError(f"{name} is read only", line)
        if not self.dash and name in shell_commands.READ_ONLY_IN_BASH:
            self._perhaps_ends(line, f"{name} is read only in some shells")

    def _hold(self, name: str, value: str, line: int, last_line: int) -> None:
        if self.maybe_left:
            self._unknown(name, line, self.maybe_left)
            return
        self.values[name] = value
        if self.may_end is not None:  # it goes on with this value, or not at all
            self.found.append(Assignment(name, None, self.path, line, last_line, self.may_end.reason, ANY))
        else:
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
        if part.kind == "arithmetic":
            self._arithmetic(part, line)
        if part.kind == "substitution":
            self.substituted = self._substitution(part.inner)
        if part.kind == "unclear" and part.operator == "?":
            self._perhaps_ends(line, "an expansion that ends it where the variable is not set")
        if part.kind != "parameter":
            raise UnknownError(part.text)
        return self._parameter(part, line)

    def _arithmetic(self, part: Part, line: int) -> None:
        if "=" in part.operator:
            self._anything(line, "arithmetic that sets something")
        if "?" in part.operator:
            self._perhaps_ends(line, "arithmetic that may be refused")

    def _substitution(self, inner: tuple[AndOr, ...]) -> Status:
        """Whether the commands inside of $( ) succeed."""
        raise NotImplementedError

    def _parameter(self, part: Part, line: int) -> str:
        name, operator = part.text, part.operator
        try:
            value = self._value_of(name)
        except UnknownError:
            if operator.endswith("?"):
                self._perhaps_ends(line, f"{name} may not be set")
            raise
        there = value is not None and not (operator.startswith(":") and not value)
        if operator.endswith("+"):
            return self.expanded(part.word, line) if there else ""
        if there or not operator:
            return value or ""
        if operator.endswith("?"):
            raise DiesError(f"{name} is not set", line)
        word = self.expanded(part.word, line)
        if operator.endswith("="):
            self._writable(name, line)
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
            for name in set_by(parts):  # of a value that is not known, ${name:=word} may set it or not
                if name in self.read_only:
                    self._perhaps_ends(line, f"{name} is read only")
                self._unknown(name, line, str(error), "")
            return None


def set_by(parts: Iterable[Part]) -> list[str]:
    """Variables that ${name:=word} sets, in words of others too."""
    found: list[str] = []
    for part in parts:
        found += [part.text] if part.kind == "parameter" and part.operator.endswith("=") else []
        found += set_by(part.word)
    return found
