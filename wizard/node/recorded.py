"""A directory, a tar or a description that stands for a node. Nothing in it is ever executed.

Recorded command output lies in `.compute-wizard/commands/NAME/{argv,stdout,stderr,status}`, one argument a line in `argv`.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TypeVar

from wizard.dataclass import dataclass
from wizard.errors import Denied, InputError, NodeError, NotThere
from wizard.integers import parse_int
from wizard.node.node import MAX_FILE, Kind, Node, Output, Status

COMMANDS = "/.compute-wizard/commands"
STATE = "/var/lib/compute-wizard"
T = TypeVar("T")
CHUNK = 64 * 1024  # bytes of a file at a time


class Accounts:
    """User and group names of a node, from its own /etc/passwd and /etc/group."""

    def __init__(self, passwd: bytes, group: bytes) -> None:
        self.users, self.groups = _names(passwd), _names(group)

    def owner(self, uid: int, gid: int) -> str:
        """'user:group', by number where the node has no name for it."""
        return f"{self.users.get(uid, str(uid))}:{self.groups.get(gid, str(gid))}"

    def ids(self, owner: str) -> tuple[int, int]:
        """The numbers behind 'user:group'. Raises NodeError for a name that the node does not know."""
        user, _, group = owner.partition(":")
        return _number(self.users, user, owner), _number(self.groups, group, owner)


def _names(content: bytes) -> dict[int, str]:
    found: dict[int, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        number = parse_int(fields[2]) if len(fields) > 2 else None
        if number is not None:
            found.setdefault(number, fields[0])
    return found


def _number(names: Mapping[int, str], name: str, owner: str) -> int:
    plain = parse_int(name)
    if plain is not None:
        return plain
    for number, known in names.items():
        if known == name:
            return number
    if name == "root":
        return 0
    raise NodeError(f"the node has no user or group {name!r}, so nothing can be given to {owner}")


def accounts_of(node: Node) -> Accounts:
    """The accounts of a node; empty ones where it has no readable files."""

    def read(path: str) -> bytes:
        try:
            return node.read(path)
        except NodeError:
            return b""

    return Accounts(read("/etc/passwd"), read("/etc/group"))


def kind_of(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"


def guarded(error: OSError, path: str) -> NodeError:
    """The error of the tree for what the operating system said."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotThere("there is no such file", where=path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return Denied("may not be read without root rights", where=path)
    return NodeError(f"cannot be read: {os.strerror(error.errno or 0)}", where=path)


class RecordedCommands(Node):
    """A node whose commands were recorded."""

    def run(self, argv: Sequence[str], *, timeout: float = 15.0, stdin: bytes | None = None) -> Output:
        recorded = self._recorded().get(tuple(argv))
        if recorded is None:
            raise NotThere(f"the command {argv[0]} was not recorded", where=self.name)
        return recorded

    def _recorded(self) -> Mapping[tuple[str, ...], Output]:
        found: dict[tuple[str, ...], Output] = {}
        for name in self.names(COMMANDS):
            place = f"{COMMANDS}/{name}"
            argv = tuple((self._whole(f"{place}/argv") or "").splitlines())
            status = parse_int((self._whole(f"{place}/status") or "0").strip())
            if argv:
                found[argv] = Output(
                    argv,
                    1 if status is None else status,
                    self._whole(f"{place}/stdout") or "",
                    self._whole(f"{place}/stderr") or "",
                )
        return found

    def _whole(self, path: str) -> str | None:
        try:
            return self.read(path).decode("utf-8", "replace")
        except NodeError:
            return None


class DirectoryNode(RecordedCommands):
    """A directory that stands for a node; with `/` the base of the live one."""

    def __init__(self, directory: Path, name: str = "") -> None:
        if not directory.is_dir():
            raise InputError(
                "is not a directory" if directory.exists() else "does not exist",
                where=str(directory),
                do="--root takes a directory or a tar file that holds the files of a node.",
                code="ROOT-UNREADABLE",
            )
        self.directory = directory.resolve()
        self._base = str(self.directory).rstrip("/")
        self.name = name or str(directory)
        self.privileged = (
            os.access(self.directory / "etc/shadow", os.R_OK) or not (self.directory / "etc/shadow").exists()
        )
        self._accounts: Accounts | None = None

    def place(self, path: str) -> Path:
        """Where a path without links lies on this machine."""
        return self.directory / path.lstrip("/")

    @property
    def accounts(self) -> Accounts:
        if self._accounts is None:
            self._accounts = Accounts(b"root:x:0:", b"root:x:0:")  # while /etc/passwd itself is being looked at
            self._accounts = accounts_of(self)
        return self._accounts

    def attributes(self, path: str) -> dict[str, bytes] | None:
        place = self.place(self.resolve(path))
        try:
            return {
                name: os.getxattr(place, name, follow_symlinks=False)
                for name in os.listxattr(place, follow_symlinks=False)
            }
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                return {}
            raise guarded(error, path) from None

    def _at(self, path: str) -> str:
        """As :meth:`place`, for the many small readings: joining path objects takes longer than the system call."""
        return f"{self._base}{path}"

    def _lstat(self, path: str) -> Status:
        try:
            found = os.lstat(self._at(path))
        except OSError as error:
            raise guarded(error, path) from None
        return Status(
            kind_of(found.st_mode),
            stat.S_IMODE(found.st_mode),
            self.accounts.owner(found.st_uid, found.st_gid),
            found.st_size,
            found.st_mtime,
        )

    def _readlink(self, path: str) -> str:
        try:
            return os.readlink(self._at(path))  # noqa: PTH115, see _at
        except OSError as error:
            raise guarded(error, path) from None

    def _link(self, path: str) -> str | None:
        try:
            return os.readlink(self._at(path))  # noqa: PTH115, see _at
        except OSError as error:
            if error.errno == errno.EINVAL:  # there is something, and it is no link
                return None
            raise guarded(error, path) from None

    def _read(self, path: str) -> bytes:
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a link or a fifo put there in between
            with os.fdopen(os.open(self._at(path), flags), "rb") as file:
                return file.read()
        except OSError as error:
            raise guarded(error, path) from None

    def resolve_at(self, directory: str, name: str) -> str:
        path = f"{directory}/{name}"
        return path if self._link(path) is None else self.resolve(path)

    def names_at(self, directory: str) -> list[str]:
        try:
            return sorted(self._names(directory))
        except NotThere:
            return []

    def read_at(self, directory: str, name: str) -> bytes:
        path = f"{directory}/{name}"
        try:
            return _content(self._at(path))
        except OSError:  # a link, no file, or one that may not be read: told in its own words
            return self.read(path)

    def text_at(self, directory: str, name: str) -> str | None:
        try:
            return _content(f"{self._base}{directory}/{name}").decode("utf-8", "replace").strip("\0 \t\r\n")
        except OSError as error:
            return None if error.errno == errno.ENOENT else self.text(f"{directory}/{name}")

    def link_at(self, directory: str, name: str) -> str | None:
        try:
            return os.readlink(f"{self._base}{directory}/{name}")  # noqa: PTH115, see _at
        except OSError:
            return None

    def _names(self, path: str) -> list[str]:
        try:
            return os.listdir(self._at(path))  # noqa: PTH208, see _at
        except OSError as error:
            raise guarded(error, path) from None


