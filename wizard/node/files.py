"""The files that a plan starts from: read once, remembered, so that planning stays a function of what was seen."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TypeVar

from wizard.dataclass import dataclass
from wizard.errors import Denied, NodeError, NotThere
from wizard.node.node import Node

MASKED = "/.compute-wizard/masked"  # files of which a recording holds only the options that are known, a path each line
MASKED_VALUES = "/.compute-wizard/masked-values"  # files that are whole but for what looked like a secret
WITHOUT_SECRETS = "was recorded without its secrets: record the node --with-secrets to change it"


T = TypeVar("T")


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
    """What a node's files are, asked by path. Each question is put to the node once, and its answer kept: two plans from the same
    facts start from the same files, whatever happened to the node in between."""

    def __init__(self, node: Node | None = None) -> None:
        self._node = node
        self._seen: dict[str, Snapshot | NodeError | None] = {}
        self._kept: dict[tuple[str, str], Any] = {}
        self._lists: dict[str, frozenset[str]] = {}
        self._refused: set[tuple[str, str]] = set()  # questions that the node would not answer
        self._whole: dict[str, frozenset[str]] = {}  # directories of which every name is known

    def get(self, path: str) -> Snapshot | None:
        """The file, or None where there is none. Raises Denied where it may not be read, NodeError for what is no file."""
        if path not in self._seen:
            self._seen[path] = None if self._is_nothing(path) else self._read(path)
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
        return self._once("command", name, lambda node: node.command(name), None)

    def destination(self, path: str) -> str | None:
        """Where a path leads, every link resolved, whether there is a file or not; None where that cannot be said."""
        return self._once("destination", path, lambda node: node.destination(path), None)

    def links(self, path: str) -> list[tuple[str, str]]:
        """The symbolic links on the way to a path, each with its target."""

        def passed(node: Node) -> tuple[tuple[str, str], ...]:
            found: list[tuple[str, str]] = []
            with suppress(NodeError):
                node.resolve(path, passed=found)
            return tuple(found)

        nothing: tuple[tuple[str, str], ...] = ()
        return list(self._once("links", path, passed, nothing))

    def names(self, directory: str) -> list[str]:
        """The names in a directory of the node; empty where there is none or it may not be read."""
        nothing: tuple[str, ...] = ()
        return list(self._once("names", directory, lambda node: tuple(node.names(directory)), nothing))

    def is_small(self, path: str, most: int) -> bool:
        """Whether there is a file of at most so many bytes, which is not read for that."""

        def size(node: Node) -> int | None:
            status = node.status(path)
            return status.size if status is not None and status.kind == "file" else None

        found = self._once("size", path, size, None)
        return found is not None and found <= most

    def keep(self, path: str) -> None:
        """Ask everything of a path now, for later: what is there, where it leads, by which links."""
        with suppress(NodeError):
            self.get(path)
        self.is_small(path, 0)
        self.destination(path)
        self.links(path)

    def keep_directory(self, directory: str) -> list[str]:
        """Its names; from now on it is known that there is nothing else in it, without a look at the node. Empty where there is
        no such directory, or it may not be read: then that is not known."""
        names = self.names(directory)
        self.links(directory)
        if self.destination(directory) is not None and ("names", directory) not in self._refused:
            self._whole[directory] = frozenset(names)
        return names

    def _is_nothing(self, path: str) -> bool:
        directory, name = posixpath.split(path)
        if directory in self._whole:
            return name not in self._whole[directory]
        return directory != path and self._is_nothing(directory)

    def _of_nothing(self, question: str, path: str) -> Any:
        """What is to be said of a path at which there is nothing, by the directory that it would be in."""
        directory, name = posixpath.split(path)
        if question == "links":
            return tuple(self.links(directory))
        if question == "names":
            return ()
        real = self.destination(directory) if question == "destination" else None
        return posixpath.join(real, name) if real else None

    def _once(self, question: str, path: str, ask: Callable[[Node], T], nothing: T) -> T:
        """The answer that was kept, or else the node's; `nothing` where it has none."""
        key = (question, path)
        if key not in self._kept:
            if question != "command" and self._is_nothing(path):
                return self._of_nothing(question, path)  # type: ignore[no-any-return]
            try:
                self._kept[key] = ask(self._node) if self._node else nothing
            except NodeError:
                self._kept[key] = nothing
                self._refused.add(key)
        found: T = self._kept[key]
        return found

    def to_data(self) -> dict[str, Any]:
        """All that was asked so far, with the answers, as JSON-able data: with the contents of files, so with their secrets."""
        return {
            "files": {path: _file_data(found) for path, found in self._seen.items()},
            "questions": [[question, path, answer] for (question, path), answer in self._kept.items()],
            "directories": {path: sorted(names) for path, names in self._whole.items()},
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Files:
        """The files of :meth:`to_data`; whatever was not asked then is not at hand."""
        files = cls()
        files._seen = {path: _file_of(found) for path, found in data["files"].items()}
        files._kept = {(question, path): _answer(question, answer) for question, path, answer in data["questions"]}
        files._whole = {path: frozenset(names) for path, names in data["directories"].items()}
        return files

    def _listed(self, node: Node, path: str) -> frozenset[str]:
        """The lines of a list that is part of a recording."""
        if path not in self._lists:
            self._lists[path] = frozenset((node.text(path) or "").splitlines())
        return self._lists[path]

    def _read(self, path: str) -> Snapshot | NodeError | None:
        if self._node is None:
            return Denied("the files of the node are not at hand", where=path)
        if path in self._listed(self._node, MASKED):
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
        masked = real in self._listed(self._node, MASKED_VALUES)
        return Snapshot(path, real, content, status.mode, status.owner, status.modified, attributes, masked)


_ERRORS: dict[str, type[NodeError]] = {each.__name__: each for each in (NodeError, NotThere, Denied)}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _file_data(found: Snapshot | NodeError | None) -> dict[str, Any] | None:
    if found is None:
        return None
    if isinstance(found, NodeError):
        return {"error": type(found).__name__, "what": found.what, "where": found.where, "do": found.do}
    attributes = None if found.attributes is None else {name: _text(each) for name, each in found.attributes.items()}
    return {**asdict(found), "content": _text(found.content), "attributes": attributes}


def _file_of(data: dict[str, Any] | None) -> Snapshot | NodeError | None:
    if data is None:
        return None
    if "error" in data:
        return _ERRORS[data["error"]](data["what"], where=data["where"], do=data["do"])
    given = data["attributes"]
    attributes = None if given is None else {name: base64.b64decode(each) for name, each in given.items()}
    return Snapshot(**{**data, "content": base64.b64decode(data["content"]), "attributes": attributes})


def _answer(question: str, answer: Any) -> Any:
    """An answer with the tuples that it had before it was JSON."""
    if question == "links":
        return tuple((path, target) for path, target in answer)
    return tuple(answer) if question == "names" else answer
