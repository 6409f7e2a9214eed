"""A Neutron node the whole way: config drives and the SR-IOV agent's lists written, held after a reboot, and every byte back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neutron_nodes import CX5, PF, sriov
from nodes import today

from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.errors import Exit
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import verify
from wizard.runs.journal import follow
from wizard.simulator.built_in import simulate
from wizard.simulator.simulated_node import SimulatedNode

CONF, AGENT = "/etc/nova/nova.conf", "/etc/neutron/plugins/ml2/sriov_agent.ini"
ANSWERS: dict[str, Any] = {
    "vfs": {"card": [{"match": {"address": PF[0]}, "count": 4}, {"match": {"address": PF[1]}, "count": 0}]},
    "passthrough": {
        "sriov_agent": True,
        "pool": [{"name": "fast", "cards": {"address": PF[0]}, "physical_network": "fast"}],
    },
    "metadata": {"config_drive": True},
}


def run(node: SimulatedNode, plan: Plan) -> Exit:
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    return launch.result(started)


def test_the_whole_way_and_back(tmp_path: Path) -> None:
    node = simulate(sriov(today(), "# by hand\n[sriov_nic]\nexclude_devices =\n"), tmp_path)
    before = {path: node.read(path) for path in (CONF, AGENT)}
    answers = answer_files.from_data({**ANSWERS, "iommu": {"enable": True}})
    plan = make_plan(facts.read(node), answers)
    assert plan.blocked == ()
    assert run(node, plan) is Exit.DONE
    assert b"force_config_drive = True" in node.read(CONF)
    assert f"physical_device_mappings = fast:{CX5[0]}".encode() in node.read(AGENT)
    assert make_plan(facts.read(node), answers).steps == ()
    node.reboot()
    checks = verify(facts.read(node), answers)
    assert {check.state for check in checks} == {"held"}, checks
    assert {"Guests that are made from now on get a config drive", "The SR-IOV agent binds ports on fast"} <= {
        c.what for c in checks
    }
    assert run(node, undo_plan(facts.read(node), node, None, node.directory)) is Exit.DONE
    assert {path: node.read(path) for path in (CONF, AGENT)} == before


def test_answered_as_off_ours_goes_and_nothing_else(tmp_path: Path) -> None:
    node = simulate(sriov(today(), "[sriov_nic]\n"), tmp_path)
    before = node.read(CONF)
    assert (
        run(node, make_plan(facts.read(node), answer_files.from_data({"metadata": {"config_drive": True}})))
        is Exit.DONE
    )
    off = answer_files.from_data({"metadata": {"config_drive": False}})
    plan = make_plan(facts.read(node), off)
    assert run(node, plan) is Exit.DONE
    assert node.read(CONF) == before
    assert make_plan(facts.read(node), off).steps == ()
