"""An undo that was cut: it is gone on with, or made again, and there is always one of the two that works."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from prior_states import Killed, carried_out, planned_here, resumed, run_here, take_back

from wizard.apply import launch
from wizard.apply.staleness import refuse_if_used
from wizard.cli import main as cli
from wizard.errors import Exit, InputError, Refused
from wizard.facts import facts
from wizard.model.steps import RunCommand
from wizard.planning.undo import undo_plan
from wizard.runs.journal import Journal
from wizard.runs.records import RUNS
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

SCRIPT = "/usr/local/sbin/compute-wizard-metadata"
UNIT = "/etc/systemd/system/compute-wizard-metadata.service"
STEP = int(os.environ.get("COMPUTE_WIZARD_TORTURE", "3"))  # 1: each line; 3: each third, and the last


def test_an_undo_that_was_cut_and_made_again_is_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = simulate(built_in("demo"), tmp_path)
    run = carried_out(node, planned_here(node))
    take_back(node, run, killed_at=12)
    cut = facts.read(node).history.runs[-1]
    assert (cut.undoes, cut.state) == (run, "interrupted")
    take_back(node, run)
    assert {each.id: each.undone_by for each in facts.read(node).history.runs}[run] not in ("", cut.id)
    assert cli.main(["--root", str(node.directory), "resume", "--yes"]) == Exit.ERROR
    assert "no run that is interrupted or stopped or failed" in capsys.readouterr().err


def test_an_undo_that_was_cut_before_it_changed_anything_is_the_one_to_go_on_with(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    first = carried_out(node, planned_here(node))
    back = undo_plan(facts.read(node), node, first, node.directory)
    carried_out(node, back, 5)
    cut = facts.read(node).history.runs[-1].id
    with pytest.raises(Refused, match=f"by run {cut}, which is interrupted") as refused:
        launch.start(node.directory, back, simulated=True)
    assert refused.value.do == f"`compute-wizard resume {cut}` goes on with it."
    resumed(node, cut)
    assert {each.id: each.state for each in facts.read(node).history.runs} == {first: "undone", cut: "done"}


def _copy(node: SimulatedNode, directory: Path) -> SimulatedNode:
    """With owners: another one would be later work."""

    def copied(source: str, target: str) -> None:
        shutil.copy2(source, target, follow_symlinks=False)
        status = os.lstat(source)
        os.lchown(target, status.st_uid, status.st_gid)

    return SimulatedNode(Path(shutil.copytree(node.directory, directory, symlinks=True, copy_function=copied)))


def _files(node: SimulatedNode) -> dict[str, bytes]:
    """Everything but what this tool keeps, logs and what runs."""
    left_out = ("proc", "sys", "var/lib/compute-wizard", ".compute-wizard")
    found = {}
    for place in sorted(node.directory.rglob("*")):
        path = str(place.relative_to(node.directory))
        if not path.startswith(left_out) and (place.is_symlink() or place.is_file()):
            found[path] = str(place.readlink()).encode() if place.is_symlink() else place.read_bytes()
    return found


def _rules(node: SimulatedNode) -> list[str]:
    rules: list[str] = node.state().get("rules", [])
    return rules


def _lines(node: SimulatedNode, run: str) -> int:
    return len((node.place(f"{RUNS}/{run}") / "journal.jsonl").read_bytes().splitlines())


def _end(node: SimulatedNode, run: str) -> str:
    """What plain undo comes to, once or, where the tool says so, by going on with the undo that was cut."""
    try:
        back = undo_plan(facts.read(node), node, None, node.directory)
    except InputError:  # nothing stands
        return "nothing"
    assert not back.stopped, back.findings
    assert back.undoes == run
    try:
        refuse_if_used(node, back)
    except Refused as refused:
        assert refused.do is not None and "goes on with it" in refused.do
        resumed(node, refused.do.split()[2].rstrip("`"))
        return "resumed"
    carried_out(node, back)
    return "again"


def _at_each_line(node: SimulatedNode, tmp_path: Path, taking_back: str, first: str, old: dict[str, bytes]) -> set[str]:
    """Cut the undo of a run at each line of its journal (STEP), and take the first run back: all is as it was before that."""
    back = undo_plan(facts.read(node), node, taking_back, node.directory)
    whole = _copy(node, tmp_path / "whole")
    carried_out(whole, back)
    lines = _lines(whole, facts.read(whole).history.runs[-1].id)
    ways = set()
    for line in sorted({*range(1, lines + 1, STEP), lines}):
        cut = _copy(node, tmp_path / "cut")
        carried_out(cut, back, line)
        way = _end(cut, first)
        ways.add(way)
        assert {path: data for path, data in _files(cut).items() if old.get(path) != data} == {}, line
        assert (_files(cut).keys(), _rules(cut)) == (old.keys(), []), line
        seen = facts.read(cut).history
        assert (seen.runs[0].state, seen.own) == ("undone", ()), line
        if way != "nothing":  # nothing is left to be done: there is no run to go on with
            assert cli.main(["--root", str(cut.directory), "resume", "--yes"]) == Exit.ERROR
        shutil.rmtree(cut.directory)
    return ways


def test_an_undo_that_was_cut_at_any_line_is_made_again_or_gone_on_with(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path / "node")
    old = _files(node)
    run = carried_out(node, planned_here(node))
    assert _at_each_line(node, tmp_path, run, run, old) == {"again"}


def test_an_undo_of_an_undo_that_was_cut_at_any_line_is_taken_back(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path / "node")
    old = _files(node)
    run = carried_out(node, planned_here(node))
    take_back(node, run)
    undo = facts.read(node).history.runs[-1].id
    assert _at_each_line(node, tmp_path, undo, run, old) == {"again", "nothing"}


def test_what_an_undo_of_an_undo_put_back_before_it_was_cut_is_known(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    run = carried_out(node, planned_here(node))
    own = facts.read(node).history.own
    take_back(node, run)
    assert facts.read(node).history.own == ()
    take_back(node, facts.read(node).history.runs[-1].id, killed_at=30)
    seen = facts.read(node).history
    assert [each.state for each in seen.runs] == ["interrupted", "undone", "interrupted"]
    assert seen.last is not None and seen.last.id == run
    assert seen.own == own
    resumed(node, seen.runs[-1].id)
    assert [each.state for each in facts.read(node).history.runs] == ["done", "undone", "done"]


def _killed_before(number: int) -> Callable[..., None]:
    real = Journal.write

    def write(self: Journal, event: str, **fields: Any) -> None:
        if (event, fields.get("n")) == ("step", number):
            raise Killed
        real(self, event, **fields)

    return write


def test_no_command_is_asked_of_a_unit_or_a_script_that_a_cut_undo_removed(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path / "node")
    run = carried_out(node, planned_here(node))
    first = undo_plan(facts.read(node), node, run, node.directory)
    asked = [" ".join(step.argv) for step in first.steps if isinstance(step, RunCommand) and step.phase == "check"]
    assert len(asked) == 3
    for path, left in ((UNIT, asked[1:2]), (SCRIPT, [])):
        number = next(n for n, step in enumerate(first.steps, 1) if getattr(step, "path", "") == path)
        cut = _copy(node, tmp_path / f"cut{number}")
        started = launch.save(cut.directory, first, "rollback", "simulated")
        with mock.patch.object(Journal, "write", _killed_before(number + 1)), pytest.raises(Killed):
            run_here(cut.directory, started.run)
        assert not cut.exists(path)
        again = undo_plan(facts.read(cut), cut, run, cut.directory)
        assert [
            " ".join(step.argv) for step in again.steps if isinstance(step, RunCommand) and step.phase == "check"
        ] == left
