"""GUIDs of InfiniBand VFs: given once, set at each boot by the script, read back; and nothing is made up in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodes import answered, found, planned, today
from obedience import carry_out

from wizard.answers import alternatives, suggestion
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.chapters.shared import cards as shared_cards
from wizard.chapters.shared import guids
from wizard.chapters.vfs import chapter, ib_guids, sriov
from wizard.errors import Exit, InputError
from wizard.facts import facts
from wizard.facts.pci.vf_guids import VfPort
from wizard.model.steps import RunCommand, WriteFile
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import verify
from wizard.report import comparison
from wizard.runs.journal import follow
from wizard.simulator.built_in import simulate

ADDRESS = "0000:3b:00.0"
LIST = "0250:56ff:fe00:0001-0250:56ff:fe00:0008"


def infiniband() -> MemoryNode:
    """The ConnectX-5 of `today` as an InfiniBand card; modelled."""
    node = today()
    for path in [path for path in node.entries if path.endswith("/link_layer") and "/0000:3b:00." in path]:
        node.write(path, "InfiniBand\n")
    return node


def asked(count: int = 4, given: str = LIST, **more: Any) -> dict[str, Any]:
    return {"card": [{"match": {"address": ADDRESS}, "count": count, "guids": given, **more}]}


def test_what_is_suggested_is_of_this_node_and_port_and_stands_in_the_answers() -> None:
    seen = facts.read(infiniband())
    mine = suggestion.suggest(seen).of(chapter.Answers)
    assert mine is not None
    (card,) = [card for card in mine.card if card.guids]
    every = guids.parse(card.guids)
    ports = [function for function in seen.pci.functions if function.is_infiniband and not function.is_vf]
    assert len(every) == sum(function.total_vfs or 0 for function in ports) == len(set(every))
    assert all(each >> 57 & 1 and not each >> 56 & 1 for each in every)  # locally administered, and no group's
    assert suggestion.suggest(seen).to_data() == suggestion.suggest(seen).to_data()
    assert "guids" not in str(suggestion.suggest(facts.read(today())).to_data())


def test_of_other_cards_the_answers_say_nothing_of_it() -> None:
    text = answer_files.to_toml(suggestion.suggest(facts.read(today())), {})
    assert "guids" not in text and "policy" not in text


def test_the_unit_and_the_step_now_carry_the_guids_that_are_shown() -> None:
    plan = planned(infiniband(), vfs=asked(3))
    (unit,) = [
        step for step in plan.steps if isinstance(step, WriteFile) and "compute-wizard-vfs-0000-3b-00-0" in step.path
    ]
    words = "guids=02:50:56:ff:fe:00:00:01,02:50:56:ff:fe:00:00:02,02:50:56:ff:fe:00:00:03 policy=follow"
    assert words in unit.after.data().decode()
    (step,) = [step for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] == sriov.SCRIPT]
    assert " ".join(step.argv).endswith(words)
    assert found(plan, "VFS-IB-GUID").severity == "tells"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (asked(9), "8 GUIDs for 9 VFs"),
        (asked(2, "0250:56ff:fe00:0001"), "1 GUID for 2 VFs"),
        (
            {"card": [*asked(2)["card"], {"match": {"address": "0000:3b:00.1"}, "count": 2, "guids": LIST}]},
            "is VF 0 of 0000:3b:00.0",
        ),
    ],
)
def test_too_few_or_twice_is_refused(answers: dict[str, Any], said: str) -> None:
    finding = found(planned(infiniband(), vfs=answers), "VFS-IB-GUID")
    blocks = [
        each
        for each in planned(infiniband(), vfs=answers).findings
        if each.code == "VFS-IB-GUID" and each.severity == "blocks"
    ]
    assert finding and said in blocks[0].seen


def test_the_ports_own_guid_is_refused() -> None:
    node = infiniband()
    own = next(
        device.node_guid for each in facts.read(node).pci.functions for device in each.rdma if each.address == ADDRESS
    )
    blocks = [each for each in planned(node, vfs=asked(1, own)).findings if each.severity == "blocks"]
    assert any("the GUID of" in each.seen for each in blocks if each.code == "VFS-IB-GUID")


def test_on_ethernet_they_are_refused() -> None:
    blocks = [each for each in planned(today(), vfs=asked()).findings if each.code == "VFS-IB-GUID"]
    assert [each.severity for each in blocks] == ["blocks"]


@pytest.mark.parametrize(
    "text", ["x", "0:0:0:0", "0000:0000:0000:0000", "ffff:ffff:ffff:ffff", f"{LIST},0250:56ff:fe00:0003", "2-1"]
)
def test_what_is_no_guid_is_one_clear_message(text: str) -> None:
    with pytest.raises(InputError, match="guids"):
        answered(facts.read(infiniband()), vfs=asked(1, text))


@given(st.integers(1, 2**64 - 2), st.integers(1, 40))
def test_every_way_of_writing_is_read(first: int, count: int) -> None:
    last = min(first + count - 1, 2**64 - 2)
    text = f"{guids.written(first)}-{guids.by_bytes(last)}"
    assert guids.parse(text) == tuple(range(first, last + 1))
    assert guids.parse(", ".join(map(guids.written, range(first, last + 1)))) == guids.parse(text)


def test_the_whole_way_and_back(tmp_path: Path) -> None:
    node = simulate(infiniband(), tmp_path)
    answers = answered(facts.read(node), vfs=asked(4), passthrough=None)
    started = launch.start(node.directory, make_plan(facts.read(node), answers), simulated=True)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    wanted = tuple(f"02505 6fffe00000{each}".replace(" ", "") for each in (1, 2, 3, 4))
    for _ in ("now", "after a reboot"):
        (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
        assert [each.guid for each in port.vf_ports or ()] == list(wanted)
        states = {check.what: check.state for check in verify(facts.read(node), answers)}
        assert states[f"VFs of {ADDRESS} have the GUIDs of the answers"] == "held"
        assert [step for step in make_plan(facts.read(node), answers).steps if "vfs" in step.chapters] == []
        node.reboot()
    back = launch.start(node.directory, undo_plan(facts.read(node), node, None, node.directory), simulated=True)
    list(follow(back.journal))
    assert launch.result(back) is Exit.DONE
    (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
    assert (port.num_vfs, port.vf_ports) == (0, None)


def test_ip_says_them_where_the_driver_has_no_files() -> None:
    node = infiniband()
    node.write(node.resolve(f"/sys/bus/pci/devices/{ADDRESS}") + "/sriov_numvfs", "2\n")
    name = next(each.netdevs[0].name for each in facts.read(node).pci.functions if each.address == ADDRESS)
    line = "    vf {0}     link/infiniband 00:00 brd 00:ff, NODE_GUID 02:50:56:ff:fe:00:00:0{1}, PORT_GUID 02:50:56:ff:fe:00:00:0{2}, link-state auto"
    argv = ("ip", "link", "show", "dev", name)
    node.commands[argv] = Output(argv, 0, "\n".join(["7: ib0: <UP>", line.format(0, 1, 1), line.format(1, 2, 3)]), "")
    (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
    assert port.vf_ports == (VfPort("025056fffe000001", "follow"), VfPort("", "follow"))
    node.commands.clear()
    (port,) = [each for each in facts.read(node).pci.functions if each.address == ADDRESS]
    assert port.vf_ports is None


def with_vfs(*ports: tuple[str, str], address: str = ADDRESS) -> MemoryNode:
    """The card with VFs that have these GUIDs and states, by the driver's files."""
    node = infiniband()
    base = node.resolve(f"/sys/bus/pci/devices/{address}")
    node.write(f"{base}/sriov_numvfs", f"{len(ports)}\n")
    for number, (guid, policy) in enumerate(ports):
        for name, value in (("node", guid), ("port", guid), ("policy", policy)):
            node.write(f"{base}/sriov/{number}/{name}", f"{value}\n")
    return node


