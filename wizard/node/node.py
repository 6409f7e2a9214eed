"""The one boundary to the outside: a node's files, and the commands that may be asked of it.

Paths are absolute inside the node. Symbolic links are resolved inside it too, as chroot would, so that a directory or a
tar that stands for a node can never lead out of itself.
"""

from __future__ import annotations

import posixpath
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

from wizard.dataclass import dataclass
from wizard.errors import Denied, NodeError, NotThere

MAX_LINKS = 40  # as the kernel's MAXSYMLINKS
MAX_FILE = 16 * 1024 * 1024  # bytes; no configuration file is larger, and a fifo or a log must not eat the memory

Kind = Literal["file", "directory", "link", "other"]
WORDS = {"directory": "a directory", "link": "a link", "other": "a FIFO, a socket or a device"}


@dataclass(frozen=True, slots=True)
class Status:
    """What is at a path. `mode` holds the permission bits only; `owner` is 'user:group', by name where the node knows it;
    `modified` is seconds since the epoch."""

    kind: Kind
    mode: int
    owner: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Output:
    """What a command said. `status` is its exit status, or 128 plus the signal."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that could not be read, and why: part of the result, never an error."""

    what: str
    why: str


class Node(ABC):
    """A node to be read. Subclasses give the primitives for paths that hold no symbolic link any more."""

    name: str = "node"
    live: bool = False
    """True for this machine: its kernel answers, and its commands may be run."""
    simulated: bool = False
    privileged: bool = False
    """True where nothing is hidden for want of root rights."""

    @abstractmethod
    def _lstat(self, path: str) -> Status: ...

    @abstractmethod
    def _readlink(self, path: str) -> str: ...

    def _link(self, path: str) -> str | None:
        """The target of the link at a path without links before it; None where there is something else. Raises NotThere, Denied."""
        return self._readlink(path) if self._lstat(path).kind == "link" else None

    @abstractmethod
    def _read(self, path: str) -> bytes: ...

    @abstractmethod
    def _names(self, path: str) -> list[str]: ...

    @abstractmethod
    def run(self, argv: Sequence[str], *, timeout: float = 15.0, stdin: bytes | None = None) -> Output:
        """Ask a command that changes nothing. `timeout` in seconds.

        Raises NotThere where there is no such command, or a recorded node was never asked this.
        """

    def attributes(self, path: str) -> dict[str, bytes] | None:
        """The extended attributes of a file, ACLs among them; None where they are not known."""
        return None

    def resolve(self, path: str, *, last: bool = True, passed: list[tuple[str, str]] | None = None) -> str:
        """The path with every link resolved inside the node; the last component too, unless `last` is false.

        `passed` takes the links on the way, each with its target. Raises NotThere, Denied, or NodeError for a loop.
        """
        if "\0" in path:
            raise NodeError("a path cannot hold a NUL byte", where=repr(path))
        todo = [part for part in path.split("/") if part not in ("", ".")]
        done: list[str] = []
        links = 0
        while todo:
            part = todo.pop(0)
            if part == "..":
                done = done[:-1]
                continue
            here = "/" + "/".join([*done, part])
            target = None if not todo and not last else self._link(here)
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > MAX_LINKS:
                raise NodeError("too many levels of symbolic links", where=path)
            if passed is not None:
                passed.append((here, target))
            if target.startswith("/"):
                done = []
            todo = [piece for piece in target.split("/") if piece not in ("", ".")] + todo
        return "/" + "/".join(done)

    def destination(self, path: str, links: int = 0) -> str:
        """As :meth:`resolve`, but what is not there yet is kept as it is written: where a new file would lie."""
        try:
            return self.resolve(path)
        except NotThere:
            parent, name = posixpath.split(path.rstrip("/"))
        if name in ("", ".", ".."):
            raise NodeError("leads through a directory that is not there", where=path)
        where = posixpath.join(self.destination(parent, links), name)
        target = self.link(where)
        if target is None:
            return where
        if links >= MAX_LINKS:
            raise NodeError("too many levels of symbolic links", where=path)
        return self.destination(posixpath.join(posixpath.dirname(where), target), links + 1)

    def status(self, path: str, *, follow: bool = True) -> Status | None:
        """What is at the path, or None where there is nothing. Raises Denied."""
        try:
            return self._lstat(self.resolve(path, last=follow))
        except NotThere:
            return None

    def exists(self, path: str) -> bool:
        """Whether there is something at the path; False also where it may not be seen."""
        try:
            return self.status(path) is not None
        except NodeError:
            return False

    def read(self, path: str, limit: int = MAX_FILE) -> bytes:
        """The bytes of a regular file of at most `limit` bytes. Raises NotThere, Denied, or NodeError for anything else."""
        real = self.resolve(path)
        status = self._lstat(real)
        if status.kind != "file":
            raise NodeError(f"is not a regular file but {WORDS[status.kind]}", where=path)
        if status.size > limit:
            raise NodeError(f"is too large to be read ({status.size} bytes)", where=path)
        return self._read(real)

    def text(self, path: str) -> str | None:
        """The stripped text of a small file, as sysfs and /proc have them; None where it is not there or may not be read."""
        try:
            return self.read(path).decode("utf-8", "replace").strip("\0 \t\r\n")
        except NodeError:
            return None

    def names(self, path: str) -> list[str]:
        """The sorted names in a directory; empty where there is none. Raises Denied."""
        try:
            return sorted(self._names(self.resolve(path)))
        except NotThere:
            return []

    def link(self, path: str) -> str | None:
        """The target of a symbolic link as it is written, or None where there is no link."""
        try:
            place = self.resolve(path, last=False)
            return self._readlink(place) if self._lstat(place).kind == "link" else None
        except NodeError:
            return None

    def link_name(self, path: str) -> str | None:
        """The last component of a link's target: how sysfs names a driver or an IOMMU group."""
        target = self.link(path)
        return posixpath.basename(target) if target else None

    # As their namesakes, for a directory whose path holds no link any more, as `resolve` gave it: the way there is not looked at
    # again for each of its many small files.

    def resolve_at(self, directory: str, name: str) -> str:
        """The path of a name in such a directory, links resolved. Raises as `resolve`."""
        return self.resolve(f"{directory}/{name}")

    def names_at(self, directory: str) -> list[str]:
        """The sorted names in such a directory; empty where there is none. Raises Denied."""
        return self.names(directory)

    def read_at(self, directory: str, name: str) -> bytes:
        """The bytes of a regular file in such a directory. Raises as `read`."""
        return self.read(f"{directory}/{name}")

    def text_at(self, directory: str, name: str) -> str | None:
        """The stripped text of a small file in such a directory; None where it is not there or may not be read."""
        return self.text(f"{directory}/{name}")

    def link_at(self, directory: str, name: str) -> str | None:
        """The target of a link in such a directory as it is written, or None where there is no link."""
        return self.link(f"{directory}/{name}")

    def command(self, *names: str) -> str | None:
        """The path of the first of these commands that the node has, or None."""
        for name in names:
            for place in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"):
                path = f"{place}/{name}"
                if self.exists(path):
                    return path
        return None

    def free(self, path: str) -> int | None:
        """Bytes that may still be written where a path lies; None where that is not known, as of a recording."""
        return None

    def filter(self, argv: Sequence[str], content: bytes) -> bytes:
        """What a command makes of bytes. Raises NotThere where there is no such command, or this is no live node."""
        raise NotThere(f"{argv[0]} is needed, and may be run on a live node only", where=self.name)

    def try_run(self, argv: Sequence[str], *, timeout: float = 15.0) -> Output | None:
        """As :meth:`run`, but None where the command is not there or may not be run."""
        try:
            return self.run(argv, timeout=timeout)
        except (NotThere, Denied):
            return None


def followed(path: str, links: Mapping[str, str]) -> str:
    """A path with these links (each with its target) resolved, by their names alone."""
    todo = [part for part in path.split("/") if part not in ("", ".")]
    done: list[str] = []
    for _ in range(MAX_LINKS + 1):
        for at, part in enumerate(todo):
            if part == "..":
                done = done[:-1]
                continue
            target = links.get("/" + "/".join([*done, part]))
            if target is not None:
                done = [] if target.startswith("/") else done
                todo = [piece for piece in target.split("/") if piece not in ("", ".")] + todo[at + 1 :]
                break
            done.append(part)
        else:
            break
    return "/" + "/".join(done)
