"""A device whose memory the firmware keeps is given to no guest: blocked where that is certain, said where it is not to be told."""

from __future__ import annotations

import pytest
from nodes import codes, found, planned, today

from wizard.node.recorded import MemoryNode

CODE = "PASSTHROUGH-RESERVED-MEMORY"
DIRECT = "0x00000000bdf6f000 0x00000000bdf7efff direct\n"
MSI = "0x00000000fee00000 0x00000000feefffff msi\n"


def with_vf(group: str) -> MemoryNode:
    """A VF of the ConnectX-5 in a group of its own, with these regions."""
    node = today()
    real = node.resolve("/sys/bus/pci/devices/0000:3b:00.0")
    place = f"{real.rpartition('/')[0]}/0000:3b:00.2"
    for name, value in {"vendor": "0x15b3", "device": "0x1018", "class": "0x020000"}.items():
        node.write(f"{place}/{name}", f"{value}\n")
    node.symlink(f"{place}/physfn", "../0000:3b:00.0")
    node.symlink(f"{real}/virtfn0", "../0000:3b:00.2")
    node.write(f"{real}/sriov_numvfs", "1\n")
    node.symlink(f"{place}/iommu_group", "../../../../kernel/iommu_groups/77")
    node.symlink("/sys/bus/pci/devices/0000:3b:00.2", f"../../../{place.removeprefix('/sys/')}")
    node.symlink("/sys/kernel/iommu_groups/77/devices/0000:3b:00.2", "../../../../bus/pci/devices/0000:3b:00.2")
    node.write("/sys/kernel/iommu_groups/77/reserved_regions", group)
    return node


def test_a_vf_in_such_a_group_blocks() -> None:
    finding = found(planned(with_vf(DIRECT)), CODE)
    assert finding.severity == "blocks"
    assert "0000:3b:00.2" in finding.seen
    assert "/sys/kernel/iommu_groups/77/reserved_regions" in finding.seen


@pytest.mark.parametrize("group", [MSI, "", DIRECT.replace("direct", "direct-relaxable")])
def test_a_vf_that_is_free_of_it_is_not_spoken_of(group: str) -> None:
    assert CODE not in codes(planned(with_vf(group)))


def test_vfs_to_come_of_such_a_card_are_told_as_not_to_be_determined() -> None:
    node = today()
    node.write("/sys/kernel/iommu_groups/45/reserved_regions", MSI + DIRECT)
    finding = found(planned(node), CODE)
    assert finding.severity == "tells"
    assert "cannot be determined before they are there" in finding.why


def test_memory_of_a_card_that_nobody_hands_out_is_not_spoken_of() -> None:
    node = today()
    node.write("/sys/kernel/iommu_groups/61/reserved_regions", DIRECT)
    pool = {"name": "one", "devices": [{"vendor_id": "15b3", "product_id": "1018"}]}
    assert CODE not in codes(planned(node, passthrough={"pool": [pool]}))


def test_a_whole_card_with_such_memory_blocks() -> None:
    node = today()
    node.write("/sys/kernel/iommu_groups/45/reserved_regions", DIRECT)
    pool = {"name": "card", "devices": [{"address": "0000:3b:00.0", "vendor_id": "15b3", "product_id": "1017"}]}
    plan = planned(node, passthrough={"release": "2026.1", "pool": [pool]}, vfs={"card": []})
    assert found(plan, CODE).severity == "blocks"
