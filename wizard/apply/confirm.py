"""A run that is taken back by itself unless somebody confirms it: for steps that may cut the line to the admin.

The runner waits after its last step: it is a process of its own, no terminal's end reaches it, and what it takes back goes the
same way as any rollback. Slow steps take no time away, since the wait begins when the last of them has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from wizard.model.plan import Plan
from wizard.model.steps import WriteSysfs
from wizard.runs.journal import Journal, read
from wizard.runs.records import fold

KEEP, TAKE_BACK = "keep", "take_back"  # files of these names in the run's directory are the answer
SECONDS_PER_VF = 1  # devices, interfaces and their names come up one after the other when VFs are made
POLL = 0.2  # seconds between two looks

Answer = Literal["kept", "refused", "too late", "ended"]


def patience(minutes: float, plan: Plan) -> int:
    """How many seconds a run waits: what was asked for, and more for each VF that the plan makes now."""
    made: dict[str, int] = {}
    for step in plan.steps:
        if isinstance(step, WriteSysfs) and step.path.endswith("/sriov_numvfs"):
            made[step.path] = int(step.after)
    return round(minutes * 60) + SECONDS_PER_VF * sum(made.values())


def wait(directory: Path, journal: Journal, seconds: int, ended: Callable[[], bool]) -> Answer:
    """Wait for an answer. `ended` says that this process is told to end, as at a shutdown: then nothing is taken back.

    Where a wait was cut, this one takes its place, and an answer that came since counts; else there is none yet."""
    if fold(read(directory / "journal.jsonl")).waiting is None:
        for name in (KEEP, TAKE_BACK):
            (directory / name).unlink(missing_ok=True)
    until = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    journal.write("waiting", until=until.isoformat(timespec="seconds"), seconds=seconds)
    end = time.monotonic() + seconds  # the wall clock may be set meanwhile
    while True:
        answer = _answer(directory) or ("ended" if ended() else "too late" if time.monotonic() >= end else None)
        if answer is not None:
            return answer
        time.sleep(POLL)


def _answer(directory: Path) -> Answer | None:
    if (directory / KEEP).exists():
        return "kept"
    return "refused" if (directory / TAKE_BACK).exists() else None
