"""What a file is: its content, mode, owner and extended attributes, ACLs among them. Whoever changed one of them changed the file.

Compared is with what a run found, and with what it left: what is neither was done by somebody else, and is not overwritten.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from wizard.apply.file_writer import Found
from wizard.dataclass import dataclass
from wizard.hashing import attributes_digest
from wizard.model.steps import FileState
from wizard.runs.records import Backup, Left


@dataclass(frozen=True, slots=True)
class Known:
    """A state in which a file may be found. What is None is not known, and is not compared."""

    sha256: str
    mode: str | None
    owner: str | None
    attributes: str | None
    """The sha256 of all of them, as :func:`wizard.hashing.attributes_digest` makes it."""

    def differences(self, found: Found) -> list[str]:
        """What of it is otherwise, in words."""
        state = found.state
        if state.sha256 != self.sha256:
            return ["its content"]
        words = []
        if self.mode not in (None, state.mode):
            words.append(f"its mode (it was {self.mode}, and is {state.mode})")
        if self.owner not in (None, state.owner):
            words.append(f"its owner (it was {self.owner}, and is {state.owner})")
        if self.attributes not in (None, attributes_digest(found.attributes)):
            words.append("its extended attributes or its ACL")
        return words


def expected(before: FileState | None, attributes: str | None) -> Known | None:
    """A file as the plan found it; None for none."""
    return None if before is None else Known(before.sha256, before.mode, before.owner, attributes)


def as_found(backup: Backup) -> Known | None:
    """A file as a step found it; None where there was none."""
    if backup.before is None:
        return None
    return Known(**backup.before, attributes=attributes_digest(decoded(backup.attributes)))


def as_left(left: Left) -> Known:
    """A file as a step left it."""
    return Known(left.sha256, left.mode, left.owner, attributes_digest(decoded(left.attributes)))


def as_planned(after: FileState, backup: Backup) -> Known:
    """A file as a run left it that did not say so, of an older version: it could not always give a file away, and a new file
    took the attributes of its directory."""
    attributes = None if backup.before is None else attributes_digest(decoded(backup.attributes))
    return Known(after.sha256, after.mode, None, attributes)


def encoded(attributes: Mapping[str, bytes]) -> dict[str, str]:
    """Extended attributes as a journal holds them."""
    return {name: base64.b64encode(value).decode() for name, value in attributes.items()}


def decoded(attributes: Mapping[str, str]) -> dict[str, bytes]:
    """Extended attributes out of a journal or a plan."""
    return {name: base64.b64decode(value) for name, value in attributes.items()}
