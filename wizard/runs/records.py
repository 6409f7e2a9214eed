"""What the journals of past runs say: events one by one, and folded into one record a run.

A run is a directory below RUNS: `plan.json`, `options.json`, `journal.jsonl`, `backup/NNNN`. Events are named in
:mod:`wizard.runs.journal`, which writes them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import posixpath
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import field
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from wizard.dataclass import dataclass
from wizard.errors import NodeError, NotThere
from wizard.integers import parse_int
from wizard.node.node import Node
from wizard.node.recorded import DirectoryNode
from wizard.regex import regex

STATE = "/var/lib/compute-wizard"
RUNS = f"{STATE}/runs"
LOCK = "lock"
STOP = "stop"  # a file of that name in a run's directory asks its runner to stop between two steps
JOURNAL_FORMAT = "compute-wizard.journal/2"
_FORMAT = regex(r"compute-wizard\.journal/(\d+)")

Event: TypeAlias = dict[str, Any]


class Reason(str, Enum):
    """Why a step failed, where what follows depends on it."""

    EXIT_STATUS = "exit-status"  # its command ended with a status that is not 0
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Backup:
    """A file as it was before a step touched it. `file` is the name of its copy in the run's backup directory, None where
    there was no file; `before` holds sha256, mode and owner; `attributes` its extended attributes in base64."""

    path: str
    real: str
    file: str | None
    before: dict[str, str] | None
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Left:
    """A file as a step, or the taking back of it, was about to leave it; `attributes` in base64."""

    sha256: str
    mode: str
    owner: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Record:
    """One journal, folded. Steps are counted from 1.

    `started` were begun, `held` came to their end, `skipped` were not to be done here; `taken_back` were rolled back, and not
    begun again. `stood` had come to their end, and were not taken back, when a run went on that had been rolled back in part.
    `end` is None while nothing ended the last beginning.
    """

    begun: Event | None = None
    begun_last: Event | None = None  # the same as `begun`, unless the run was resumed
    started: set[int] = field(default_factory=set)
    held: dict[int, Event] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    backups: dict[int, Backup] = field(default_factory=dict)
    left: dict[int, list[Left]] = field(default_factory=dict)  # every state that it gave a step's file, the newest last
    directories: list[str] = field(default_factory=list)
    rolling_back: bool = False
    taken_back: set[int] = field(default_factory=set)
    stood: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)  # steps that failed when they were last begun, and why
    ended_badly: set[int] = field(
        default_factory=set
    )  # those of them whose command did; not for what it made, or did not begin
    waiting: Event | None = None  # while nothing ended the wait for a confirmation
    confirmed: bool = False
    end: Event | None = None
    boots: dict[int, str] = field(default_factory=dict)  # in which boot a step was held
    process: int | None = None  # a command, or what writes an attribute, that began and was not heard of again
    rescued: bool = False
    """undo.sh took it back, without this tool; whatever began after that ends it."""

    @property
    def last_boot(self) -> str:
        """The boot in which the run was last under way, or ""."""
        return str((self.begun_last or {}).get("boot_id", ""))

    @property
    def result(self) -> str:
        """How it ended, or "" where it did not."""
        return str(self.end.get("result", "")) if self.end else ""

    @property
    def touched(self) -> list[int]:
        """Steps that did something, or may have, in their order."""
        return sorted(self.started - self.skipped)


def parse(content: bytes, where: str = "") -> list[Event]:
    """The events of a journal. A line that a crash tore off is left out, at the end and where a run went on after it.

    Raises NodeError for a journal of a newer version; the first version did not say its number.
    """
    found: list[Event] = []
    for line in content.split(b"\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            _refuse_newer(event, where)
            found.append(event)
    return found


def _refuse_newer(event: Event, where: str) -> None:
    written, known = event.get("format"), _FORMAT.fullmatch(JOURNAL_FORMAT)
    if event["event"] != "begin" or not isinstance(written, str) or known is None:
        return
    found = _FORMAT.fullmatch(written)
    if found is None or (number := parse_int(found[1])) is None or number > int(known[1]):
        raise NodeError(
            f"was written by a newer version of this tool ({written}; this one knows {JOURNAL_FORMAT})",
            where=where,
            do="Look at it, go on with it, or take it back with that version.",
        )


def fold(events: Iterable[Event]) -> Record:
    """One record of all events."""
    record = Record()
    for event in events:
        take(record, event)
    return record


def take(record: Record, event: Event) -> None:
    """Put one more event into a record."""
    number = event.get("n")
    _whole(record, event)
    if isinstance(number, int):
        _step(record, number, event)


def _whole(record: Record, event: Event) -> None:
    match event["event"]:
        case "begin":
            if record.rolling_back:
                # all is to be looked at again: of a rollback that was cut it is not known how far it came
                record.stood = (record.stood | set(record.held)) - record.taken_back
                record.held.clear()
            record.begun, record.begun_last = record.begun or event, event
            record.rolling_back, record.end, record.rescued = False, None, False
        case "rollback":
            record.rolling_back, record.waiting = True, None
        case "waiting":
            record.waiting = event
        case "confirmed":
            record.confirmed, record.waiting = True, None
        case "end" if record.begun is None or event.get("result") != "refused":  # going on was refused: it is as it was
            record.end, record.waiting = event, None
        case "rescued":
            record.rescued = record.rolling_back = True
            record.taken_back |= record.started
        case _:
            pass


def _step(record: Record, number: int, event: Event) -> None:
    match event["event"]:
        case "step":
            record.started.add(number)
            for before in (record.skipped, record.taken_back, record.stood):
                before.discard(number)
            record.held.pop(number, None)
            record.failed.pop(number, None)
            record.ended_badly.discard(number)
        case "failed":
            record.failed[number] = str(event.get("why", ""))
            if event["reason"] == Reason.EXIT_STATUS if "reason" in event else _ended_badly(record.failed[number]):
                record.ended_badly.add(number)
        case "process":
            record.process = int(event["pid"])
        case "held":
            record.held[number], record.boots[number] = event, record.last_boot
        case "skipped":
            record.skipped.add(number)
        case "directory":
            record.directories.append(str(event["path"]))
        case "backup":
            record.backups[number] = Backup(
                str(event["path"]), str(event["real"]), event["file"], event["before"], event.get("attributes", {})
            )
        case "written":
            left = Left(event["sha256"], event["mode"], event["owner"], event["attributes"])
            record.left.setdefault(number, []).append(left)
        case "rollback_held":
            record.taken_back.add(number)
        case _:
            pass
    if event["event"] in ("held", "failed", "rollback_held", "rollback_failed"):
        record.process = None


def _ended_badly(why: str) -> bool:
    """The same of a journal of an older version, which has no reasons but sentences."""
    return "ended with exit status" in why


def age(run: str) -> tuple[int, str]:
    """Sorts runs by age: the number counts, since a clock may jump back."""
    number = run.partition("-")[0]
    return (parse_int(number) or 0, run)


def is_meant(run: str, word: str) -> bool:
    """Whether a user who wrote `word` means this run: its whole name, or its number with or without leading zeros."""
    number = parse_int(word)
    return run == word or (number is not None and age(run)[0] == number)


def run_ids(node: Node) -> list[str]:
    """The runs of a node, oldest first. Raises Denied where they may not be seen."""
    return sorted((name for name in node.names(RUNS) if age(name)[0]), key=age)


def read_record(node: Node, run: str, *, damaged: bool = False) -> Record | None:
    """The record of a run; None where it never began. Raises NodeError where it cannot be read; with `damaged`, too, where
    what is there is not how the journal of a run that never began looks."""
    where = f"{RUNS}/{run}/journal.jsonl"
    try:
        content = node.read(where)
    except NotThere:
        return None
    events = parse(content, where)
    record = fold(events)
    if damaged and not record.begun and (record.started or (not events and b"\n" in content.strip(b"\n"))):
        raise NodeError("is damaged: its beginning is lost", where=where)
    return record if record.begun else None


def read_backup(node: Node, run: str, backup: Backup) -> bytes | None:
    """The bytes of a backed-up file; None where there was no file. Raises NodeError, for a damaged backup too."""
    if backup.file is None:
        return None
    where = f"{RUNS}/{run}/backup/{posixpath.basename(backup.file)}"
    content: bytes | None = None
    with suppress(NotThere):
        content = node.read(where)
    return undamaged(content, backup, where)


def undamaged(content: bytes | None, backup: Backup, where: str) -> bytes:
    """The bytes of a backup, if they are those that were kept. Raises NodeError, where there are none (None), too."""
    kept = (backup.before or {}).get("sha256")
    if content is not None and hashlib.sha256(content).hexdigest() == kept:
        return content
    raise NodeError(
        f"the backup of {backup.path} is {'not there' if content is None else 'damaged'}: it is not put back from there",
        where=where,
        do=f"Put a good copy there (sha256 {kept}) and try again. "
        "Without one, undo.sh of the run puts back all files but this one.",
    )


def holder(node: Node) -> str | None:
    """The run that is under way on a node, or None. Only a directory on this machine can have one."""
    if not isinstance(node, DirectoryNode):
        return None
    try:
        return lock_holder(node.place(node.resolve(f"{STATE}/{LOCK}")))
    except NodeError:
        return None


def lock_holder(path: Path) -> str | None:
    """The run that holds the lock file, or None where nothing does. Creates nothing."""
    try:
        # not blocking: a FIFO at that place would be waited for
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 200).decode("ascii", "replace").split(" ")[0].strip() or "?"
    else:
        return None
    finally:
        os.close(descriptor)
