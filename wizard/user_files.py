"""Files that may hold what nobody else is to read: plans and scripts that carry parts of nova.conf."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from pathlib import Path
from typing import TextIO

from wizard.errors import InputError, OutputError

STANDARD = "-"  # standard input, or output, in place of a file
PATIENCE_S = 60  # seconds that a pipe may be silent


def _kind(path: Path) -> str:
    """What is at the path, or behind the link there, that is no regular file; empty where there is one, or nothing."""
    try:
        return kind(path.stat().st_mode)
    except OSError:
        return ""


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file for its owner only, whole or not at all; an existing one is replaced, a device or a pipe never.

    Raises InputError.
    """
    there = _kind(path)
    if there or not path.name:
        raise InputError(
            f"is {there or 'no name of a file'}: it is not replaced",
            where=str(path),
            do="Name a file that may be written.",
            code="FILE-KIND",
        )
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
            sync_directory(path.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            do="Name a place that you may write to.",
            code="FILE-NOT-WRITTEN",
        ) from None


def output_gone(stream: TextIO, error: OSError) -> None:
    """Standard output took no more. What is still to come goes nowhere: else Python says at its end, once more, what is said here.

    Raises OutputError, but for a reader who has seen enough (`head`).
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if not isinstance(error, BrokenPipeError):
        raise OutputError(f"cannot be written: {error.strerror}", where="standard output") from None


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk: a file that was synced may lose its name in a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


MIB = 1024 * 1024
KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO or a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def kind(mode: int) -> str:
    """What is at a place that is no regular file, in words; empty for a regular file."""
    return "" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "something else")


def text(path: Path, limit: int) -> str:
    """The text of a regular file of at most `limit` bytes; a byte order mark is left out. Raises InputError."""
    where = str(path)
    if where == STANDARD:
        return _decoded(_standard_input(limit), "standard input")
    try:
        # not blocking: a FIFO that nobody writes to would be waited for, before it could be seen what it is
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            other = kind(status.st_mode)
            if stat.S_ISFIFO(status.st_mode):
                return _decoded(_from_pipe(file.fileno(), limit, where), where)
            if other:
                raise InputError(
                    f"is {other}, not a file", where=where, do="Save it as a file first.", code="FILE-KIND"
                )
            content = file.read(limit + 1) if status.st_size <= limit else b""
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=where, code="FILE-NOT-READ") from None
    if status.st_size > limit or len(content) > limit:
        raise InputError(
            f"is larger than {limit // MIB} MiB: it cannot be what is wanted here",
            where=where,
            do="Look whether the right file was named.",
            code="FILE-TOO-LARGE",
        )
    return _decoded(content, where)


def _standard_input(limit: int) -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(
            "nothing is piped in", where="standard input", do="Name a file, or pipe one in.", code="NOTHING-PIPED"
        )
    content = sys.stdin.buffer.read(limit + 1)
    if len(content) > limit:
        raise InputError(
            f"is larger than {limit // MIB} MiB: it cannot be what is wanted here",
            where="standard input",
            code="FILE-TOO-LARGE",
        )
    return content


def _from_pipe(descriptor: int, limit: int, where: str) -> bytes:
    """All that is written into a pipe, such as a shell's <(...). Raises InputError where nobody writes to it."""
    content = b""
    while len(content) <= limit:
        try:
            chunk = os.read(descriptor, 65536)  # it does not block: nothing is the end, or a pipe without a writer
        except BlockingIOError:
            import select

            if not select.select([descriptor], [], [], PATIENCE_S)[0]:
                raise InputError(
                    f"nothing came through this pipe for {PATIENCE_S} seconds", where=where, code="NOTHING-PIPED"
                ) from None
            continue
        if not chunk:
            break
        content += chunk
    if not content:
        raise InputError(
            "is a FIFO or a pipe that nobody writes to",
            where=where,
            do="Save it as a file first.",
            code="NOTHING-PIPED",
        )
    if len(content) > limit:
        raise InputError(
            f"is larger than {limit // MIB} MiB: it cannot be what is wanted here", where=where, code="FILE-TOO-LARGE"
        )
    return content


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{error.object[error.start]:02x} in line {line} is not UTF-8",
            where=where,
            do="Save it as UTF-8.",
            code="FILE-NOT-UTF8",
        ) from None


def own_directory(*directories: Path) -> None:
    """Directories for their owner only, whoever made them; what lies above the first is none of ours. Raises OSError."""
    for directory in directories:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
