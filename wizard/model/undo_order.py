"""The order in which the steps of a plan are undone: the one place that says it. Rollback, undo plan, rescue script and
exported script render it, each in its own way.

1. *before*: commands that need the new files, in reverse: a unit is disabled while it is there, a rule is taken out by the script that
   the run wrote.
2. *file*: files come back, in reverse. They decide the next boot, so they come before what is only live; and what the kernel or
   udev does once an attribute is written has to find the old ones.
3. *attribute*: kernel attributes, in reverse; each goes all its way at once (8 -> 0 -> 4 goes back through 0).
4. *after*: what is made of the files is made anew, in the order of the run: a boot menu, an initramfs, restarts.
5. *last*: what was kept in case something goes wrong is removed, and only if all else was undone.

Directories that the run made go after all that, where they are empty: nothing reads an empty directory, and an undo that
fails on its way needs them once more. A command that several steps ask for is run once for all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal, TypeAlias

from wizard.dataclass import dataclass
from wizard.model.steps import RemoveFile, RunCommand, Step, StopByPidfile, UndoWhen, WriteFile, WriteSysfs

Kind: TypeAlias = Literal["before", "file", "attribute", "after", "last"]
KINDS: tuple[Kind, ...] = ("before", "file", "attribute", "after", "last")
_WHEN: dict[UndoWhen, Kind] = {"before_files": "before", "after_files": "after", "last": "last"}


@dataclass(frozen=True, slots=True)
class Undo:
    """One thing to be done: `step` is undone, and so are all steps of `numbers` (from 1, ascending) that ask for the same."""

    kind: Kind
    numbers: tuple[int, ...]
    step: Step


def undo_order(steps: Sequence[Step], numbers: Iterable[int] | None = None) -> list[Undo]:
    """What undoes these steps of a plan (`numbers` from 1; all by default), in order. Steps without a way back are left out."""
    chosen = sorted(set(range(1, len(steps) + 1) if numbers is None else numbers))
    found: dict[Hashable, Undo] = {}
    for kind in KINDS:
        for number in _in_order(kind, steps, [n for n in chosen if _kind(steps[n - 1]) == kind]):
            step = steps[number - 1]
            key = (kind, _same(step, number))
            standing = found.get(key, Undo(kind, (), step))
            found[key] = Undo(kind, tuple(sorted((*standing.numbers, number))), standing.step)
    return list(found.values())


def _in_order(kind: Kind, steps: Sequence[Step], numbers: list[int]) -> list[int]:
    if kind in ("after", "last"):
        return numbers
    if kind != "attribute":
        return numbers[::-1]
    first: dict[str, int] = {}
    for number in numbers:
        first.setdefault(_path(steps[number - 1]), number)
    return sorted(numbers, key=lambda number: (first[_path(steps[number - 1])], number), reverse=True)


def _path(step: Step) -> str:
    return step.path if isinstance(step, WriteSysfs) else ""


def _kind(step: Step) -> Kind | None:
    if isinstance(step, WriteFile | RemoveFile):
        return "file"
    if isinstance(step, WriteSysfs):
        return "attribute"
    if isinstance(step, RunCommand) and step.undo is None:
        return None
    return _WHEN[step.undo_when] if step.undo_when is not None else None


def _same(step: Step, number: int) -> Hashable:
    """What two steps have in common that are undone by doing one thing once."""
    if isinstance(step, RunCommand):
        return step.undo
    if isinstance(step, StopByPidfile):
        return (step.pidfile, step.must_contain)
    return number


def needed_by(command: Step, steps: Sequence[Step], numbers: Iterable[int] | None = None) -> set[int]:
    """Steps that wrote what the way back of a command names: a script, a unit. Where that command fails their files stay:
    without them nobody could run it later."""
    words = set(command.undo or ()) if isinstance(command, RunCommand) else set()
    chosen = range(1, len(steps) + 1) if numbers is None else numbers
    written = {n: step.path for n in chosen if isinstance(step := steps[n - 1], WriteFile)}
    return {n for n, path in written.items() if words & {path, path.rpartition("/")[2]}}