FIRST = "02:50:56:ff:fe:00:00:01"


def test_another_state_than_the_one_asked_for_is_not_held_and_is_set() -> None:
    seen = facts.read(with_vfs((FIRST, "Down")))
    answers = answered(seen, vfs=asked(1, policy="up"))
    states = {check.what: check.state for check in verify(seen, answers)}
    assert states[f"VFs of {ADDRESS} have the GUIDs of the answers"] == "failed"
    steps = [step for step in make_plan(seen, answers).steps if isinstance(step, RunCommand)]
    assert [step.argv[-1] for step in steps if step.argv[0] == sriov.SCRIPT] == ["policy=up"]


def test_a_guid_that_a_vf_of_another_port_has_is_refused() -> None:
    node = with_vfs((FIRST, "Follow"), address="0000:3b:00.1")
    blocks = [each for each in planned(node, vfs=asked(2)).findings if each.severity == "blocks"]
    assert any("VF 0 of 0000:3b:00.1 has now" in each.seen for each in blocks)


def test_where_netplan_makes_the_vfs_nobody_would_set_their_guids() -> None:
    node = infiniband()
    name = next(each.netdevs[0].name for each in facts.read(node).pci.functions if each.address == ADDRESS)
    node.write(
        "/etc/netplan/90-v.yaml",
        f"network:\n  version: 2\n  ethernets:\n    {name}:\n      virtual-function-count: 4\n",
    )
    found_here = [each for each in planned(node, vfs=asked(4)).findings if each.code == "VFS-IB-GUID"]
    assert [each.severity for each in found_here] == ["blocks"]
    assert "netplan" in found_here[0].why
    mine = suggestion.suggest(facts.read(node)).of(chapter.Answers)
    assert mine is not None and not any(card.guids for card in mine.card)


