"""What each release left behind is read by this version: its answers, a saved plan, a run that was done, and one that was cut.

`tests/releases/make.py` adds a directory to `tests/releases` for each release; one that is there is never changed.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import needs
import pytest
from places import REPOSITORY
from prior_states import carried_out, planned_here, result

from wizard.answers import files as answer_files
from wizard.apply.staleness import differences
from wizard.cli import main as cli
from wizard.errors import InputError, NodeError
from wizard.facts import facts
from wizard.model import plan as plans
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs import history, records, store
from wizard.runs.journal import read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode
from wizard.version import version

RELEASES = sorted((REPOSITORY / "tests/releases").glob("[0-9]*"))
RUNS = [run for release in RELEASES for run in sorted(release.glob("*/*-*Z"))]


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def test_this_version_is_among_them() -> None:
    assert version() in [release.name for release in RELEASES]


@pytest.mark.parametrize(
    "path", [each for release in RELEASES for each in release.glob("*.toml")], ids=lambda path: path.name
)
def test_its_answers_are_read_and_planned(path: Path, node: SimulatedNode) -> None:
    answers = answer_files.load(path)
    assert answers.to_data()
    assert answer_files.from_text(answer_files.to_toml(answers), "again") == answers
    make_plan(facts.read(node), answers)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_its_saved_plan_is_read_and_is_for_its_own_version(
    release: Path, node: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plans.load(release / "change.plan")
    assert plan.steps
    monkeypatch.setattr("wizard.apply.staleness.version", lambda: "99")
    told = f"the plan was made by version {release.name}, this is 99"
    assert told in " ".join(differences(node, plan))


def as_left(node: SimulatedNode, source: Path) -> Plan:
    """The node as the run left it: its records, and the files that it wrote."""
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


@pytest.mark.parametrize("source", RUNS, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_its_run_is_shown_undone_and_forgotten_after_an_upgrade(
    source: Path, node: SimulatedNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needs.root("to undo a run whose files are root's")
    for place in ("wizard.planning.preconditions.version", "wizard.apply.staleness.version"):
        monkeypatch.setattr(place, lambda: "99")
    paths = [step.path for step in plans.load(source / "plan.json").steps if isinstance(step, WriteFile)]
    before = {path: node.read(path) if node.exists(path) else None for path in paths}
    as_left(node, source)
    assert {path: node.read(path) if node.exists(path) else None for path in paths} != before
    assert cli.main(["--root", str(node.directory), "history"]) == 0
    assert source.name in capsys.readouterr().out
    back = undo_plan(facts.read(node), node, None, node.directory)
    assert not back.stopped, back.findings
    assert result(node, carried_out(node, back)) == "done"
    assert {path: node.read(path) if node.exists(path) else None for path in paths} == before
    assert history.read(node).last is None


@pytest.mark.parametrize("number", ["2", "10", "999999999"])
def test_answers_of_a_newer_form_are_refused_in_words(number: str) -> None:
    with pytest.raises(
        InputError, match=rf"newer version of this tool \(compute-wizard\.answers/{number}; this one knows"
    ):
        answer_files.from_text(f'format = "compute-wizard.answers/{number}"\n[iommu]\nquantum = true\n', "answers.toml")


@pytest.mark.parametrize(
    "form", ["compute-wizard.answers/0", "compute-wizard.answers/1.5", "answers/2", "compute-wizard.answers/-2"]
)
def test_answers_of_no_form_are_not_called_newer(form: str) -> None:
    with pytest.raises(InputError, match="format is"):
        answer_files.from_text(f'format = "{form}"\n', "answers.toml")


def test_a_plan_of_a_newer_form_that_says_no_version_is_refused_in_words(node: SimulatedNode) -> None:
    data = planned_here(node).model_dump(mode="json") | {"format": "compute-wizard.plan/2", "expects": {}}
    with pytest.raises(InputError, match=r"was made by a newer version of this tool \(compute-wizard\.plan/2"):
        plans.from_json(json.dumps(data), "change.plan")


@pytest.mark.parametrize("number", [3, 10])
def test_a_journal_of_a_newer_form_is_refused_in_words(number: int) -> None:
    line = json.dumps({"event": "begin", "format": f"compute-wizard.journal/{number}"})
    with pytest.raises(NodeError, match=rf"newer version of this tool \(compute-wizard\.journal/{number}"):
        records.parse(line.encode(), "journal.jsonl")
