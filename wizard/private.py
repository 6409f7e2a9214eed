"""Files that may hold what nobody else is to read: plans and scripts that carry parts of nova.conf."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from wizard import given
from wizard.errors import InputError


def _kind(path: Path) -> str:
    """What is at the path, or behind the link there, that is no regular file; empty where there is one, or nothing."""
    try:
        return given.kind(path.stat().st_mode)
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
        )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
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
            f"cannot be written: {error.strerror}", where=str(path), do="Name a place that you may write to."
        ) from None


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk: a file that was synced may lose its name in a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
