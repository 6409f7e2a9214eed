"""Files that the user gives: answers and plans. Looked at before they are read, so that no FIFO or device is waited for."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from wizard.errors import InputError

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
    try:
        # not blocking: a FIFO that nobody writes to would be waited for, before it could be seen what it is
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            other = kind(status.st_mode)
            if other:
                raise InputError(f"is {other}, not a file", where=where, do="Save it as a file first.")
            content = file.read(limit + 1) if status.st_size <= limit else b""
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=where) from None
    if status.st_size > limit or len(content) > limit:
        raise InputError(
            f"is larger than {limit // MIB} MiB: it cannot be what is wanted here",
            where=where,
            do="Look whether the right file was named.",
        )
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{error.object[error.start]:02x} in line {line} is not UTF-8", where=where, do="Save it as UTF-8."
        ) from None
