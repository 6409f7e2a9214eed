"""The files that a plan starts from: read once, remembered, so that planning stays a function of what was seen."""

from __future__ import annotations

from contextlib import suppress

from wizard.dataclass import dataclass
from wizard.errors import Denied, NodeError, NotThere
from wizard.node.node import Node

MASKED = "/.compute-wizard/masked"  # files of which a recording holds only the options that are known, a path each line
MASKED_VALUES = "/.compute-wizard/masked-values"  # files that are whole but for what looked like a secret
WITHOUT_SECRETS = "was recorded without its secrets: record the node --with-secrets to change it"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was found. `real` is its path with every link resolved inside the node; `mode` are permission bits;
    `attributes` are its extended attributes, None where they are not known. `masked`: *** stands in it for secrets, so that it can
    be read, and not be changed."""

    path: str
    real: str
    content: bytes
    mode: int
    owner: str
    modified: float
    attributes: dict[str, bytes] | None = None
    masked: bool = False


class Files:
    """Files of a node by path, each read once."""

    def __init__(self, node: Node | None = None) -> None:
        self._node = node
        self._seen: dict[str, Snapshot | NodeError | None] = {}

    def get(self, path: str) -> Snapshot | None:
        """The file, or None where there is none. Raises Denied where it may not be read, NodeError for what is no file."""
        if path not in self._seen:
            self._seen[path] = self._read(path)
        found = self._seen[path]
        if isinstance(found, NodeError):
            raise found
        return found

    def content(self, path: str) -> bytes | None:
        """The bytes, or None where there is no file or it may not be read."""
        try:
            found = self.get(path)
        except NodeError:
            return None
        return found.content if found else None

    def command(self, name: str) -> str | None:
        """Where the node has a command, or None."""
        return self._node.command(name) if self._node else None

    def destination(self, path: str) -> str | None:
        """Where a path leads, every link resolved, whether there is a file or not; None where that cannot be said."""
        try:
            return self._node.destination(path) if self._node else None
        except NodeError:
            return None

    def links(self, path: str) -> list[tuple[str, str]]:
        """The symbolic links on the way to a path, each with its target."""
        passed: list[tuple[str, str]] = []
        if self._node is not None:
            with suppress(NodeError):
                self._node.resolve(path, passed=passed)
        return passed

    def names(self, directory: str) -> list[str]:
        """The names in a directory of the node; empty where there is none or it may not be read."""
        try:
            return self._node.names(directory) if self._node else []
        except NodeError:
            return []

    def is_small(self, path: str, most: int) -> bool:
        """Whether there is a file of at most so many bytes, which is not read for that."""
        try:
            status = self._node.status(path) if self._node else None
        except NodeError:
            return False
        return status is not None and status.kind == "file" and status.size <= most

    def _read(self, path: str) -> Snapshot | NodeError | None:
        if self._node is None:
            return Denied("the files of the node are not at hand", where=path)
        if path in (self._node.text(MASKED) or "").splitlines():
            return Denied(WITHOUT_SECRETS, where=path)
        try:
            real = self._node.resolve(path)
            status = self._node.status(path)
            content = self._node.read(path)
            attributes = self._node.attributes(path)
        except NotThere:
            return None
        except NodeError as error:
            return error
        if status is None:
            return None
        masked = real in (self._node.text(MASKED_VALUES) or "").splitlines()
        return Snapshot(path, real, content, status.mode, status.owner, status.modified, attributes, masked)
