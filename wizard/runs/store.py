"""The tool's own files: runs below the node's state directory, drafts where the user may keep them."""

from __future__ import annotations

import datetime
import fcntl
import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wizard.errors import InputError
from wizard.node.recorded import DirectoryNode
from wizard.runs.records import STATE, age
from wizard.user_files import own_directory, sync_directory, write_private


def state_directory(root: Path) -> Path:
    """Where runs of a node are kept: /var/lib/compute-wizard below its root; links above it are resolved inside the root.

    What lies at that very name is not followed: see :mod:`wizard.apply.trust`.
    """
    above, name = posixpath.split(STATE)
    node = DirectoryNode(root)
    return node.place(node.destination(above)) / name


def runs(root: Path) -> list[Path]:
    """The directories of past runs, oldest first."""
    try:
        found = [entry for entry in (state_directory(root) / "runs").iterdir() if age(entry.name)[0]]
    except OSError:
        return []
    return sorted(found, key=lambda entry: age(entry.name))


def run_directory(root: Path, run: str) -> Path:
    """The directory of one run. Raises InputError where there is none."""
    place = state_directory(root) / "runs" / run
    if "/" in run or not place.is_dir():
        raise InputError(f"there is no run {run}", do="`compute-wizard history` lists them.")
    return place


def new_run(root: Path) -> tuple[str, Path]:
    """A name and a directory for a new run. The number makes the order: a clock may jump back."""
    try:
        own_directory(state_directory(root), state_directory(root) / "runs")
        with alone(state_directory(root) / "runs"):
            number = max((age(entry.name)[0] for entry in runs(root)), default=0) + 1
            name = f"{number:04}-{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"
            place = state_directory(root) / "runs" / name
            place.mkdir(mode=0o700)
        for directory in (place.parent, state_directory(root), state_directory(root).parent):
            sync_directory(directory)
    except OSError as error:
        raise InputError(
            f"cannot be made: {error.strerror}",
            where=str(error.filename),
            do="The journal and the backups have to be kept there.",
        ) from None
    return name, place


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a directory: two that start at once do not take the same number, two that answer not the same question."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """A file of the tool, for its owner only, whole or not at all."""
    write_private(path, content)
