"""What a chapter asks for: edits of files, products that must be fresh, and what is to be done live.

Chapters do not see each other; :mod:`wizard.planning.planner` makes one plan of what all of them want.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from wizard.dataclass import dataclass
from wizard.model.plan import ControllerStep
from wizard.model.steps import Label, Phase, Postcondition, RunCommand, StopByPidfile, UndoWhen, WriteSysfs

Change: TypeAlias = Callable[[bytes | None], bytes | None]


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One change of one file: a pure function from its bytes to its new bytes; None means that there is no file.

    `mode` and `owner` count only where the file is new; an existing one keeps its own.
    """

    path: str
    why: str
    change: Change
    mode: int = 0o644
    owner: str = "root:root"
    secret: bool = False
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something made from files: grub.cfg, the initramfs, the unit list, a running service.

    It is made once, after all edits, when one of `inputs` changes in this plan, or when it is `due` anyway because it does
    not hold its input. The same `key` from several chapters is the same product; `order` sorts within the phase.
    """

    key: str
    argv: tuple[str, ...]
    phase: Phase
    why: str
    inputs: tuple[str, ...] = ()
    due: bool = False
    labels: tuple[Label, ...] = ()
    undo: tuple[str, ...] | None = None
    undo_when: UndoWhen | None = "after_files"
    order: int = 50
    proves: tuple[Postcondition, ...] = ()
    covered_by_reboot: bool = False  # not made where the plan ends in a reboot, which does it anyway


@dataclass(frozen=True, slots=True)
class LiveAction:
    """A step as it is. With `inputs`, only when one of these files changes in this plan. A change of one of `reads` makes
    the plan stale."""

    step: RunCommand | WriteSysfs | StopByPidfile
    inputs: tuple[str, ...] | None = None
    order: int = 50
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """All that one chapter wants."""

    edits: tuple[FileEdit, ...] = ()
    products: tuple[Artifact, ...] = ()
    actions: tuple[LiveAction, ...] = ()
    controller: tuple[ControllerStep, ...] = ()
    reads: tuple[str, ...] = ()  # further files whose change makes the plan stale
    attributes: tuple[tuple[str, str], ...] = ()  # kernel attributes that were read, as (path, value): likewise
