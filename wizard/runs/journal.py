"""The journal of a run: JSON lines, each on the disk before what it announces is done. docs/journal.md has the format.

Events: begin, step, directory, backup, written, process, output, note, held, skipped, failed, waiting, confirmed,
rollback, rollback_held, rollback_failed, end; and rescued, which undo.sh writes. Steps are counted from 1 in the field `n`.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from wizard.errors import Refused
from wizard.runs.records import LOCK, Event, lock_holder, parse
from wizard.safe_text import safe_text
from wizard.user_files import sync_directory

POLL = 0.1  # seconds between two looks
PATIENCE = 5.0  # seconds without a word and without a runner, before it is taken for gone
START = 30.0  # seconds for a runner to begin: a loaded node starts a Python slowly
MOST_LINES = 2000  # of one step's output
RESERVE = (
    256 * 1024
)  # bytes kept free for the journal, so that on a full disk a failure and its rollback are written down
LEAST = 8 * 1024  # of these, where there is little room: a rollback of an undo is a few lines a step
FULL = (errno.ENOSPC, errno.EDQUOT)


class JournalLost(Exception):
    """The journal cannot be written any more, so that nothing more may be done: what is not written down cannot be taken back."""


class Journal:
    """Appends events to a file; each is synced before :meth:`write` returns. `tell` hears them, too."""

    def __init__(self, path: Path, tell: Callable[[Event], None] = lambda _: None) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        sync_directory(path.parent)
        content = path.read_bytes()
        self._torn = bool(content) and not content.endswith(b"\n")  # a crash tore its last line off
        self._reserve = path.with_name("reserve")
        self._tell = tell
        self._lost, self._tight = "", False
        self._reserved = False
        self._lines = 0

    def reserve(self, *, frugal: bool = False) -> None:
        """Take the room that the journal may need; with `frugal` no more than a part of what there is, for an undo on a disk
        that is nearly full. Raises Refused where there is none."""
        try:
            size = RESERVE
            if frugal:
                has = os.statvfs(self._reserve.parent)
                size = max(LEAST, min(RESERVE, has.f_bavail * has.f_frsize // 4))
            descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)
            finally:
                os.close(descriptor)
            self._reserved = True
        except OSError as error:
            with suppress(OSError):  # what there was of it
                self._reserve.unlink(missing_ok=True)
            raise Refused(
                f"there is no room for the journal: {os.strerror(error.errno or 0)}",
                do=f"Nothing was changed. Make room where {self._reserve.parent} lies.",
                code="NO-ROOM",
            ) from None

    def write(self, event: str, **fields: Any) -> None:
        """Append one event. Raises JournalLost, then and ever after."""
        if self._lost:
            raise JournalLost(self._lost)
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        whole = {"event": event, "at": now, **fields}
        line = json.dumps(whole).encode() + b"\n"
        try:
            try:
                self._append(line)
            except OSError as error:
                if error.errno not in FULL or not self._reserve.exists():
                    raise
                self._reserve.unlink()
                self._tight = True
                self._append(line)
        except OSError as error:
            self._lost = f"the journal cannot be written: {os.strerror(error.errno or 0)}"
            raise JournalLost(self._lost) from None
        if event == "step":
            self._lines = 0
        self._tell(whole)

    def _append(self, line: bytes) -> None:
        rest = b"\n" + line if self._torn else line
        self._torn = True
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fsync(self._descriptor)
        self._torn = False

    def output(self, number: int, text: str) -> None:
        """Append a line that a command said: without control characters, and not without end. A journal that is lost is
        told at the next event: the command is not to be stopped in the middle. What was reserved is not for output."""
        self._lines += 1
        if self._lines > MOST_LINES + 1 or self._lost:
            return
        self._tight = self._tight or self._spent()
        if self._tight:
            return
        if self._lines == MOST_LINES + 1:
            text = f"(more than {MOST_LINES} lines: the rest is left out)"
        with suppress(JournalLost):
            self.write("output", n=number, text=safe_text(text.rstrip("\r\n")))

    def _spent(self) -> bool:
        """Whether the reserve was taken: the process that announces itself may have done it, or somebody who made room."""
        try:
            return self._reserved and not self._reserve.stat().st_size
        except OSError:
            return True

    def close(self) -> None:
        """Give the reserve back."""
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)
        os.close(self._descriptor)


def read(path: Path) -> list[Event]:
    """All events that are there; none where there is no journal yet."""
    try:
        return parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        return []


def follow(path: Path, after: int = 0) -> Iterator[Event]:
    """The events of a run as they come, from number `after` to its end; or until its runner is gone without one."""
    state = path.parent.parent.parent
    seen, quiet = after, 0.0
    while True:
        events = read(path)
        yield from events[seen:]
        if events[seen:]:
            quiet = 0.0
        seen = len(events)
        under_way = lock_holder(state / LOCK) == path.parent.name
        if events[after:] and events[-1]["event"] == "end" and not under_way:  # else it is being resumed
            return
        if under_way:
            quiet = 0.0
        elif quiet > (PATIENCE if events[after:] else START):
            return
        time.sleep(POLL)
        quiet += POLL
