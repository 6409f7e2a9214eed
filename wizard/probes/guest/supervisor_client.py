"""Start the keeper, follow what it tells, and see that it ends: with its guest, when time is up, or when we are interrupted."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from queue import Empty, Queue
from typing import Any

from wizard import program
from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.node.live import ENVIRONMENT
from wizard.probes.guest.supervisor import GOODBYE, Job
from wizard.probes.guest.verdicts import Ended

GIVING_BACK = (
    150.0  # seconds, after which it is said that the VF does not come back: a driver may reset its card meanwhile
)


@dataclass(slots=True)
class Kept:
    """What the keeper told: the guest's lines, how it ended, QEMU's own messages, and what went wrong before and after."""

    lines: list[str] = field(default_factory=list)
    ended: Ended = "not started"
    errors: str = ""
    problem: str = ""
    left: str = ""

    def take(self, event: dict[str, Any], tell: Callable[[str], None]) -> None:
        """One event."""
        if "line" in event:
            self.lines.append(event["line"])
        if "healed" in event:
            tell(f"{event['healed']}, that an earlier proof had not given back, was given back")
        self.ended = event.get("ended", self.ended)
        self.errors = event.get("errors", self.errors)
        self.problem = event.get("problem", self.problem)
        self.left = event.get("left", self.left)


def keep(job: Job, tell: Callable[[str], None] = lambda line: None) -> Kept:
    """Do a job to its end. Raises NodeError where the keeper itself could not be started, or failed."""
    argv = program.argv("wizard.probes.guest.supervisor")
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us; the keeper ends with its input
        pass_fds=job.fds,
        env=ENVIRONMENT,
    )
    assert process.stdin is not None
    lines: Queue[bytes] = Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    kept = Kept()
    try:
        with suppress(BrokenPipeError):  # then its end tells why
            process.stdin.write(job.to_line())
            process.stdin.flush()
        _follow(lines, kept, job.limit + GOODBYE + GIVING_BACK, tell)
    finally:
        with suppress(OSError):
            process.stdin.close()
        _follow(lines, kept, GIVING_BACK, tell)
    said = _last_words(process)
    if said is None:
        kept.left = f"{job.address} was not given back within {GIVING_BACK:.0f} seconds: the kernel does not answer"
    elif process.returncode:
        raise NodeError(f"the keeper of the guest failed: {said or f'status {process.returncode}'}")
    return kept


def _read(process: subprocess.Popen[bytes], lines: Queue[bytes]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(b"")


def _follow(lines: Queue[bytes], kept: Kept, limit: float, tell: Callable[[str], None]) -> None:
    """Take events until there are no more, at most `limit` seconds."""
    end = time.monotonic() + limit
    while (left := end - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except Empty:
            return
        if not line:
            lines.put(b"")  # the end stays the end, whoever asks next
            return
        kept.take(json.loads(line), tell)


def _last_words(process: subprocess.Popen[bytes]) -> str | None:
    """The last line of its messages, once it has ended; None where it does not end: it needs but a moment after its output."""
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        lines = process.stderr.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
