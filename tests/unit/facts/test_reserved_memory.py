"""Memory that the firmware keeps of devices: seen in the groups, in the ACPI table and in the log, and of nothing else."""

from __future__ import annotations

import struct

import pytest

from wizard.facts import reserved_memory
from wizard.node.recorded import Entry, MemoryNode

GROUP = "/sys/kernel/iommu_groups/7/reserved_regions"
MSI = "0x00000000fee00000 0x00000000feefffff msi\n"
DIRECT = "0x00000000bdf6f000 0x00000000bdf7efff direct\n"
CARD = "pci0000:00/0000:00:02.0/0000:04:00.0"


def scope(kind: int, bus: int, *path: tuple[int, int]) -> bytes:
    pairs = b"".join(bytes(each) for each in path)
    return bytes([kind, 6 + len(pairs), 0, 0, 0, bus]) + pairs


def rmrr(*scopes: bytes, segment: int = 0) -> bytes:
    content = b"".join(scopes)
    return struct.pack("<HHHHQQ", 1, 24 + len(content), 0, segment, 0xBDF6F000, 0xBDF7EFFF) + content


def drhd() -> bytes:
    return struct.pack("<HHBBHQ", 0, 16, 1, 0, 0, 0xFED90000)


def dmar(*structures: bytes) -> bytes:
    content = b"".join(structures)
    return b"DMAR" + struct.pack("<I", 48 + len(content)) + bytes(40) + content


def node(table: bytes | None = None, where: str = CARD, code: str = "0x020000") -> MemoryNode:
    made = MemoryNode()
    if table is not None:
        made.write(reserved_memory.DMAR, table)
    made.write(f"/sys/devices/{where}/class", f"{code}\n")
    address = where.rpartition("/")[2]
    made.symlink(f"/sys/bus/pci/devices/{address}", f"../../../devices/{where}")
    return made


def kept(made: MemoryNode, *groups: tuple[int, tuple[str, ...]]) -> dict[str, str]:
    return {each.address: each.place for each in reserved_memory.read(made, groups).kept}


@pytest.mark.parametrize(
    ("lines", "there"),
    [
        (DIRECT + MSI, True),
        (MSI, False),
        ("", False),
        (DIRECT.replace("direct", "direct-relaxable"), False),
        (DIRECT.replace("direct", "reserved"), False),
        (MSI + DIRECT, True),
    ],
)
def test_a_running_group_says_so_for_all_its_members(lines: str, there: bool) -> None:
    made = MemoryNode()
    made.write(GROUP, lines)
    found = kept(made, (7, ("0000:04:00.0", "0000:04:00.1")))
    assert set(found) == ({"0000:04:00.0", "0000:04:00.1"} if there else set())
    assert all(GROUP in place and "direct" in place for place in found.values())
    assert reserved_memory.read(made, [(7, ())]).groups_tell


def test_a_group_that_tells_is_believed_and_not_the_table() -> None:
    made = node(dmar(rmrr(scope(1, 0, (2, 0), (0, 0)))))
    made.write(GROUP, MSI)
    assert kept(made, (7, ("0000:04:00.0",))) == {}


@pytest.mark.parametrize(
    ("structure", "there"),
    [
        (rmrr(scope(1, 0, (2, 0), (0, 0))), True),  # through the bridge at 00:02.0
        (rmrr(scope(1, 4, (0, 0))), True),  # by its own bus
        (rmrr(scope(2, 0, (2, 0))), True),  # a bridge, and all below it
        (rmrr(scope(1, 0, (2, 0))), False),  # the bridge alone
        (rmrr(scope(1, 0, (2, 0), (0, 1))), False),  # its other function
        (rmrr(scope(1, 0, (3, 0), (0, 0))), False),
        (rmrr(scope(1, 4, (0, 0)), segment=1), False),
        (rmrr(scope(1, 0, (0x1A, 0)), scope(1, 0, (2, 0), (0, 0))), True),
        (rmrr(scope(3, 0, (2, 0), (0, 0))), False),  # an IOAPIC
        (drhd(), False),
        (drhd() + rmrr(scope(1, 4, (0, 0))), True),
        (rmrr(), False),
        (b"\x01\x00\x00\x00" + rmrr(scope(1, 4, (0, 0))), False),  # a length of 0: nothing behind it is read
    ],
)
def test_the_table_names_devices_by_their_path(structure: bytes, there: bool) -> None:
    assert set(kept(node(dmar(structure)))) == ({"0000:04:00.0"} if there else set())


def test_graphics_and_usb_are_let_go_by_the_kernel() -> None:
    table = dmar(rmrr(scope(1, 0, (2, 0))))
    assert kept(node(table, "pci0000:00/0000:00:02.0", "0x030000")) == {}
    assert kept(node(table, "pci0000:00/0000:00:02.0", "0x0c0330")) == {}
    assert set(kept(node(table, "pci0000:00/0000:00:02.0", "0x020000"))) == {"0000:00:02.0"}


@pytest.mark.parametrize("cut", [0, 3, 4, 40, 47, 49, 60, 70])
def test_a_table_that_is_cut_is_no_traceback(cut: int) -> None:
    table = dmar(drhd(), rmrr(scope(1, 4, (0, 0))))[:cut]
    assert kept(node(table)) == {}


@pytest.mark.parametrize(
    "line",
    [
        "[  12.3] vfio-pci 0000:04:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact "
        "your platform vendor.",
        "Nov  3 kernel: vfio-pci 0000:04:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring it",
    ],
)
def test_the_log_names_what_was_refused(line: str) -> None:
    made = node()
    made.write("/var/log/kern.log", f"DMAR: RMRR base: 0x000000bdf6f000 end: 0x000000bdf7efff\n{line}\n")
    assert set(kept(made)) == {"0000:04:00.0"}


def test_a_table_that_cannot_be_read_is_told_as_unseen() -> None:
    made = node()
    made.add(reserved_memory.DMAR, Entry("file", left_out=4096))
    found = reserved_memory.read(made, ())
    assert found.kept == ()
    assert [each.what for each in found.unseen] == ["memory that the firmware keeps of devices (RMRR)"]
    assert reserved_memory.DMAR in found.unseen[0].why


def test_a_node_without_such_memory_is_told_nothing() -> None:
    assert reserved_memory.read(node(), ()) == reserved_memory.ReservedMemory((), False, ())
    assert reserved_memory.read(node(b""), ()).unseen == ()  # a recording that has the table's name alone
