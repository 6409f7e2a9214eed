"""The journal of a run: JSON lines, each on the disk before what it announces is done.

Events: begin, step, directory, backup, output, note, held, skipped, failed, rollback, rollback_held, rollback_failed, end.
Steps are counted from 1 in the field `n`.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wizard.node.run_records import LOCK, Event, lock_holder, parse
from wizard.report import printable

POLL = 0.1  # seconds between two looks
PATIENCE = 5.0  # seconds without a word and without a runner, before it is taken for gone
MOST_LINES = 2000  # of one step's output


class Journal:
    """Appends events to a file; each is synced before :meth:`write` returns."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._lines = 0
        self._heal(path)

    def _heal(self, path: Path) -> None:
        """End a line that a crash tore off, so that the next event begins a line of its own."""
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            os.write(self._descriptor, b"\n")

    def write(self, event: str, **fields: Any) -> None:
        """Append one event."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        line = json.dumps({"event": event, "at": now, **fields}) + "\n"
        os.write(self._descriptor, line.encode())
        os.fsync(self._descriptor)
        if event == "step":
            self._lines = 0

    def output(self, number: int, text: str) -> None:
        """Append a line that a command said: without control characters, and not without end."""
        self._lines += 1
        if self._lines <= MOST_LINES:
            self.write("output", n=number, text=printable(text.rstrip("\r\n")))
        elif self._lines == MOST_LINES + 1:
            self.write("output", n=number, text=f"(more than {MOST_LINES} lines: the rest is left out)")

    def close(self) -> None:
        os.close(self._descriptor)


def read(path: Path) -> list[Event]:
    """All events that are there; none where there is no journal yet."""
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return []


def follow(path: Path) -> Iterator[Event]:
    """The events of a run as they come, to its end; or until its runner is gone without one."""
    state = path.parent.parent.parent
    seen, quiet = 0, 0.0
    while True:
        events = read(path)
        yield from events[seen:]
        if events[seen:]:
            quiet = 0.0
        seen = len(events)
        if events and events[-1]["event"] == "end":
            return
        if lock_holder(state / LOCK) == path.parent.name:
            quiet = 0.0
        elif quiet > PATIENCE:
            return
        time.sleep(POLL)
        quiet += POLL


def sentence(event: Event) -> str:
    """An event as a line for people; empty for those that say nothing to them."""
    number = f"{event['n']:3}. " if "n" in event else ""
    match event["event"]:
        case "begin":
            return f"Run {event['run']}: {event['steps']} steps"
        case "step":
            return f"{number}{event.get('title', '')}"
        case "output":
            return f"       {event['text']}"
        case "note":
            return f"       note: {event['text']}"
        case "skipped":
            return f"       not done here: {event['why']}"
        case "failed":
            return f"     ! failed: {event['why']}"
        case "rollback":
            return "Taking back what was done:"
        case "rollback_held":
            return f"{number}taken back"
        case "rollback_failed":
            return f"     ! {number}could not be taken back: {event['why']}"
        case "end":
            return _ending(event)
        case _:
            return ""


def _ending(event: Event) -> str:
    result = event["result"]
    words = {
        "done": "Done.",
        "failed": "Failed, and not taken back. `compute-wizard history`, `resume` and `undo` go on from here.",
        "stopped": "Stopped between two steps, as asked. `compute-wizard resume` goes on, `undo` takes it back.",
        "rolled_back": "Failed; what had been done was taken back.",
        "refused": f"Refused: {event.get('why', '')}",
    }
    return words.get(result, str(result))
