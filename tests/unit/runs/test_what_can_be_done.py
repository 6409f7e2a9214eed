"""What resume, undo and apply say where they cannot do what is asked: the state of the run, and a way that works."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call, written
from prior_states import carried_out, planned_here, result, take_back

from wizard.apply import launch
from wizard.apply import staleness as stale
from wizard.errors import Exit, Refused, UsageError
from wizard.planning.later_changes import choices
from wizard.runs import history, store
from wizard.runs.history import RUNS
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def ended(node: SimulatedNode, run: str, how: str) -> None:
    """Give a run's journal another end."""
    journal = node.place(f"{RUNS}/{run}") / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    last = {"event": "end", "at": "2026-01-31T10:15:00+00:00", "result": how}
    journal.write_text("".join(lines[:-1]) + json.dumps(last) + "\n", encoding="utf-8")


def rescued(node: SimulatedNode, run: str) -> None:
    journal = node.place(f"{RUNS}/{run}") / "journal.jsonl"
    with journal.open("a", encoding="utf-8") as file:
        file.write('{"event": "rescued", "at": "2026-01-31T10:15:00+00:00"}\n')


STATES: dict[str, tuple[Callable[[SimulatedNode, str], None], str, str]] = {
    "done": (lambda *_: None, "is done", "compute-wizard verify"),
    "rolled_back": (lambda node, run: ended(node, run, "rolled_back"), "was rolled back", "compute-wizard plan"),
    "undone": (take_back, "was taken back by 0002-", "compute-wizard undo 0002-"),
    "rescued": (rescued, "was taken back by undo.sh", "compute-wizard plan"),
}


@pytest.mark.parametrize("state", STATES)
def test_only_what_was_cut_is_gone_on_with(node: SimulatedNode, capsys: pytest.CaptureFixture[str], state: str) -> None:
    run = carried_out(node, planned_here(node))
    make, what, do = STATES[state]
    make(node, run)
    journal = node.place(f"{RUNS}/{run}") / "journal.jsonl"
    before = journal.read_bytes()
    code, out, err = call(capsys, "resume", "1", "--yes", "--root", str(node.directory))
    assert (code, out) == (Exit.REFUSED, "")
    assert err.startswith(f"compute-wizard: run {run} {what}")
    assert do in err
    assert journal.read_bytes() == before


def test_a_run_for_files_only_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, plan = str(written(tmp_path / "node")), str(tmp_path / "change.plan")
    call(capsys, "plan", "--root", root, "--out", plan)
    assert call(capsys, "apply", plan, "--root", root, "--yes", "--files-only")[0] == 0
    code, _, err = call(capsys, "resume", "1", "--root", root, "--yes")
    assert code == Exit.REFUSED
    assert "is done, for files only: there is nothing to go on with" in err
    assert "stays in the plan" in err


