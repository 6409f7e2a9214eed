"""A guest that takes a VF after the plan was made keeps it: it is asked again right before the number of VFs is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.answers import editing, suggestion
from wizard.apply import launch, vf_holders
from wizard.errors import Exit, Refused
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.planning.planner import make_plan
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

CARD = "/sys/bus/pci/devices/0000:3b:00.0"
VF = "0000:3b:00.2"


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    """A node with its eight VFs."""
    node = simulate(built_in("today"), tmp_path)
    assert run(node, make_plan(facts.read(node), suggestion.suggest(facts.read(node))))[0] is Exit.DONE
    return node


def run(node: SimulatedNode, plan: Plan) -> tuple[Exit, list[str]]:
    started = launch.start(node.directory, plan, simulated=True)
    failed = [event["why"] for event in follow(started.journal) if event["event"] == "failed"]
    return launch.result(started), failed


def to_four(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, editing.change(suggestion.suggest(seen), "vfs", ("card", 0, "count"), 4))


def start_guest(node: SimulatedNode) -> None:
    process = node.place("/proc/4711")
    process.mkdir(parents=True)
    words = ("/usr/bin/qemu-system-x86_64", "-name", "guest=instance-0000001a", "-device", f"vfio-pci,host={VF}")
    (process / "cmdline").write_bytes("\0".join((*words, "")).encode())
    (process / "comm").write_text("qemu-system-x86\n")


def test_a_guest_that_came_after_the_plan_keeps_its_vf_and_the_run_is_rolled_back(node: SimulatedNode) -> None:
    plan = to_four(node)
    start_guest(node)
    code, failed = run(node, plan)
    assert code is Exit.ROLLED_BACK and node.text(f"{CARD}/sriov_numvfs") == "8"
    assert len(failed) == 1 and f"{VF}: guest instance-0000001a" in failed[0]


def test_without_a_guest_the_same_plan_is_done(node: SimulatedNode) -> None:
    assert run(node, to_four(node)) == (Exit.DONE, [])
    assert node.text(f"{CARD}/sriov_numvfs") == "4"


def test_what_the_host_does_with_a_vf_stands_in_the_way_of_a_change_only(node: SimulatedNode) -> None:
    node.place("/sys/bus/pci/drivers/vfio-pci").mkdir(parents=True, exist_ok=True)
    driver = node.place(node.resolve(f"/sys/bus/pci/devices/{VF}") + "/driver")
    driver.unlink(missing_ok=True)
    driver.symlink_to("../../../../bus/pci/drivers/vfio-pci")
    with pytest.raises(Refused, match="driver vfio-pci"):
        vf_holders.refuse(node, f"{CARD}/sriov_numvfs")
    vf_holders.refuse(node, f"{CARD}/sriov_numvfs", guests_only=True)
    vf_holders.refuse(node, "/sys/bus/pci/drivers_autoprobe")
    start_guest(node)
    with pytest.raises(Refused, match="instance-0000001a"):
        vf_holders.refuse(node, f"{CARD}/sriov_numvfs", guests_only=True)
