"""Verify in the faces: what all runs that stand were to do, as the command line has it."""

from __future__ import annotations

from pathlib import Path

from driving import opened, page, press, settled, text
from test_plain_face import Listener

from screens.engine import NodeEngine
from screens.prompts import doing
from screens.prompts.walk import Walk
from wizard import answer_files
from wizard.apply import launch
from wizard.apply.journal import follow
from wizard.demo import built_in, simulate
from wizard.merge import make_plan
from wizard.node import facts
from wizard.node.simulated import SimulatedNode

IOMMU = {"iommu": {"enable": True}}
GATEWAYS = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}


def two_runs(directory: Path) -> SimulatedNode:
    """Only the first waits for a reboot."""
    node = simulate(built_in("demo"), directory)
    for answers in (IOMMU, GATEWAYS):
        plan = make_plan(facts.read(node), answer_files.from_data(answers))
        list(follow(launch.start(directory, plan, simulated=True).journal))
    return node


async def test_a_second_run_hides_nothing_of_the_first(tmp_path: Path) -> None:
    node = two_runs(tmp_path)
    async with opened(NodeEngine(node, str(tmp_path), True), (100, 40)) as pilot:
        await press(pilot, "9")
        await settled(pilot)
        assert "What runs 0001, 0002 were to do: 2 pending" in text(pilot)
    node.reboot()
    async with opened(NodeEngine(node, str(tmp_path), True), (100, 40)) as pilot:
        assert page(pilot) == "verify"  # for the first run's reboot
        assert "checks held" in text(pilot)


def test_the_plain_face_says_the_same(tmp_path: Path) -> None:
    talk = Listener([])
    walk = Walk(NodeEngine(two_runs(tmp_path), str(tmp_path), True), talk)
    walk.look()
    doing._say_checks(walk)
    said = talk.target.getvalue()
    assert "What runs 0001, 0002 were to do:" in said
    assert "pending: The IOMMU is on" in said
