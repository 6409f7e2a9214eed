"""Verify in the faces: what all runs that stand were to do, as the command line has it."""

from __future__ import annotations

from pathlib import Path

from driving import opened, page, press, settled, text, whole
from prior_states import carried_out, planned_here, take_back
from test_plain_face import Listener

from screens.plain import run_pages
from screens.plain.walk import Walk
from screens.shared.session import NodeEngine
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.facts import facts
from wizard.planning.planner import make_plan
from wizard.runs.history import RUNS
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

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
    run_pages._say_checks(walk)
    said = talk.target.getvalue()
    assert "What runs 0001, 0002 were to do:" in said
    assert "pending: The IOMMU is on" in said


async def test_runs_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    node = two_runs(tmp_path)
    for run in facts.read(node).history.runs:
        (node.place(f"{RUNS}/{run.id}") / "plan.json").write_text("{", encoding="utf-8")
    engine = NodeEngine(node, str(tmp_path), True)
    async with opened(engine, (120, 40)) as pilot:
        assert "cannot be read: plan.json is not a plan" in text(pilot)
        await press(pilot, "h")
        assert "Could not be seen: run 0001-" in text(pilot)
        assert "never changed this node" not in whole(pilot)
    talk = Listener([])
    walk = Walk(engine, talk)
    assert run_pages.history(walk) == "welcome"
    said = talk.target.getvalue()
    assert "Could not be seen: run 0002-" in said
    assert "never changed this node" not in said


async def test_a_run_that_is_being_put_back_names_the_one_to_go_on_with(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    run = carried_out(node, planned_here(node))
    take_back(node, run)
    take_back(node, facts.read(node).history.runs[-1].id, killed_at=12)
    runs = facts.read(node).history.runs
    assert [each.state for each in runs] == ["interrupted", "undone", "interrupted"]
    async with opened(NodeEngine(node, str(tmp_path), True), (120, 40)) as pilot:
        await press(pilot, "h", "end", "g")
        assert page(pilot) == "history"
        assert f"compute-wizard resume {runs[-1].id}" in text(pilot)
