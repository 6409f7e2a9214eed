"""A step in a few words."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import datetime

from wizard.model.steps import RemoveFile, Step, StopByPidfile, WriteFile, WriteSysfs


def title(step: Step) -> str:
    """One line for a step: what is done, in the words of its kind."""
    if isinstance(step, WriteFile):
        return f"{'change' if step.before else 'write'} {step.path}"
    if isinstance(step, RemoveFile):
        return f"remove {step.path}"
    if isinstance(step, WriteSysfs):
        return f"set {step.path}: {step.before} -> {step.after}"
    if isinstance(step, StopByPidfile):
        return f"stop the process in {step.pidfile}, if its command line holds {step.must_contain}"
    return f"$ {words(step.argv)}"


def words(argv: Iterable[str]) -> str:
    """An argument list as a shell would take it."""
    return shlex.join(argv)


def how_undone(step: Step) -> str:
    """How a step is taken back, in a few words."""
    if isinstance(step, WriteFile):
        return "the file as it was comes back" if step.before else "the file is removed"
    if isinstance(step, RemoveFile):
        return "the file comes back"
    if isinstance(step, WriteSysfs):
        return f"set to {step.before} again"
    if isinstance(step, StopByPidfile):
        return "done again" if step.undo_when else "nothing is to be taken back"
    if step.undo:
        return words(step.undo)
    return "cannot be taken back" if "one-way" in step.labels else "nothing is to be taken back"


def clock(at: str) -> str:
    """The time of day here, of a moment as the journal has it: '14:35'."""
    return f"{datetime.fromisoformat(at).astimezone():%H:%M}"
