"""One tree of errors. Each says what happened, where, and what to do; each knows its exit code.

Exit codes are listed once, in :class:`Exit`, and stay below 126, so that a shell's own codes are never mistaken for ours.
"""

from __future__ import annotations

from enum import IntEnum

LONGEST = 2000  # characters of a line of an error


class Exit(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    BLOCKED = 3
    REFUSED = 4
    ROLLED_BACK = 5
    NOT_ROLLED_BACK = 6
    UNSEEN = 7
    USAGE = 64
    INTERRUPTED = 130

    def __str__(self) -> str:
        return str(self.value)  # before Python 3.11 it would be the name


class WizardError(Exception):
    """Something the user should read: `what` happened, `where` (file, line, field), and what to `do`.

    Never caught to be ignored; the command line prints it as one message and leaves with `exit_code`.
    """

    exit_code: Exit = Exit.ERROR
    code: str = "ERROR"  # stays, and has a page in docs/errors; a raise may give one of its own

    def __init__(self, what: str, *, where: str = "", do: str = "", code: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.do = what, where, do
        self.code = code or type(self).code

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return "\n".join(_short(line) for line in (f"{text}\n  {self.do}" if self.do else text).split("\n"))


def _short(line: str) -> str:
    """A line that can be read: what was wrong with a value of a megabyte is seen from its beginning and its end."""
    if len(line) <= LONGEST:
        return line
    left_out = len(line) - LONGEST
    return f"{line[: LONGEST // 2]} […{left_out} characters…] {line[-LONGEST // 2 :]}"


class UsageError(WizardError):
    """The command line itself is wrong."""

    exit_code = Exit.USAGE
    code = "USAGE"


class InputError(WizardError):
    """A file or value that the user gave is wrong."""

    code = "INPUT"


class FormatError(WizardError):
    """A configuration file cannot be read as its own reader would, so it is not edited. `where` holds the line."""

    code = "FILE-FORMAT"

    def at(self, path: str) -> FormatError:
        """The same error with the file's path in front of the line."""
        where = f"{path} {self.where}" if self.where else path
        return type(self)(self.what, where=where, do=self.do, code=self.code)


class NodeError(WizardError):
    """Something of the node could not be read."""

    code = "NODE-UNREADABLE"


class NotThere(NodeError):
    """There is no such file, directory or command on the node."""

    code = "NODE-NOT-THERE"


class Denied(NodeError):
    """It is there, but may not be read: usually for want of root rights."""

    code = "NODE-DENIED"


class NotSeen(WizardError):
    """What was asked for is there, and cannot be read."""

    exit_code = Exit.UNSEEN
    code = "NOT-SEEN"


class OutputError(WizardError):
    """What is said cannot be written."""

    code = "OUTPUT"


class Blocked(WizardError):
    """A finding stands in the way."""

    exit_code = Exit.BLOCKED
    code = "BLOCKED"


class Interrupted(WizardError):
    """A run came to no end of its own: its runner was killed, or could not write its journal any more."""

    exit_code = Exit.NOT_ROLLED_BACK
    code = "RUN-INTERRUPTED"


class Refused(WizardError):
    """Not done, and nothing was touched: the node is no longer what the plan was made for, another run is under way, or a word, an
    option or a right is lacking. docs/command-line.md has all reasons."""

    exit_code = Exit.REFUSED
    code = "REFUSED"
