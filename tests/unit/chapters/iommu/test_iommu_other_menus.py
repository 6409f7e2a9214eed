"""Boot menus that this tool cannot make or look into: told so, never taken for good ones."""

from __future__ import annotations

import pytest
from nodes import codes, found, origin, planned, replace

from wizard.answers import files as answer_files
from wizard.boot.postconditions import shortcomings
from wizard.chapters.iommu import chapter as iommu
from wizard.facts import facts
from wizard.model.findings import Check
from wizard.model.steps import KernelArgumentsPresent
from wizard.node.recorded import MemoryNode

MENU = "/boot/grub/grub.cfg"
STUB = "search --no-floppy --fs-uuid --set=dev 1\nset prefix=($dev)/grub2\nconfigfile $prefix/grub.cfg\n"
BLS = "insmod blscfg\nblscfg\n"


def with_menu(text: str) -> MemoryNode:
    node = origin()
    node.write(MENU, text)
    return node


def redhat(settings: str = "GRUB_ENABLE_BLSCFG=true\n", *entries: str) -> MemoryNode:
    """RHEL 9 or a child of it without the package grubby."""
    node = origin()
    node.write("/etc/os-release", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n')
    node.write("/etc/default/grub", f'GRUB_CMDLINE_LINUX="rhgb quiet"\n{settings}')
    for name in entries:
        node.write(f"/boot/loader/entries/{name}.conf", "title a\noptions root=UUID=1 ro\n")
    return node


def menu_check(node: MemoryNode) -> list[Check]:
    answers = answer_files.from_data({"iommu": {"enable": True, "passthrough_mode": True}})
    return [each for each in iommu.checks(facts.read(node), answers) if MENU in each.what]


@pytest.mark.parametrize(
    ("node", "where"),
    [
        (redhat(), "/etc/default/grub"),
        (redhat('GRUB_ENABLE_BLSCFG=false\nexport GRUB_ENABLE_BLSCFG="true"\n'), "/etc/default/grub"),
        (redhat("", "1-5.14.0"), "/boot/loader/entries"),
        (with_menu(BLS), MENU),
        (with_menu(STUB), MENU),
    ],
    ids=["said so", "said last", "entries alone", "menu that reads BLS files", "menu that loads another"],
)
def test_a_menu_that_grub_mkconfig_does_not_rule_blocks_and_says_what_to_add(node: MemoryNode, where: str) -> None:
    plan = planned(node)
    finding = found(plan, "IOMMU-BOOTLOADER")
    assert finding.severity == "blocks"
    assert where in finding.seen
    assert "intel_iommu=on iommu=pt" in finding.do
    assert {"iommu", "passthrough"} <= set(plan.blocked)
    assert menu_check(node) == []


@pytest.mark.parametrize(
    "node",
    [
        redhat("GRUB_ENABLE_BLSCFG=true\nGRUB_ENABLE_BLSCFG=false\n", "1-5.14.0"),
        redhat("# GRUB_ENABLE_BLSCFG=true\n"),
        origin(),
    ],
    ids=["switched off", "a comment", "Ubuntu"],
)
def test_a_menu_that_grub_mkconfig_rules_stays_ours(node: MemoryNode) -> None:
    assert "IOMMU-BOOTLOADER" not in codes(planned(node))
    assert facts.read(node).boot.way.startswith("grub-")


def test_debians_grub_knows_no_bls_entries() -> None:
    node = origin()
    replace(node, "/etc/default/grub", "GRUB_TIMEOUT", "GRUB_ENABLE_BLSCFG=true\nGRUB_TIMEOUT")
    assert "IOMMU-BOOTLOADER" not in codes(planned(node))


def test_a_menu_with_no_entry_is_not_known_to_hold_anything() -> None:
    node = with_menu("# to be generated\n")
    (check,) = menu_check(node)
    assert (check.state, check.seen) == ("unknown", f"{MENU} holds no entry that boots Linux")
    assert f"{MENU} holds no entry that boots Linux" in {each.why for each in facts.read(node).boot.unseen}
    assert shortcomings(node, [KernelArgumentsPresent(words=("iommu=pt",))]) == (
        [],
        ["the boot menu could not be looked into"],
    )
