"""What the evaluation of a shell script finds: one assignment after the other."""

from __future__ import annotations

from wizard.dataclass import dataclass

ANY = "*"
"""In the place of a name: any variable may have another value afterwards."""


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

    def __str__(self) -> str:
        """Where it stands, and why it is unknown."""
        return f"{self.path} line {self.line}: {self.reason}"


class UnknownError(Exception):
    """A piece of text that only a shell could evaluate; `depends_on` names an unknown variable in it."""

    def __init__(self, reason: str, depends_on: str = "") -> None:
        super().__init__(reason)
        self.depends_on = depends_on


class DiesError(Exception):
    """A shell ends here, whatever stands around it. `status`: whether it ends well, None where that cannot be told."""

    def __init__(self, reason: str, line: int, status: bool | None = False) -> None:
        super().__init__(reason)
        self.reason, self.line, self.status = reason, line, status


class ReturnError(Exception):
    """The file, or the function, is left here. `status`: whether with success, None where that cannot be told."""

    def __init__(self, line: int, status: bool | None) -> None:
        super().__init__("the command return")
        self.line, self.status = line, status
