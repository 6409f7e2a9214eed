"""Changing files below a root: whole or not at all, with owner, mode and extended attributes, and never outside it.

Paths are resolved inside the root as chroot would. What was resolved is then opened one component at a time without
following links, so that a link which is planted in between is an error and no way out.
"""

from __future__ import annotations

import errno
import os
import posixpath
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from wizard.apply import extended_attributes
from wizard.dataclass import dataclass
from wizard.errors import Denied, NodeError, NotThere
from wizard.hashing import digest
from wizard.model.steps import FileState
from wizard.node.node import MAX_FILE, followed
from wizard.node.recorded import DirectoryNode
from wizard.regex import regex

_WORK = regex(r"\.compute-wizard-[0-9a-f]{16}\.work")  # a directory that one of the shell scripts works in
_TEMPORARY = regex(r"\.compute-wizard-([0-9a-f]{16}\.new|0{14}[0-9]+\.undo)")  # ours, and undo.sh's
READINGS = 5  # before a file that is written to all the time is refused
_IN_USE = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.EBUSY, errno.ELOOP)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)  # a file system without hard links, as vfat


Stamp: TypeAlias = tuple[int, int, int, int]
"""Which file it is, and its size and times: another one as soon as anybody touches it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file as it is. `real` is its path without links, `ids` are the numbers behind `owner`, `attributes` its
    extended attributes (ACLs are such), `links` how many names it has."""

    real: str
    content: bytes
    mode: int
    owner: str
    ids: tuple[int, int]
    attributes: dict[str, bytes]
    links: int
    stamp: Stamp

    @property
    def state(self) -> FileState:
        return FileState(sha256=digest(self.content), mode=f"{self.mode:04o}", owner=self.owner)


class Tree:
    """The files below a root. All errors are NodeError, with the path inside the root."""

    def __init__(self, root: Path) -> None:
        self.node = DirectoryNode(root)
        self.directory = self.node.directory

    def resolve(self, path: str) -> str:
        """The path with every link resolved inside the root; what is not there yet is kept as it is written.

        Raises NodeError for a link of somebody else's that leads to what is not his own: he would choose what root writes."""
        passed: list[tuple[str, str]] = []
        try:
            real = self.node.resolve(path, passed=passed)
        except NotThere:
            real = followed(path, dict(passed))
        for link, _ in passed:
            with _told(path):
                maker = self.node.place(link).lstat().st_uid
            if maker not in (0, os.geteuid()) and maker != self._owner(real):
                what = (
                    f"leads through {link}, a symbolic link of user number {maker}, to what is not that user's: {real}"
                )
                raise NodeError(what, where=path)
        return real

    def _owner(self, real: str) -> int:
        """Whose a file is, or the directory that it would be made in."""
        while real != "/":
            with suppress(OSError):
                return self.node.place(real).lstat().st_uid
            real = posixpath.dirname(real)
        return 0

    def place(self, path: str) -> Path:
        """Where a path lies on this machine."""
        return self.node.place(self.resolve(path))

    def find(self, path: str) -> Found | None:
        """The file at a path, or None where there is none. Raises NodeError for what is no regular file, and for one that is
        written to again and again while it is being read."""
        real = self.resolve(path)
        with _told(path):
            try:
                with self._parent(real) as (directory, name):
                    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
            except (FileNotFoundError, NotADirectoryError):
                return None
            with os.fdopen(descriptor, "rb"):
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise NodeError("is not a regular file", where=path)
                content, status = _whole(descriptor, path)
                return self._of(status, descriptor, real, content)

    def _of(self, status: os.stat_result, descriptor: int, real: str, content: bytes) -> Found:
        owner = self.node.accounts.owner(status.st_uid, status.st_gid)
        mode, ids = stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid)
        return Found(
            real, content, mode, owner, ids, extended_attributes.read(descriptor), status.st_nlink, _stamp(status)
        )

    def missing_directories(self, path: str) -> list[str]:
        """The directories that have to be made before the file can be, the uppermost first."""
        missing: list[str] = []
        above = posixpath.dirname(self.resolve(path))
        while above != "/" and self.node.status(above) is None:
            missing.insert(0, above)
            above = posixpath.dirname(above)
        return missing

    def make_directory(self, path: str, mode: int = 0o755) -> None:
        """Make one directory; one that is there is left as it is."""
        with _told(path), self._parent(self.resolve(path)) as (directory, name):
            try:
                os.mkdir(name, mode, dir_fd=directory)
            except FileExistsError:
                return
            descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            try:
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.fsync(directory)

    def write(
        self,
        path: str,
        content: bytes,
        mode: int,
        owner: str,
        attributes: Mapping[str, bytes] | None,
        over: Found | None = None,
        announce: Callable[[Found], None] = lambda _: None,
    ) -> list[str]:
        """Put a whole file in place of what is there. With `attributes` it has exactly these, else what the directory
        gives to new files. Returns a sentence for each thing that this process may not set.

        `over` is what was found there, None for nothing: a file that was made or touched since, up to the moment of the
        change, raises NodeError. `announce` hears what the file will be, right before it is that: who sets the attributes of
        new files, or may not give files away, leaves another one than was asked for."""
        with _told(path), self._parent(self.resolve(path)) as (directory, name):
            _refuse_other(name, directory, path)
            temporary = f".compute-wizard-{secrets.token_hex(8)}.new"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    notes = self._give(descriptor, path, owner)
                    if attributes is not None:
                        notes += extended_attributes.make(descriptor, path, attributes)
                        mode = extended_attributes.mode_beside(descriptor, mode, attributes)
                    os.fchmod(descriptor, mode)  # last: a new owner takes the set-uid bits away, an ACL its mask along
                    os.fsync(descriptor)
                    written = os.fstat(descriptor).st_ino
                    announce(self._of(os.fstat(descriptor), descriptor, path, content))
                if over is None:
                    _put_anew(temporary, name, directory, path)
                else:
                    _refuse_touched(name, directory, over, path, "replaced")
                    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=directory)
                raise
            os.fsync(directory)
            if os.stat(name, dir_fd=directory, follow_symlinks=False).st_ino != written:
                raise NodeError("was replaced by somebody else while it was being written", where=path)
            return notes if over is None or over.links == 1 else [*notes, _other_names(path, over.links - 1)]

    def remove(self, path: str, over: Found) -> None:
        """Remove a file; of a symbolic link, what it leads to, so that the file can come back behind the same link.

        `over` is what was found there: a file that was touched since raises NodeError."""
        with _told(path), self._parent(self.resolve(path)) as (directory, name):
            _refuse_other(name, directory, path)
            _refuse_touched(name, directory, over, path, "removed")
            os.unlink(name, dir_fd=directory)
            os.fsync(directory)

    def remove_directory(self, path: str) -> bool:
        """Remove a directory where it is there and empty; whether it was."""
        with _told(path):
            try:
                with self._parent(path) as (directory, name):
                    os.rmdir(name, dir_fd=directory)
                    os.fsync(directory)
            except OSError as error:
                if error.errno in _IN_USE:
                    return False
                raise
        return True

    def sweep(self, path: str) -> None:
        """Remove what a run, or its undo.sh, that was killed left beside a path while it was writing."""
        with suppress(OSError, NodeError), self._parent(self.resolve(path)) as (directory, _):
            for name in [entry.name for entry in os.scandir(directory)]:
                if _TEMPORARY.fullmatch(name):
                    os.unlink(name, dir_fd=directory)
                elif _WORK.fullmatch(name):
                    _remove_work(name, directory)

    def ids(self, owner: str) -> tuple[int, int] | None:
        """The numbers of whoever a file can be given to; None where it cannot."""
        try:
            return self.node.accounts.ids(owner) if os.geteuid() == 0 else None
        except NodeError:
            return None

    def _give(self, descriptor: int, path: str, owner: str) -> list[str]:
        try:
            uid, gid = self.node.accounts.ids(owner)
            status = os.fstat(descriptor)
            if (status.st_uid, status.st_gid) != (uid, gid):
                os.fchown(descriptor, uid, gid)
        except NodeError as error:
            return [f"{path} is not given to {owner}: {error.what}"]
        except PermissionError:
            return [f"{path} is not given to {owner}: that needs root rights"]
        return []

    @contextmanager
    def _parent(self, real: str) -> Iterator[tuple[int, str]]:
        """The directory above a path without links, opened, and the last component."""
        above, name = posixpath.split(real)
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in above.split("/"):
                if part:
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                    descriptor, old = os.open(part, flags, dir_fd=descriptor), descriptor
                    os.close(old)
            yield descriptor, name
        finally:
            os.close(descriptor)


