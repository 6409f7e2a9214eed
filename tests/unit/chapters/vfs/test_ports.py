"""The kinds of an mlx4 card's ports: asked for, promised by the module option, and looked at when the node is up again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nodes import CX3, answered
from obedience import carry_out

from wizard.answers import suggestion
from wizard.apply import launch
from wizard.facts import facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import verify
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

PORTS = [f"{CX3}/mlx4_port1", f"{CX3}/mlx4_port2"]


def asked(node: SimulatedNode, ports: object, count: int = 4) -> AllAnswers:
    card = {"match": {"vendor": "15b3", "product": "1007"}, "count": count, "ports": ports}
    return answered(facts.read(node), vfs={"card": [card]}, passthrough=None, gateways=None, metadata=None)


def check(node: SimulatedNode, answers: AllAnswers) -> Check:
    (found,) = [each for each in verify(facts.read(node), answers) if each.what.startswith("The ports of")]
    return found


def kinds(node: SimulatedNode) -> list[str | None]:
    return [node.text(path) for path in PORTS]


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("origin"), tmp_path)


def apply(node: SimulatedNode, answers: AllAnswers) -> None:
    started = launch.start(node.directory, make_plan(facts.read(node), answers), simulated=True)
    assert list(follow(started.journal))[-1]["event"] == "end"


@pytest.mark.parametrize(
    ("ports", "after"),
    [("ethernet", ["eth", "eth"]), (["infiniband", "ethernet"], ["ib", "eth"]), ("infiniband", ["ib", "ib"])],
)
def test_the_ports_come_up_as_asked_and_verify_looks(node: SimulatedNode, ports: object, after: list[str]) -> None:
    answers = asked(node, ports)
    assert check(node, answers).state == ("held" if after == ["ib", "ib"] else "failed")
    carry_out(node, make_plan(facts.read(node), answers))
    found = check(node, answers)
    assert found.state == ("held" if after == ["ib", "ib"] else "pending"), found
    assert found.seen.startswith("mlx4_port1 is ib, mlx4_port2 is ib")
    node.reboot()
    assert kinds(node) == after
    assert check(node, answers).state == "held"
    seen = facts.read(node)
    assert seen.pci.functions[0].port_types == tuple(after)
    assert {each.state for each in verify(seen, answers)} == {"held"}


def test_they_are_what_they_were_after_undo_and_a_reboot(node: SimulatedNode) -> None:
    apply(node, asked(node, "ethernet"))
    node.reboot()
    assert kinds(node) == ["eth", "eth"]
    back = launch.start(node.directory, undo_plan(facts.read(node), node, None, node.directory), simulated=True)
    list(follow(back.journal))
    node.reboot()
    assert kinds(node) == ["ib", "ib"]


@pytest.mark.parametrize("ports", ["keep", "ethernet"])
def test_nothing_is_looked_for_where_nothing_is_asked(node: SimulatedNode, ports: str) -> None:
    answers = asked(node, ports, count=0 if ports == "ethernet" else 4)
    assert not [each for each in verify(facts.read(node), answers) if each.what.startswith("The ports of")]


def test_a_card_that_nobody_drives_says_nothing_of_its_ports(node: SimulatedNode) -> None:
    for path in PORTS:
        node.place(path).unlink()
    found = check(node, asked(node, "ethernet"))
    assert (found.state, "mlx4_core does not drive the card" in found.seen) == ("unknown", True)


def test_an_image_that_was_not_made_anew_is_told_before_the_reboot(node: SimulatedNode) -> None:
    answers = asked(node, "ethernet")
    plan = make_plan(facts.read(node), answers)
    steps = tuple(step for step in plan.steps if getattr(step, "argv", ("",))[0] != "update-initramfs")
    carry_out(node, plan.model_copy(update={"steps": steps}))
    found = check(node, answers)
    assert (found.state, "has to be rebuilt" in found.do) == ("failed", True)


def given(node: SimulatedNode, value: str) -> None:
    node.put("/sys/module/mlx4_core/parameters/port_type_array", f"{value}\n")


def on_line(node: SimulatedNode) -> None:
    node.put("/proc/cmdline", f"{node.text('/proc/cmdline')} mlx4_core.port_type_array=1,1\n")


def by_rdma(node: SimulatedNode) -> None:
    node.place("/etc/rdma").mkdir()
    node.put("/etc/rdma/mlx4.conf", "# address ports\n0000:04:00.0 ib\tib\n")


@pytest.mark.parametrize(
    ("layer", "seen"),
    [
        (on_line, "the kernel's command line holds mlx4_core.port_type_array=1,1"),
        (by_rdma, "set after the driver by /etc/rdma/mlx4.conf line 2: 0000:04:00.0 ib ib"),
        (
            lambda node: given(node, "1,1"),
            "was loaded with port_type_array=1,1, /etc/modprobe.d/mlx4_core.conf says 2,2",
        ),
        (lambda node: None, "mlx4_core was told 2,2, and the card did not take it"),
    ],
)
def test_after_the_reboot_the_layer_that_dropped_it_is_named(
    node: SimulatedNode, layer: Callable[[SimulatedNode], None], seen: str
) -> None:
    answers = asked(node, "ethernet")
    apply(node, answers)
    node.reboot()
    for path in PORTS:
        node.put(path, "ib\n")
    layer(node)
    found = check(node, answers)
    assert (found.state, seen in found.seen) == ("failed", True), found
    assert found.do


def test_what_the_option_says_is_suggested_again(node: SimulatedNode) -> None:
    apply(node, asked(node, ["infiniband", "ethernet"]))
    data = suggestion.suggest(facts.read(node)).to_data()
    assert data["vfs"]["card"][0]["ports"] == ["infiniband", "ethernet"]


@pytest.mark.parametrize(
    ("line", "blocks"),
    [
        ("0000:04:00.0 ib ib", True),
        ("0000:04:00.0\teth eth", False),
        ("0000:05:00.0 ib ib", False),
        ("# 0000:04:00.0 ib ib", False),
    ],
)
def test_a_line_of_rdma_core_that_says_otherwise_stands_in_the_way(
    node: SimulatedNode, line: str, blocks: bool
) -> None:
    node.place("/etc/rdma").mkdir()
    node.put("/etc/rdma/mlx4.conf", f"# ports\n{line}\n")
    plan = make_plan(facts.read(node), asked(node, "ethernet"))
    seen = [finding.seen for finding in plan.findings if finding.code == "VFS-PORTS"]
    assert bool(seen) == blocks
    assert ("vfs" in plan.blocked) == blocks
    assert all("/etc/rdma/mlx4.conf line 2: 0000:04:00.0 ib ib, and ports = 'ethernet'" in each for each in seen)
    assert blocks or "/etc/rdma/mlx4.conf" in {getattr(each, "path", "") for each in plan.expects}
