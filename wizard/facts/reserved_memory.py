"""Memory that the firmware keeps mapped for a device (Intel's RMRR, AMD's unity map, ARM's RMR): no guest gets such a device.

Three places say so without a reboot. The IOMMU groups that run: a line `START END direct` in `reserved_regions` (Linux 4.11 and newer;
`direct-relaxable`, of graphics and USB, is no obstacle). The ACPI table DMAR, which only root reads: RMRR structures with their device
scope (Intel VT-d specification, sections 8.3 and 8.4). And the kernel's log, once vfio was refused. A VF is in no device scope: Linux
looks for physical functions there (drivers/iommu/intel/dmar.c), so that only its own group can tell.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

DMAR = "/sys/firmware/acpi/tables/DMAR"
GROUPS = "/sys/kernel/iommu_groups"
DEVICES = "/sys/bus/pci/devices"
LOGS = ("/var/log/dmesg", "/var/log/kern.log")
_HEADER, _STRUCTURE, _RMRR = 48, struct.Struct("<HH"), struct.Struct("<HHHHQQ")
_REFUSED = regex(
    r"(?:^|\s)vfio-pci ([0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]): .*"
    r"(?:ineligible for IOMMU domain attach due to platform RMRR|requested this device have a 1:1 IOMMU mapping)"
)
_ADDRESS = regex(r"([0-9a-f]{4}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])")
_RELAXED = ("0c03", "03")
"""Classes for which Linux lets go of such memory: USB controllers and graphics (device_rmrr_is_relaxable)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A function with such memory, and the place that says so."""

    address: str
    place: str


@dataclass(frozen=True, slots=True)
class ReservedMemory:
    """`groups_tell`: the running kernel names it for each group, so that a group without is free of it."""

    kept: tuple[Kept, ...]
    groups_tell: bool
    unseen: tuple[Unseen, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """A device that an RMRR is about: the bus where its path begins, the path as (device, function); `below`: all behind it, too."""

    segment: int
    bus: int
    path: tuple[tuple[int, int], ...]
    below: bool
    region: str


def read(node: Node, groups: Iterable[tuple[int, tuple[str, ...]]]) -> ReservedMemory:
    """What can be seen of it now. Never raises."""
    kept: dict[str, str] = {}
    told = False
    for number, members in groups:
        path = f"{GROUPS}/{number}/reserved_regions"
        text = node.text(path)
        told = told or text is not None
        lines = [line.split() for line in (text or "").splitlines()]
        direct = [words for words in lines if len(words) == 3 and words[2] == "direct"]
        for member in members if direct else ():
            kept[member] = f"{path}: {' '.join(direct[0])}"
    unseen: tuple[Unseen, ...] = ()
    if not told:
        by_table, unseen = _by_table(node)
        kept = by_table | _by_log(node)
    return ReservedMemory(tuple(Kept(*each) for each in sorted(kept.items())), told, unseen)


def _by_table(node: Node) -> tuple[dict[str, str], tuple[Unseen, ...]]:
    if DMAR.rpartition("/")[2] not in best_effort.names(node, DMAR.rpartition("/")[0]):
        return {}, ()
    what = "memory that the firmware keeps of devices (RMRR)"
    try:
        content = node.read(DMAR)
    except NodeError as error:
        return {}, (Unseen(what, f"{DMAR}: {error.what}"),)
    scopes = scopes_of(content)
    if scopes is None:  # a recording has the name alone
        return {}, (Unseen(what, f"{DMAR} is no whole table"),) if node.live else ()
    found = {}
    for address in best_effort.names(node, DEVICES) if scopes else ():
        where = best_effort.resolved(node, f"{DEVICES}/{address}")
        scope = next((scope for scope in scopes if meant(scope, where)), None)
        code = (node.text(f"{where}/class") or "").strip().removeprefix("0x")
        if scope is not None and not code.startswith(_RELAXED):
            found[address] = f"{DMAR}: RMRR {scope.region}"
    return found, ()


def scopes_of(table: bytes) -> list[Scope] | None:
    """The device scopes of all RMRRs of a DMAR table; None for what is no such table."""
    if len(table) < _HEADER or table[:4] != b"DMAR":
        return None
    found: list[Scope] = []
    for kind, content in _pieces(table[_HEADER : int.from_bytes(table[4:8], "little")]):
        if kind == 1 and len(content) >= _RMRR.size:
            _, _, _, segment, base, limit = _RMRR.unpack_from(content)
            found += _scopes(content[_RMRR.size :], segment, f"{base:#x}-{limit:#x}")
    return found


def _pieces(content: bytes) -> Iterator[tuple[int, bytes]]:
    while len(content) >= _STRUCTURE.size:
        kind, length = _STRUCTURE.unpack_from(content)
        if length < _STRUCTURE.size:
            return
        yield kind, content[:length]
        content = content[length:]


def _scopes(content: bytes, segment: int, region: str) -> Iterator[Scope]:
    while len(content) >= 8 and content[1] >= 8:
        kind, length, bus = content[0], content[1], content[5]
        pairs = content[6:length]
        path = tuple(zip(pairs[::2], pairs[1::2], strict=False))
        if kind in (1, 2):  # an endpoint, or a bridge with all below it
            yield Scope(segment, bus, path, kind == 2, region)
        content = content[length:]


def meant(scope: Scope, where: str) -> bool:
    """Whether a scope is about the function at this path of sysfs, /sys/devices/pci0000:00/0000:00:02.0/0000:03:00.0: each part of
    it is one hop of the path, whose first is on the scope's bus."""
    hops = [tuple(int(group, 16) for group in match.groups()) for match in _ADDRESS.finditer(where)]
    for at, (segment, bus, _, _) in enumerate(hops):
        length = len(hops) - at
        if segment == scope.segment and bus == scope.bus and (length == len(scope.path) or scope.below):
            own = tuple((device, function) for _, _, device, function in hops[at : at + len(scope.path)])
            if own == scope.path:
                return True
    return False


def _by_log(node: Node) -> dict[str, str]:
    """Devices that vfio was refused for it, in this boot's log."""
    texts = [(path, node.text(path) or "") for path in LOGS]
    if node.live:
        said = best_effort.ask(node, ["dmesg"])
        texts.append(("dmesg", said.stdout if said is not None else ""))
    found = {}
    for place, text in texts:
        for line in text.splitlines():
            match = _REFUSED.search(line)
            if match:
                found[match[1]] = f"{place}: {line.strip()[-160:]}"
    return found