def _remove_work(name: str, directory: int) -> None:
    """Remove a directory that a script worked in, if it is ours alone: what its name leads to may be somebody else's."""
    work = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        status = os.fstat(work)
        if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700:
            for each in [entry.name for entry in os.scandir(work)]:
                os.unlink(each, dir_fd=work)
            os.rmdir(name, dir_fd=directory)
    finally:
        os.close(work)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Errors of the operating system as errors of the tree, with the path inside the root."""
    try:
        yield
    except OSError as error:
        what = f"cannot be changed or read: {os.strerror(error.errno or 0)}"
        if error.errno == errno.ELOOP:
            what = "a symbolic link was put there while it was being worked on"
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Denied(what, where=path, do="Root rights, and a file that is not immutable, are needed.") from None
        if error.errno == errno.EBUSY:
            raise NodeError(f"{what}: something is mounted over it", where=path) from None
        raise NodeError(what, where=path) from None


def _whole(descriptor: int, path: str) -> tuple[bytes, os.stat_result]:
    """The bytes of an open file and its state, from one moment: read again while somebody writes to it."""
    for _ in range(READINGS):
        before = os.fstat(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise NodeError(f"is larger than {MAX_FILE} bytes", where=path)
        after = os.fstat(descriptor)
        if _stamp(before) == _stamp(after) and len(content) == after.st_size:
            return content, after
    raise NodeError("is being written to by somebody else while it is read", where=path)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _other_names(path: str, count: int) -> str:
    names = "another name (a hard link)" if count == 1 else f"{count} other names (hard links)"
    return f"{path} had {names}: what is there under such a name keeps the old content"


def _refuse_other(name: str, directory: int, path: str) -> None:
    """Whatever is no regular file is not replaced: rename would do it without a word."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise NodeError("is not a regular file", where=path)


def _refuse_touched(name: str, directory: int, found: Found, path: str, what: str) -> None:
    """Right before a change: a file that is not the one that was looked at any more, or gone."""
    now: Stamp | None = None
    with suppress(FileNotFoundError):
        now = _stamp(os.stat(name, dir_fd=directory, follow_symlinks=False))
    if now != found.stamp:
        raise NodeError(f"was changed by somebody else while it was being {what}", where=path)


def _put_anew(temporary: str, name: str, directory: int, path: str) -> None:
    """Give a finished file a name that nobody has: rename would take it from whoever made it meanwhile."""
    try:
        try:
            os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            with suppress(FileNotFoundError):
                os.stat(name, dir_fd=directory, follow_symlinks=False)
                raise FileExistsError from None
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            os.unlink(temporary, dir_fd=directory)
    except FileExistsError:
        raise NodeError("was made by somebody else while it was being written", where=path) from None
