"""What has become of a run."""

from __future__ import annotations

from enum import Enum


class RunState(str, Enum):
    """As it is written in JSON and history; what may be done with the run follows from it."""

    RUNNING = "running"
    WAITING = "waiting"  # for its confirmation
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    ROLLED_BACK = "rolled_back"  # by itself
    UNDONE = "undone"  # by another run, or by its undo.sh

    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        return self.value.__format__(format_spec)

    @property
    def under_way(self) -> bool:
        """Whether a process goes on with it."""
        return self in (RunState.RUNNING, RunState.WAITING)

    @property
    def resumable(self) -> bool:
        """Whether it came to no end, so that it can be gone on with."""
        return self in RESUMABLE

    @property
    def stands(self) -> bool:
        """Whether something of it is, or may be, on the node, and nobody is at it but a wait for a confirmation."""
        return self is RunState.DONE or self is RunState.WAITING or self.resumable


RESUMABLE = (RunState.INTERRUPTED, RunState.STOPPED, RunState.FAILED)
