"""Plans and journals in each form that this tool ever wrote: runs that were done, and runs that were cut, are read and undone.

`runs_of_forms` holds two runs of each form on the built-in node demo; a change of the form adds another directory to it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import needs
import pytest
from prior_states import carried_out, planned_here, result, resumed

from wizard.errors import InputError
from wizard.facts import facts
from wizard.model import plan as plans
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.planning.undo import undo_plan
from wizard.runs import history, records, store
from wizard.runs.journal import read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode
from wizard.version import version

FORMS = Path(__file__).with_name("runs_of_forms")
RUNS = sorted(FORMS.glob("*/*/*"))


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def files(node: SimulatedNode, plan: Plan) -> dict[str, tuple[bytes, int] | None]:
    found: dict[str, tuple[bytes, int] | None] = {}
    for step in plan.steps:
        if isinstance(step, WriteFile):
            place = node.place(step.path)
            found[step.path] = (place.read_bytes(), place.stat().st_mode) if place.exists() else None
    return found


def put(node: SimulatedNode, source: Path) -> Plan:
    """The node as that run left it, its files at least."""
    directory = store.state_directory(node.directory) / "runs" / source.name
    directory.parent.mkdir(mode=0o700, parents=True)
    shutil.copytree(source, directory)
    plan, record = plans.load(directory / "plan.json"), records.fold(read(directory / "journal.jsonl"))
    for number in record.held:
        step = plan.steps[number - 1]
        if isinstance(step, WriteFile):
            place = node.place(step.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(step.after.data())
            place.chmod(int(step.after.mode, 8))
    return plan


@pytest.mark.parametrize("source", RUNS, ids=lambda path: f"{path.parent.parent.name} {path.parent.name}")
def test_a_run_of_each_form_is_undone(node: SimulatedNode, source: Path) -> None:
    needs.root("to undo a run whose files are root's")
    plan = plans.load(source / "plan.json")
    before = files(node, plan)
    put(node, source)
    (past,) = history.read(node).runs
    assert past.state == {"done": "done", "cut": "interrupted"}[source.parent.name]
    back = undo_plan(facts.read(node), node, None, node.directory)
    assert not back.stopped, back.findings
    assert result(node, carried_out(node, back)) == "done"
    assert files(node, plan) == before
    assert history.read(node).last is None


@pytest.mark.parametrize(
    "source", [each for each in RUNS if each.parent.name == "cut"], ids=lambda path: path.parts[-3]
)
def test_a_run_of_another_version_is_not_gone_on_with_unasked(
    node: SimulatedNode, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its plan may mean something else to this one: it says so, and an undo is always possible."""
    put(node, source)
    monkeypatch.setattr("wizard.apply.staleness.version", lambda: "99")
    resumed(node, source.name)
    journal = read(store.run_directory(node.directory, source.name) / "journal.jsonl")
    assert journal[-1]["result"] == "refused"
    assert f"the plan was made by version {version()}, this is 99" in journal[-1]["why"]


NEWER: dict[str, dict[str, Any]] = {
    "a field of the plan": {"waits_for": []},
    "another format": {"format": "compute-wizard.plan/2"},
    "a kind of step": {"steps": [{"kind": "call_firmware", "chapters": [], "phase": "live", "why": []}]},
    "a kind of expectation": {"expects": [{"kind": "tool_version", "value": "9.9"}, {"kind": "moon", "value": "full"}]},
    "a label": {
        "steps": [{"kind": "run", "chapters": [], "phase": "live", "why": [], "argv": ["x"], "labels": ["new"]}]
    },
    "a phase": {"steps": [{"kind": "run", "chapters": [], "phase": "later", "why": [], "argv": ["x"]}]},
    "a field of a step": {
        "steps": [{"kind": "run", "chapters": [], "phase": "live", "why": [], "argv": ["x"], "n": 1}]
    },
    "no node": {"node": None},
}


@pytest.mark.parametrize("what", NEWER)
def test_a_plan_of_a_newer_version_is_refused_in_words(node: SimulatedNode, what: str) -> None:
    data = planned_here(node).model_dump(mode="json") | {"expects": [{"kind": "tool_version", "value": "9.9"}]}
    data |= NEWER[what]
    with pytest.raises(InputError) as refused:
        plans.from_json(json.dumps(data), "change.plan")
    if what != "no node":
        assert f"was made by version 9.9 of this tool; this is {version()}" in str(refused.value)
    data["expects"] = [{"kind": "tool_version", "value": version()}, *data["expects"][1:]]
    with pytest.raises(InputError, match="is not a plan of this tool"):
        plans.from_json(json.dumps(data), "change.plan")
