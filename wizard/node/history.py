"""What this tool did to the node before: its runs, and which lines of which files are its own.

Read from the node's own state directory; a node that was never touched has an empty history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from wizard.node.node import Node, Unseen

STATE = "/var/lib/compute-wizard"
RUNS = f"{STATE}/runs"

RunState = Literal["running", "done", "failed", "stopped", "interrupted", "rolled_back", "undone"]


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run. `undoes` is the run that it took back, or ""; `undone_by` the one that took it back, or "".

    `interrupted`: its journal has no end and no process goes on with it.
    """

    id: str
    at: str  # ISO 8601, UTC
    state: RunState
    chapters: tuple[str, ...]
    answers: dict[str, Any]
    boot_id: str
    undoes: str
    undone_by: str
    steps: int
    steps_done: int
    needs_reboot: bool
    unfinished: tuple[str, ...]  # commands of a run that was cut short: the words joined by blanks


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What is ours in one file, over all runs that were not taken back: lines we added (without their end), and whether the
    whole file is ours because a run created it."""

    path: str
    created: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    runs: tuple[PastRun, ...]  # oldest first
    own: tuple[OwnFile, ...]
    unseen: tuple[Unseen, ...]

    def file(self, path: str) -> OwnFile:
        return next((own for own in self.own if own.path == path), OwnFile(path, False, ()))

    @property
    def last(self) -> PastRun | None:
        """The newest run that stands: neither taken back nor itself an undo."""
        standing = [
            run for run in self.runs if not run.undoes and run.state in ("done", "failed", "stopped", "interrupted")
        ]
        return standing[-1] if standing else None