def _content(place: str) -> bytes:
    """The bytes of a regular file of at most MAX_FILE bytes. Raises OSError for a link, and for anything else.

    It is opened before its kind is known, so this is for directories of the kernel's own: to open a device may do something."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        parts = []
        while part := os.read(descriptor, CHUNK):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class Entry:
    """One thing in a node that is kept in memory."""

    kind: Kind
    content: bytes = b""
    target: str = ""
    mode: int = 0o644
    owner: str = "root:root"
    modified: float = 0.0
    names: set[str] = field(default_factory=set)
    left_out: int = 0  # bytes of a file that is too large to be kept


class MemoryNode(RecordedCommands):
    """A node kept in memory: what a tar or a description holds. Read only, and with the owners as they were recorded."""

    privileged = True

    def __init__(self, name: str = "node") -> None:
        self.name = name
        self.title = ""
        self.entries: dict[str, Entry] = {"/": Entry("directory", mode=0o755)}
        self.commands: dict[tuple[str, ...], Output] = {}

    def add(self, path: str, entry: Entry) -> None:
        """Put an entry at an absolute path, with the directories above it."""
        path = posixpath.normpath("/" + path.lstrip("/"))
        parent, name = posixpath.split(path)
        if path == "/":
            return
        above = self.entries.get(parent)
        if above is None:
            above = Entry("directory", mode=0o755)
            self.add(parent, above)
        if above.kind != "directory":
            raise InputError(
                f"holds {path}, but {parent} is no directory in it", where=self.name, code="ROOT-UNREADABLE"
            )
        above.names.add(name)
        old = self.entries.get(path)
        if old is not None and old.kind == entry.kind == "directory":
            entry.names |= old.names
        self.entries[path] = entry

    def write(self, path: str, content: bytes | str, mode: int = 0o644, owner: str = "root:root") -> None:
        """Put a file."""
        content = content.encode() if isinstance(content, str) else content
        self.add(path, Entry("file", content, mode=mode, owner=owner))

    def symlink(self, path: str, target: str) -> None:
        """Put a symbolic link."""
        self.add(path, Entry("link", target=target, mode=0o777))

    def _get(self, path: str) -> Entry:
        try:
            return self.entries[path]
        except KeyError:
            raise NotThere("there is no such file", where=path) from None

    def _lstat(self, path: str) -> Status:
        entry = self._get(path)
        return Status(entry.kind, entry.mode, entry.owner, entry.left_out or len(entry.content), entry.modified)

    def _readlink(self, path: str) -> str:
        return self._get(path).target

    def _read(self, path: str) -> bytes:
        entry = self._get(path)
        if entry.left_out:
            raise NodeError(f"is too large to be read out of an archive ({entry.left_out} bytes)", where=path)
        return entry.content

    def _names(self, path: str) -> list[str]:
        return list(self._get(path).names)

    def _recorded(self) -> Mapping[tuple[str, ...], Output]:
        return self.commands or super()._recorded()


def read_tar(path: Path) -> MemoryNode:
    """A tar (plain or compressed) as a node. Raises InputError where it is not one."""
    from wizard.node import tar  # with what unpacks, which no other node needs

    return tar.read(path)


def command_files(commands: Iterable[Output]) -> dict[str, bytes]:
    """The files in which recorded commands are kept, by path."""
    found: dict[str, bytes] = {}
    for number, output in enumerate(commands):
        place = f"{COMMANDS}/{number:03}-{posixpath.basename(output.argv[0])}"
        found[f"{place}/argv"] = "".join(f"{word}\n" for word in output.argv).encode()
        found[f"{place}/stdout"] = output.stdout.encode()
        found[f"{place}/stderr"] = output.stderr.encode()
        found[f"{place}/status"] = f"{output.status}\n".encode()
    return found
