"""What would stop a plan half way, looked for before anything is touched: places that cannot be written.

A file is replaced by renaming a new one over it. That fails where the file is a mount point (a container's nova.conf), where
it or its directory is immutable, on a file system that is read-only or full. Nobody is asked to try: the kernel knows.
"""

from __future__ import annotations

import fcntl
import os
import posixpath
import re
import shlex
import struct
from collections.abc import Iterator
from pathlib import Path

from wizard.apply import rescue_script
from wizard.apply.file_writer import Tree
from wizard.errors import InputError, NodeError
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, WriteFile

_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS, include/uapi/linux/fs.h
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20
_ST_RDONLY = 1
SPARE = 1 << 20  # bytes that have to be free beyond what is written: journals grow
INODES = 16  # as many have to be free beyond one for each file
LITTLE, FEW = 24 * 1024, 6  # the same for an undo: on a disk that is nearly full it may be what makes room


def refuse_obstacles(tree: Tree, plan: Plan, state: Path, *, runs_commands: bool) -> None:
    """Raises InputError naming every place that the plan has to write and cannot."""
    found = list(dict.fromkeys(obstacles(tree, plan, state, runs_commands=runs_commands)))
    if found:
        do = "Nothing was changed. Fix that, and apply the same plan: it is not used up."
        if plan.undoes:
            script = shlex.join(["sh", str(state / "runs" / plan.undoes / rescue_script.NAME)])
            do = f"Nothing was changed. Fix that, and try again; or `{script}` puts the files back one by one."
        raise InputError("; ".join(found), do=do)


def obstacles(tree: Tree, plan: Plan, state: Path, *, runs_commands: bool) -> Iterator[str]:
    """A sentence for each place that cannot be written; `state` is where journals and backups go."""
    steps = [step for step in plan.steps if isinstance(step, WriteFile | RemoveFile)]
    mounts = _mount_points()
    needed: dict[Path, tuple[int, int]] = {}
    backups = 0
    for step in steps:
        try:
            place = tree.place(step.path)
        except NodeError as error:
            yield f"{step.path} {error.what}"
            continue
        above = _existing(place.parent, tree.directory)
        yield from _place(step.path, place, above, mounts)
        size = len(step.after.data()) if isinstance(step, WriteFile) else 0
        backups += place.stat().st_size if place.is_file() else 0
        bytes_, inodes = needed.get(above, (0, 0))
        needed[above] = (bytes_ + size, inodes + 1)
    own = backups + len(plan.to_json()) + len(rescue_script.script(plan)) + (LITTLE if plan.undoes else SPARE)
    kept = _existing(state, tree.directory)
    bytes_, inodes = needed.get(kept, (0, 0))
    needed[kept] = (bytes_ + own, inodes + 2 * len(steps) + (FEW if plan.undoes else INODES))
    yield from _room(needed)
    if runs_commands and any(isinstance(step, RunCommand) and step.phase == "boot" for step in plan.steps):
        boot = tree.directory / "boot"
        if boot.is_dir() and os.statvfs(boot).f_flag & _ST_RDONLY:
            yield "/boot is mounted read-only, and the boot menu or the initramfs has to be made anew there"


def _existing(directory: Path, root: Path) -> Path:
    """The directory, or the lowest one above it that is there."""
    while directory != root and not directory.is_dir():
        directory = directory.parent
    return directory


def _place(path: str, place: Path, above: Path, mounts: set[str]) -> Iterator[str]:
    if str(place) in mounts:
        yield (
            f"{path} is a mount point (a container's file, bind-mounted): it cannot be replaced as a whole; "
            "change the file that is mounted there, where it lies"
        )
    if os.statvfs(above).f_flag & _ST_RDONLY:
        yield f"{path} lies on a file system that is mounted read-only"
        return
    if place.is_file() and (flags := _flags(place)) & (_IMMUTABLE | _APPEND_ONLY):
        yield f"{path} is {_word(flags)}: chattr -{_letter(flags)} {path}, if that is not meant any more"
    if (flags := _flags(above)) & (_IMMUTABLE | _APPEND_ONLY):
        yield f"the directory of {path} is {_word(flags)}: chattr -{_letter(flags)} {posixpath.dirname(path)}"
    if not os.access(above, os.W_OK | os.X_OK):
        yield f"{path} cannot be written by user number {os.geteuid()}"


def _word(flags: int) -> str:
    return "immutable" if flags & _IMMUTABLE else "append-only"


def _letter(flags: int) -> str:
    return "i" if flags & _IMMUTABLE else "a"


def _flags(place: Path) -> int:
    """The attributes of lsattr(1); 0 where the file system has none."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        flags: int = struct.unpack("i", fcntl.ioctl(descriptor, _GET_FLAGS, b"\0" * 4))[0]
    except OSError:
        return 0
    else:
        return flags
    finally:
        os.close(descriptor)


def _room(needed: dict[Path, tuple[int, int]]) -> Iterator[str]:
    """Room for all new files of each file system together. A file system that counts no inodes says 0 of 0."""
    devices: dict[int, tuple[Path, int, int]] = {}
    for directory, (size, inodes) in needed.items():
        device = directory.stat().st_dev
        place, all_bytes, all_inodes = devices.get(device, (directory, 0, 0))
        devices[device] = (place, all_bytes + size, all_inodes + inodes)
    for place, size, inodes in devices.values():
        has = os.statvfs(place)
        if has.f_bavail * has.f_frsize < size:
            yield f"the file system of {place} has {has.f_bavail * has.f_frsize} bytes left, and {size} are needed"
        if has.f_files and has.f_favail < inodes:
            yield f"the file system of {place} has {has.f_favail} inodes left, and {inodes} are needed"


def _mount_points() -> set[str]:
    """Where something is mounted, as this process sees it; blanks and the like are octal there (proc(5))."""
    try:
        text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return set()
    fields = [line.split(" ") for line in text.splitlines()]
    return {re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), each[4]) for each in fields if len(each) > 4}