def test_compare_finds_a_guid_that_two_nodes_are_asked_for() -> None:
    nodes = [
        comparison.Compared.of(name, name, facts.read(infiniband()), answered(facts.read(infiniband()), vfs=asked(2)))
        for name in ("a", "b")
    ]
    found_twice = [each["value"] for each in comparison.data(nodes)["duplicates"] if each["kind"] == "guid"]
    assert {"0250:56ff:fe00:0001", "0250:56ff:fe00:0002"} <= set(found_twice)


@pytest.mark.parametrize("policy", ["follow", "up"])
@pytest.mark.parametrize("own", [LIST, ""])
def test_what_was_set_once_is_what_is_suggested_from_then_on(tmp_path: Path, own: str, policy: str) -> None:
    """A second run of the wizard starts from the node as it is: its GUIDs stay what they are."""
    node = simulate(infiniband(), tmp_path)
    first = suggestion.suggest(facts.read(node))
    if own:
        first = answered(facts.read(node), vfs=asked(4, own, policy=policy))
    carry_out(node, make_plan(facts.read(node), first))
    again = suggestion.suggest(facts.read(node))
    pairs = [(a.of(chapter.Answers), cards) for a, cards in ((first, "first"), (again, "again"))]
    made = []
    for mine, _ in pairs:
        assert mine is not None
        requests = [
            each for each in shared_cards.requests(mine, facts.read(node).pci) if each.function.address == ADDRESS
        ]
        made.append([(ib_guids.of(facts.read(node), each)[:4], each.card.policy) for each in requests])
    assert made[0] == made[1]
    assert [
        step for step in make_plan(facts.read(node), again).steps if "compute-wizard-vfs-0000-3b-00-0" in str(step)
    ] == []


def test_answers_for_many_nodes_hold_no_guids_of_one() -> None:
    seen = facts.read(infiniband())
    answers, lost = alternatives.portable(seen, suggestion.suggest(seen))
    assert "guids" not in str(answers.to_data())
    assert any("GUIDs are left out" in each for each in lost["vfs"])