def test_a_run_that_waits_is_confirmed_and_not_gone_on_with(
    node: SimulatedNode, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carried_out(node, planned_here(node))
    journal = node.place(f"{RUNS}/{run}") / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    waiting = {
        "event": "waiting",
        "at": "2026-01-31T10:15:00+00:00",
        "until": "2026-01-31T10:25:00+00:00",
        "seconds": 600,
    }
    journal.write_text("".join(lines[:-1]) + json.dumps(waiting) + "\n", encoding="utf-8")
    monkeypatch.setattr("wizard.runs.records.holder", lambda _: run)
    code, _, err = call(capsys, "resume", "1", "--yes", "--root", str(node.directory))
    assert code == Exit.REFUSED
    assert "waits for its confirmation" in err
    assert "confirm --no" in err


def test_a_rollback_that_could_not_take_all_back_is_gone_on_with(
    node: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    run = carried_out(node, planned_here(node), killed_at=20)
    assert call(capsys, "resume", "1", "--yes", "--root", str(node.directory))[0] == Exit.DONE
    assert result(node, run) == "done"
    ended(node, run, "failed")
    assert call(capsys, "resume", "1", "--yes", "--root", str(node.directory))[0] == Exit.DONE


def test_an_undo_that_was_cut_is_gone_on_with_as_long_as_none_was_made_again(
    node: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    run = carried_out(node, planned_here(node))
    take_back(node, run, killed_at=12)
    take_back(node, run)
    code, _, err = call(capsys, "resume", "2", "--yes", "--root", str(node.directory))
    assert code == Exit.REFUSED
    assert f"was to take back run {run}, which was taken back by 0003-" in err


def test_a_run_that_is_being_put_back_is_not_the_one_to_go_on_with(
    node: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    run = carried_out(node, planned_here(node))
    take_back(node, run)
    undo = history.read(node).runs[-1].id
    take_back(node, undo, killed_at=12)
    cut = history.read(node).runs[-1]
    assert cut.state == "interrupted"
    for named in ("1", "2"):
        code, _, err = call(capsys, "resume", named, "--yes", "--root", str(node.directory))
        assert code == Exit.REFUSED
        assert f"resume {cut.id}" in err
    assert call(capsys, "resume", "3", "--yes", "--root", str(node.directory))[0] == Exit.DONE
    assert [each.state for each in history.read(node).runs] == ["done", "undone", "done"]


def made_live(node: SimulatedNode, run: str) -> None:
    """As if its commands had run on the node itself, whose disk is mounted here."""
    options = node.place(f"{RUNS}/{run}") / "options.json"
    said = json.loads(options.read_text(encoding="utf-8"))
    store.write(options, json.dumps({**said, "commands": "live"}).encode())


def test_a_run_of_a_node_that_is_mounted_here_is_taken_back_by_its_script(
    node: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {path: node.read(path) for path in ("/etc/nova/nova.conf", "/etc/default/grub")}
    run = carried_out(node, planned_here(node))
    made_live(node, run)
    code, _, err = call(capsys, "undo", "--yes", "--root", str(node.directory))
    assert code == Exit.REFUSED
    assert "--files-only" not in err
    words = err.split("`")[1].split(" ")
    assert words == ["sh", str(node.place(f"{RUNS}/{run}") / "undo.sh")]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert {path: node.read(path) for path in old} == old
    assert history.read(node).runs[0].undone_by == "undo.sh"


def test_commands_of_another_machine_are_never_run_on_this_one(
    node: SimulatedNode, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carried_out(node, planned_here(node), killed_at=12)
    made_live(node, run)
    monkeypatch.setattr(launch, "_spawn", lambda *_: pytest.fail("a runner was started"))
    code, _, err = call(capsys, "resume", "--yes", "--root", str(node.directory))
    assert code == Exit.REFUSED
    assert "not run below a root other than /" in err
    assert "undo.sh" in err
    journal = node.place(f"{RUNS}/{run}") / "journal.jsonl"
    with journal.open("a", encoding="utf-8") as file:
        file.write('\n{"event": "waiting", "at": "", "until": "2026-01-31T10:25:00+00:00", "seconds": 600}\n')
    with pytest.raises(Refused, match="not run below a root"):
        launch.answer(node.directory, run, keep=True)
    assert not (journal.parent / "keep").exists()


def test_a_plan_for_another_machine_is_told_so_first(
    node: SimulatedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned_here(node)
    path = tmp_path / "change.plan"
    path.write_text(plan.to_json(), encoding="utf-8")
    other = written(tmp_path / "other", "today")
    found = stale.differences(SimulatedNode(other), plan)
    assert len(found) > stale.MOST
    code, _, err = call(capsys, "apply", str(path), "--root", str(other), "--files-only", "--yes")
    lines = err.splitlines()
    assert code == Exit.REFUSED
    assert lines[0] == "compute-wizard: the plan was made for another machine"
    assert len(lines) == stale.MOST + 2
    assert all(any(line == f"  {each}" for each in found) for line in lines[1 : stale.MOST])
    assert lines[stale.MOST] == f"  and {len(found) - stale.MOST} more"
    assert lines[-1].startswith("  Nothing was changed.")


def test_two_words_for_the_same_files_are_refused(node: SimulatedNode, capsys: pytest.CaptureFixture[str]) -> None:
    carried_out(node, planned_here(node))
    words = ["undo", "--changed", "merge", "--changed", "keep", "--root", str(node.directory)]
    code, out, err = call(capsys, *words)
    assert (code, out) == (Exit.USAGE, "")
    assert "merge and keep for all files that are not named" in err
    with pytest.raises(UsageError, match="keep and restore for /etc/x"):
        choices(["/etc/x=keep", "/etc/x=restore"])
    assert choices(["merge", "/etc/x=keep", "merge"]) == {"": "merge", "/etc/x": "keep"}
