"""A run that is cut while it sets a kernel attribute: what it set is taken back, whether or not its journal could say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from prior_states import Killed, carried_out, result, run_here

from wizard.answers import editing, suggestion
from wizard.apply import launch
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import WriteSysfs
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs.journal import Journal
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

FIRST, SECOND = (f"/sys/bus/pci/devices/0000:3b:00.{n}/sriov_numvfs" for n in (0, 1))


def _planned(node: SimulatedNode, before: str) -> Plan:
    """To 8 VFs at the first card, and none at the other one."""
    if before != "0":
        node.set_attribute(FIRST, before)
    seen = facts.read(node)
    answers = editing.change(suggestion.suggest(seen), "vfs", ("card", 0, "count"), 8)
    return make_plan(seen, answers)


def _killed_at(node: SimulatedNode, plan: Plan, event: str, number: int) -> str:
    """A run that is killed right before it writes that an event of this step was."""
    started = launch.save(node.directory, plan, "rollback", "simulated")
    real = Journal.write

    def write(self: Journal, name: str, **fields: Any) -> None:
        if (name, fields.get("n")) == (event, number) or (name == "end" and number > len(plan.steps)):
            raise Killed
        real(self, name, **fields)

    with mock.patch.object(Journal, "write", write), pytest.raises(Killed):
        run_here(node.directory, started.run)
    return started.run


def _back(node: SimulatedNode, run: str) -> Plan:
    return undo_plan(facts.read(node), node, run, node.directory)


@pytest.mark.parametrize("reboot", [False, True])
@pytest.mark.parametrize("event", ["held", "after held"])
@pytest.mark.parametrize(("before", "which"), [("0", 0), ("4", 0), ("4", 1)])
def test_what_was_set_is_taken_back(tmp_path: Path, before: str, which: int, event: str, reboot: bool) -> None:
    node = simulate(built_in("today"), tmp_path)
    plan = _planned(node, before)
    others = node.text(SECOND)
    numbers = [n for n, step in enumerate(plan.steps, 1) if isinstance(step, WriteSysfs) and step.path == FIRST]
    assert len(numbers) == (1 if before == "0" else 2)
    number = numbers[which]
    run = _killed_at(node, plan, "held" if event == "held" else "step", number + (event != "held"))
    if reboot:
        node.reboot()
    back = _back(node, run)
    assert not back.stopped, back.findings
    undo = carried_out(node, back)
    assert result(node, undo) == "done"
    assert (node.text(FIRST), node.text(SECOND)) == (before, others)
    assert [each.state for each in facts.read(node).history.runs] == ["undone", "done"]


@pytest.mark.parametrize("before", ["0", "4"])
def test_what_was_not_set_yet_is_left_alone(tmp_path: Path, before: str) -> None:
    node = simulate(built_in("today"), tmp_path)
    plan = _planned(node, before)
    with mock.patch.object(SimulatedNode, "set_attribute", side_effect=Killed), pytest.raises(Killed):
        carry = launch.save(node.directory, plan, "rollback", "simulated")
        run_here(node.directory, carry.run)
    back = _back(node, carry.run)
    assert not back.stopped
    assert not [step for step in back.steps if isinstance(step, WriteSysfs)]


def test_an_undo_that_is_cut_on_its_way_through_zero_is_made_again(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    run = carried_out(node, _planned(node, "4"))
    first = _back(node, run)
    through = [n for n, step in enumerate(first.steps, 1) if isinstance(step, WriteSysfs) and step.path == FIRST]
    _killed_at(node, first, "held", through[0])
    assert node.text(FIRST) == "0"
    again = _back(node, run)
    assert not again.stopped, again.findings
    assert result(node, carried_out(node, again)) == "done"
    assert node.text(FIRST) == "4"


def test_a_later_run_that_was_cut_while_it_set_the_attribute_comes_first(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    one = carried_out(node, _planned(node, "0"))
    seen = facts.read(node)
    answers = editing.change(suggestion.suggest(seen), "vfs", ("card", 0, "count"), 5)
    plan = make_plan(seen, answers)
    number = next(n for n, step in enumerate(plan.steps, 1) if isinstance(step, WriteSysfs))
    two = _killed_at(node, plan, "held", number)
    found = [finding.seen for finding in _back(node, one).findings if finding.code == "UNDO-LATER-RUN"]
    assert f"{FIRST} was changed by run {two}, too, which came later" in found
