"""The simulated node obeys what was really written; and for any answers: applied and rebooted, nothing is left to do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from obedience import carry_out
from strategies import any_answers

from wizard.answers import editing, suggestion
from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.model import step_text
from wizard.model.answers import AllAnswers
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand, WriteSysfs
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[SimulatedNode]:
    yield simulate(built_in("demo"), tmp_path)


def states(node: SimulatedNode, answers: AllAnswers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check in verify(facts.read(node), answers):
        found.setdefault(check.state, []).append(check.what)
    return found


def titles(plan: Plan) -> list[str]:
    return [step_text.title(step) for step in plan.steps]


def test_the_whole_way(demo: SimulatedNode) -> None:
    seen = facts.read(demo)
    answers = suggestion.suggest(seen)
    carry_out(demo, make_plan(seen, answers))
    assert titles(make_plan(facts.read(demo), answers)) == []
    before = states(demo, answers)
    assert before.keys() == {"held", "pending"}
    demo.reboot()
    assert states(demo, answers).keys() == {"held"}
    assert titles(make_plan(facts.read(demo), suggestion.suggest(facts.read(demo)))) == []


def test_without_the_initramfs_the_option_has_no_effect(demo: SimulatedNode) -> None:
    seen = facts.read(demo)
    answers = suggestion.suggest(seen)
    plan = make_plan(seen, answers)
    kept = tuple(
        step for step in plan.steps if not (isinstance(step, RunCommand) and step.argv[0] == "update-initramfs")
    )
    carry_out(demo, plan.model_copy(update={"steps": kept}))
    assert titles(make_plan(facts.read(demo), answers))[-1] == "$ update-initramfs -u -k all"
    demo.reboot()
    assert "0000:04:00.0 has 16 VFs" in states(demo, answers)["failed"]


def test_without_update_grub_the_argument_has_no_effect(demo: SimulatedNode) -> None:
    seen = facts.read(demo)
    answers = suggestion.suggest(seen)
    plan = make_plan(seen, answers)
    kept = tuple(step for step in plan.steps if not (isinstance(step, RunCommand) and step.argv[0] == "update-grub"))
    carry_out(demo, plan.model_copy(update={"steps": kept}))
    assert titles(make_plan(facts.read(demo), answers)) == ["$ update-grub"]
    demo.reboot()
    assert "The IOMMU is on" in states(demo, answers)["failed"]


def test_the_redirect_is_gone_after_a_reboot_without_its_unit(demo: SimulatedNode) -> None:
    seen = facts.read(demo)
    answers = suggestion.suggest(seen)
    carry_out(demo, make_plan(seen, answers))
    assert demo.obey(["systemctl", "disable", "compute-wizard-metadata.service"]).status == 0
    demo.reboot()
    assert "The redirect is there again after each boot" in states(demo, answers)["failed"]


def test_changing_the_number_of_vfs_goes_through_zero(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    eight = suggestion.suggest(facts.read(node))
    carry_out(node, make_plan(facts.read(node), eight))
    four = editing.change(eight, "vfs", ("card", 0, "count"), 4)
    plan = make_plan(facts.read(node), four)
    moves = [(step.before, step.after) for step in plan.steps if isinstance(step, WriteSysfs)]
    assert moves == [("8", "0"), ("0", "4"), ("8", "0"), ("0", "4")]
    carry_out(node, plan)
    node.reboot()
    assert states(node, four).keys() == {"held"}
    assert titles(make_plan(facts.read(node), four)) == []


@settings(max_examples=12, deadline=None)
@given(any_answers())
def test_any_answers_applied_and_rebooted_leave_nothing_to_do(data: dict[str, Any]) -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        node = simulate(built_in("demo"), directory)
        answers = answer_files.from_data(data)
        plan = make_plan(facts.read(node), answers)
        assert plan.blocked == ()
        carry_out(node, plan)
        assert titles(make_plan(facts.read(node), answers)) == []
        node.reboot()
        assert set(states(node, answers)) <= {"held"}
        assert titles(make_plan(facts.read(node), answers)) == []
    finally:
        shutil.rmtree(directory)
