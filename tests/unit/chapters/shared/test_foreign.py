"""Where the answers say off and others keep it on: told with its place, and neither plan nor verify fails for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nodes import answered, codes, origin, planned, replace, today

from wizard.facts import facts
from wizard.model.findings import Check, Finding
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import exit_code, verify
from wizard.simulator.built_in import built_in

CODE = "NODE-SET-ELSEWHERE"
ALONE: dict[str, Any] = dict.fromkeys(("iommu", "vfs", "passthrough", "gateways", "metadata"))
CX3 = {"match": {"serial": "MT1644X02937"}}
CX5 = {"match": {"address": "0000:3b:00.0"}}
OFF: dict[str, Any] = {
    "iommu": {"enable": False},
    "vfs": {"card": [{**CX3, "count": 0}]},
    "passthrough": {"pool": []},
    "gateways": {"network": []},
    "metadata": {"redirect": False},
}
RULE = "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect , pcnt = 3 -- bcnt = 180"


def grub(node: MemoryNode) -> None:
    node.entries["/etc/default/grub"].content += b'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX intel_iommu=on"\n'
    node.write("/etc/default/grub.d/90-other.cfg", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX quiet"\n')


def module_option(node: MemoryNode) -> None:
    node.write("/etc/modprobe.d/other.conf", "# theirs\noptions mlx4_core num_vfs=8\n")


def kernel_option(node: MemoryNode) -> None:
    node.entries["/etc/default/grub"].content += b'GRUB_CMDLINE_LINUX="mlx4_core.num_vfs=8"\n'


def whitelist(node: MemoryNode) -> None:
    replace(
        node, "/etc/nova/nova.conf", "[DEFAULT]\n", '[DEFAULT]\npci_passthrough_whitelist = {"vendor_id": "15b3"}\n'
    )


def dnsmasq(node: MemoryNode) -> None:
    replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", "[DEFAULT]\ndnsmasq_config_file = /etc/theirs.conf\n")
    node.write("/etc/theirs.conf", "# theirs\ndhcp-option=tag:demo-net,option:router,10.44.1.9\n")


def rule(node: MemoryNode) -> None:
    argv = ("ebtables", "-t", "nat", "-L", "--Lc")
    listing = f"Bridge table: nat\n\nBridge chain: PREROUTING, entries: 1, policy: ACCEPT\n{RULE}\n"
    node.commands[argv] = Output(argv, 0, listing, "")


def told(node: MemoryNode, **chapters: Any) -> tuple[list[Finding], list[Check]]:
    """The findings of this code, and the checks that say it. Neither plan nor verify has anything to be done."""
    only = {**ALONE, **chapters}
    plan = planned(node, **only)
    seen = facts.read(node)
    checks = verify(seen, answered(seen, **only))
    assert plan.steps == ()
    assert {check.state for check in checks} == {"held"}
    assert exit_code(checks) == 0
    assert {each.severity for each in plan.findings if each.code == CODE} <= {"tells"}
    found = [each for each in plan.findings if each.code == CODE]
    return found, [check for check in checks if "set elsewhere" in check.seen]


@pytest.mark.parametrize(
    ("chapter", "spoil", "places"),
    [
        ("iommu", grub, ["/etc/default/grub line 9: intel_iommu=on"]),
        ("vfs", module_option, ["/etc/modprobe.d/other.conf line 2: options mlx4_core num_vfs=8"]),
        ("vfs", kernel_option, ["/etc/default/grub line 9): mlx4_core.num_vfs=8"]),
        ("passthrough", whitelist, ['/etc/nova/nova.conf line 2: pci_passthrough_whitelist = {"vendor_id": "15b3"}']),
        (
            "gateways",
            dnsmasq,
            [
                "/etc/nova/nova.conf line 2: dnsmasq_config_file = /etc/theirs.conf",
                "/etc/theirs.conf line 2: the router of demo-net is 10.44.1.9",
            ],
        ),
        ("metadata", rule, ["ebtables -t nat, PREROUTING: "]),
    ],
)
def test_what_others_keep_on_is_told_with_its_place(
    chapter: str, spoil: Callable[[MemoryNode], None], places: list[str]
) -> None:
    node = origin()
    spoil(node)
    (finding,), (check,) = told(node, **{chapter: OFF[chapter]})
    assert (finding.chapter, check.chapter) == (chapter, chapter)
    for place in places:
        assert place in finding.seen
        assert place in check.seen
    assert "90-other.cfg" not in finding.seen


def test_where_nobody_keeps_anything_on_nothing_is_told() -> None:
    assert told(origin(), **OFF) == ([], [])


def test_an_option_that_is_0_in_the_end_keeps_nothing_on() -> None:
    node = origin()
    module_option(node)
    node.write("/etc/modprobe.d/zz.conf", "options mlx4_core num_vfs=0\n")
    assert told(node, vfs=OFF["vfs"]) == ([], [])


def test_vfs_that_are_there_by_an_option_of_others_have_not_failed() -> None:
    node = origin()
    module_option(node)
    for path in [path for path in node.entries if path.endswith("/0000:04:00.0/sriov_numvfs")]:
        node.entries[path].content = b"8\n"
    assert len(told(node, vfs=OFF["vfs"])[1]) == 1


def test_another_owner_of_a_number_that_is_to_be_0() -> None:
    node = today()
    node.write("/etc/rc.local", "#!/bin/sh\necho 4 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs\n", mode=0o755)
    (finding,), (check,) = told(node, vfs={"card": [{**CX5, "count": 0}]})
    assert "/etc/rc.local line 2: echo 4" in finding.seen
    assert check.what.startswith("0000:3b:00.0")


def test_entries_that_are_not_in_the_list_any_more() -> None:
    node = today()
    node.write("/etc/rc.local", "#!/bin/sh\necho 4 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs\n", mode=0o755)
    other = {"match": {"address": "0000:3b:00.1"}, "count": 0}
    (finding,), _ = told(node, vfs={"card": [other]})
    assert "/etc/rc.local line 2" in finding.seen
    served = origin()
    dnsmasq(served)
    networks = {"config_file": "/etc/theirs.conf", "network": [{"label": "other", "router": "10.45.1.1"}]}
    plan = planned(served, **{**ALONE, "gateways": networks})
    (finding,) = [each for each in plan.findings if each.code == CODE]
    assert finding.seen == "set elsewhere: /etc/theirs.conf line 2: the router of demo-net is 10.44.1.9"


def test_what_is_answered_is_not_set_elsewhere() -> None:
    node = origin()
    for spoil in (grub, module_option, dnsmasq):
        spoil(node)
    assert CODE not in codes(planned(node))


def test_off_on_a_node_with_neutron_blocks_nothing() -> None:
    assert told(today(), gateways=OFF["gateways"], metadata=OFF["metadata"]) == ([], [])


def test_a_boot_menu_that_still_holds_an_argument_of_ours_is_made_anew() -> None:
    node = origin()
    menu = node.entries["/boot/grub/grub.cfg"]
    menu.content = menu.content.replace(b" ro ", b" ro intel_iommu=on ")
    plan = planned(node, **{**ALONE, "iommu": OFF["iommu"]})
    assert ("update-grub",) in [getattr(step, "argv", None) for step in plan.steps]


def test_the_demo_has_nothing_of_others() -> None:
    assert CODE not in codes(planned(built_in("demo")))


def test_verify_says_what_blocks_and_what_to_do() -> None:
    seen = facts.read(origin())
    answers = answered(seen, **{**ALONE, "vfs": {"card": [{"match": {"serial": "none-such"}, "count": 4}]}})
    (check,) = [each for each in verify(seen, answers) if each.chapter == "plan"]
    assert "VFS-NO-SUCH-CARD" in check.seen
    assert "name the card by its serial" in check.do
