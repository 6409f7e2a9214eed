"""One run at a time on a node: a lock that the kernel holds for the runner, so that a crash cannot leave it behind."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wizard import user_files
from wizard.errors import Refused
from wizard.runs.records import LOCK, lock_holder

ATTEMPTS = 50  # 20 ms apart: a reader that asks whether the lock is held takes it for a moment itself


@contextmanager
def only_run(state: Path, run: str) -> Iterator[None]:
    """Hold the lock of a state directory for a run. Raises Refused naming the run that has it, or for what is no lock."""
    refuse_other(state)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(state / LOCK, flags, 0o600)
    try:
        _take(descriptor, state)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{run} {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, state: Path) -> None:
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return
    raise refusal(lock_holder(state / LOCK) or "?")


def refuse_other(state: Path) -> None:
    """Raise Refused where something else than a file is in the lock's place: it would be waited for, or never hold."""
    place = state / LOCK
    try:
        mode = place.lstat().st_mode
    except OSError:
        return  # it is yet to be made; where that fails, the making says why
    other = "a link" if stat.S_ISLNK(mode) else user_files.kind(mode)
    if other:
        raise Refused(
            f"is {other}, where the lock of this tool has to be",
            where=str(place),
            do="Look who put it there, and take it away: the lock is made anew.",
            code="LOCK-PLACE-TAKEN",
        )


def refusal(run: str) -> Refused:
    """What is said to a second run."""
    return Refused(
        f"run {run} is under way on this node",
        do="See it with `compute-wizard history --follow`.",
        code="RUN-UNDER-WAY",
    )
