"""Which PCI functions carry the mounted file systems and the swap, through partitions, LVM, RAID and multipath."""

from __future__ import annotations

import posixpath
import re

from wizard.dataclass import dataclass
from wizard.facts.pci.addresses import functions_in
from wizard.node import best_effort
from wizard.node.node import Node
from wizard.regex import regex

_BLOCK = "/sys/class/block"
_MOUNTS = ("/proc/self/mountinfo", "/proc/1/mountinfo")
_TABLES = ("/proc/mounts", "/proc/self/mounts", "/proc/1/mounts")
_ESCAPE = regex(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Disk:
    """A block device in use. `uses` are its mount points, or "swap"; `functions` is empty where no PCI function is
    known to carry it."""

    name: str
    uses: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Mount:
    device: str  # "/dev/sda2"
    number: str  # "8:2", or ""
    use: str


def read(node: Node) -> tuple[Disk, ...] | None:
    """The block devices with a mounted file system or swap on them, or None where the mounts cannot be seen."""
    mounts = _mounts(node)
    if mounts is None:
        return None
    names = best_effort.names(node, _BLOCK)
    uses: dict[str, dict[str, None]] = {}
    for mount in [*mounts, *_swaps(node)]:
        for name in _names_of(node, mount, names):
            uses.setdefault(name, {})[mount.use] = None
    return tuple(Disk(name, tuple(uses[name]), _functions(node, name, set(names))) for name in sorted(uses))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)


def _mounts(node: Node) -> list[_Mount] | None:
    for path in _MOUNTS:
        text = node.text(path)
        if text:
            return [mount for line in text.splitlines() if (mount := _of_mountinfo(line))]
    for path in _TABLES:
        text = node.text(path)
        if text:
            rows = (line.split() for line in text.splitlines())
            return [_Mount(_unescaped(row[0]), "", _unescaped(row[1])) for row in rows if len(row) > 1]
    return None


def _of_mountinfo(line: str) -> _Mount | None:
    """`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw` (Documentation/filesystems/proc.rst)."""
    before, dash, after = line.partition(" - ")
    left, right = before.split(), after.split()
    if not dash or len(left) < 5 or len(right) < 2:
        return None
    return _Mount(_unescaped(right[1]), left[2], _unescaped(left[4]))


def _swaps(node: Node) -> list[_Mount]:
    rows = (line.split() for line in (node.text("/proc/swaps") or "").splitlines())
    return [_Mount(_unescaped(row[0]), "", "swap") for row in rows if row and row[0].startswith("/dev/")]


def _names_of(node: Node, mount: _Mount, names: list[str]) -> list[str]:
    """The block device of a mount, or every member of a btrfs that spans several."""
    found = _name_of(node, mount, names)
    if not found:
        return []
    for identifier in best_effort.names(node, "/sys/fs/btrfs"):
        members = best_effort.names(node, f"/sys/fs/btrfs/{identifier}/devices")
        if found in members:
            return [member for member in members if member in names]
    return [found]


def _name_of(node: Node, mount: _Mount, names: list[str]) -> str:
    """By the device's own name, by what that links to, by the name of a mapping, or by number (/dev/root)."""
    if mount.device.startswith("/dev/"):
        for path in (mount.device, best_effort.resolved(node, mount.device)):
            name = path.removeprefix("/dev/").replace("/", "!")  # as sysfs writes cciss/c0d0
            if name in names:
                return name
        if mount.device.startswith("/dev/mapper/"):
            mapped = posixpath.basename(mount.device)
            for name in names:
                if name.startswith("dm-") and node.text(f"{_BLOCK}/{name}/dm/name") == mapped:
                    return name
    if mount.number and not mount.number.startswith("0:"):  # major 0 is no block device
        for name in names:
            if node.text(f"{_BLOCK}/{name}/dev") == mount.number:
                return name
    return ""


def _functions(node: Node, name: str, names: set[str]) -> tuple[str, ...]:
    """The PCI functions below a block device and below all it stands on."""
    todo, seen = [name], set()
    found: set[str] = set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        path = best_effort.resolved(node, f"{_BLOCK}/{here}")
        found.update(functions_in(path))
        found.update(_of_nvme_subsystem(node, path))
        todo += [slave for slave in best_effort.names(node, f"{_BLOCK}/{here}/slaves") if slave in names]
        parent = posixpath.basename(posixpath.dirname(path))
        todo += [parent] if parent in names else []  # a partition's slaves are those of its disk
    return tuple(sorted(found))


def _of_nvme_subsystem(node: Node, path: str) -> set[str]:
    """Native NVMe multipath: the disk is virtual, and its controllers are links in the directory of the subsystem."""
    match = re.match(r"(/sys/devices/virtual/nvme-subsystem/[^/]+)/", path)
    if match is None:
        return set()
    controllers = [name for name in best_effort.names(node, match[1]) if re.fullmatch(r"nvme\d+", name)]
    return {each for name in controllers for each in functions_in(best_effort.resolved(node, f"{match[1]}/{name}"))}
