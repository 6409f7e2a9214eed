"""The address that an interface came with: what says it, and where nobody does."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from nodes import codes, found, planned, remove, today

from wizard.answers import files as answer_files
from wizard.chapters.shared import cards
from wizard.chapters.shared.cards import Match
from wizard.chapters.vfs import sriov
from wizard.facts import facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.steps import WriteFile
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify
from wizard.report import cards as report_cards

FIRST, SECOND = "0000:3b:00.0", "0000:3b:00.1"
MACS = {FIRST: "0c:42:a1:08:42:18", SECOND: "0c:42:a1:08:42:19"}
NETS = {
    address: f"/sys/devices/pci0000:30/0000:30:02.0/{address}/net/enp59s0f{address[-1]}np{address[-1]}"
    for address in MACS
}
BOND = """\
Ethernet Channel Bonding Driver: v3.7.1 (April 27, 2011)

Slave Interface: enp59s0f0np0
MII Status: up
Permanent HW addr: 0C:42:a1:08:42:18
Slave queue ID: 0

Slave Interface: enp59s0f1np1
Permanent HW addr: 0c:42:a1:08:42:19
"""


def shared(node: MemoryNode, kind: str | None = "3") -> MemoryNode:
    """Both ports have the address of the first, as in a bond or a team."""
    for place in NETS.values():
        node.write(f"{place}/address", f"{MACS[FIRST]}\n")
        node.symlink(f"{place}/master", "../../../../../virtual/net/bond0")
        if kind is not None:
            node.write(f"{place}/addr_assign_type", f"{kind}\n")
    node.write("/sys/class/net/bond0/bonding/mode", "802.3ad 4\n")
    return node


def by_sysfs(node: MemoryNode) -> None:
    for address, place in NETS.items():
        node.write(f"{place}/bonding_slave/perm_hwaddr", f"{MACS[address]}\n")


def by_proc(node: MemoryNode) -> None:
    node.write("/proc/net/bonding/bond0", BOND)


def by_ip(node: MemoryNode) -> None:
    links = [{"ifname": "enp59s0f0np0"}, {"ifname": "enp59s0f1np1", "permaddr": MACS[SECOND].upper()}]
    node.commands[("ip", "-j", "addr")] = Output(("ip", "-j", "addr"), 0, json.dumps(links), "")


def without_serial(node: MemoryNode) -> MemoryNode:
    for place in NETS.values():
        remove(node, f"{place.partition('/net/')[0]}/vpd")
    return node


def functions(node: MemoryNode) -> dict[str, PciFunction]:
    return {each.address: each for each in facts.read(node).pci.functions}


@pytest.mark.parametrize("say", [by_sysfs, by_proc, by_ip])
def test_ports_of_a_bond_are_known_by_the_address_that_they_came_with(say: Callable[[MemoryNode], None]) -> None:
    node = shared(today())
    say(node)
    there = functions(node)
    assert {address: sriov.identity(there[address]) for address in MACS} == {a: f"mac={m}" for a, m in MACS.items()}
    plan = planned(node, vfs={"card": [{"match": {"mac": MACS[SECOND]}, "count": 4}]}, passthrough=None)
    units = [step for step in plan.steps if getattr(step, "path", "").endswith(".service")]
    assert [getattr(unit, "path", "").rpartition("/")[2] for unit in units] == [
        "compute-wizard-vfs-0000-3b-00-1.service"
    ]
    assert isinstance(units[0], WriteFile)
    assert f"mac={MACS[SECOND]} 4" in units[0].after.data().decode()


def test_an_address_that_two_have_means_the_one_that_came_with_it() -> None:
    node = shared(today())
    by_sysfs(node)
    pci = facts.read(node).pci
    assert [each.address for each in cards.select(Match(mac=MACS[FIRST]), pci)] == [FIRST]
    assert [each.address for each in cards.select(Match(mac=MACS[SECOND]), pci)] == [SECOND]


def test_an_address_that_was_set_by_hand_still_finds_its_card() -> None:
    node = today()
    node.write(f"{NETS[FIRST]}/address", "02:00:00:00:00:01\n")
    node.write(f"{NETS[FIRST]}/addr_assign_type", "3\n")
    function = functions(node)[FIRST]
    assert cards.select(Match(mac="02:00:00:00:00:01"), facts.read(node).pci) == [function]
    assert sriov.identity(function) == "serial=MT2011X04218"


@pytest.mark.parametrize("kind", ["3", None])
def test_where_nobody_says_it_the_address_is_no_identity(kind: str | None) -> None:
    node = without_serial(shared(today(), kind))
    for place in NETS.values():
        remove(node, f"{place.partition('/net/')[0]}/infiniband")
    there = functions(node)
    assert [sriov.identity(there[address]) for address in MACS] == ["none", "none"]
    assert str(cards.identity(there[SECOND])) == "netdev enp59s0f1np1"
    plan = planned(node, vfs={"card": [{"match": {"netdev": "enp59s0f1np1"}, "count": 4}]}, passthrough=None)
    assert found(plan, "VFS-UNKNOWN-CARD").severity == "tells"
    assert "VFS-UNKNOWN-CARD" not in codes(planned(today()))


@pytest.mark.parametrize("text", ["[", "[1]", '{"a": 1}', '[{"permaddr": "x"}]', "null"])
def test_nonsense_of_ip_is_nothing(text: str) -> None:
    node = shared(today())
    node.commands[("ip", "-j", "addr")] = Output(("ip", "-j", "addr"), 0, text, "")
    by_sysfs(node)
    assert sriov.identity(functions(node)[SECOND]) == f"mac={MACS[SECOND]}"


def test_a_recording_without_the_file_says_what_it_always_said() -> None:
    assert sriov.identity(functions(today())[SECOND]) == f"mac={MACS[SECOND]}"


def test_a_unit_that_would_refuse_its_card_is_seen_and_written_anew() -> None:
    node = shared(today())
    by_sysfs(node)
    name = "compute-wizard-vfs-0000-3b-00-1.service"
    line = f"ExecStart=/usr/local/sbin/compute-wizard-vfs {SECOND} 15b3 1017 mac={MACS[FIRST]} 8\n"
    node.write(f"/etc/systemd/system/{name}", f"[Service]\n{line}")
    node.symlink(f"/etc/systemd/system/multi-user.target.wants/{name}", f"/etc/systemd/system/{name}")
    answers = answer_files.from_data({"vfs": {"card": [{"match": {"netdev": "enp59s0f1np1"}, "count": 8}]}})
    states = {check.what: check for check in verify(facts.read(node), answers)}
    check = states[f"{SECOND} gets 8 VFs at each boot"]
    assert check.state == "failed"
    assert MACS[FIRST] in check.seen


def test_inspect_shows_both() -> None:
    node = shared(today())
    by_sysfs(node)
    text = "\n".join(report_cards.lines(facts.read(node)))
    assert f"enp59s0f1np1 {MACS[FIRST]} (came with {MACS[SECOND]})" in text
    assert text.count("came with") == 1


def test_an_address_of_several_of_which_nobody_says_whose_it_was_is_warned_of() -> None:
    node = shared(today())
    answers = {"card": [{"match": {"mac": MACS[FIRST]}, "count": 4}]}
    finding = found(planned(node, vfs=answers, passthrough=None), "VFS-MAC-SHARED")
    assert finding.severity == "warns"
    assert f"{FIRST} and {SECOND}" in finding.seen
    by_sysfs(node)
    assert "VFS-MAC-SHARED" not in codes(planned(node, vfs=answers, passthrough=None))
