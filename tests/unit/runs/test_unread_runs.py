"""Runs that are there and cannot be read: said by every command that looks for runs, and never taken for none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call
from prior_states import carried_out, take_back

from screens.shared.session import NodeEngine
from screens.tui.pages.history import said
from wizard.answers import files as answer_files
from wizard.errors import Denied, Exit, Refused
from wizard.facts import facts
from wizard.node.node import Node
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs import history, verify_due
from wizard.runs import records as run_records
from wizard.runs.history import RUNS
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

IOMMU = {"iommu": {"enable": True}}
GATEWAYS = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}
DAMAGES = ["plan", "newer", "lost", "noise"]


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimulatedNode:
    node = simulate(built_in("demo"), tmp_path / "node")
    for place in ("verify", "commands"):
        monkeypatch.setattr(f"wizard.cli.{place}.open_node", lambda _: node)
    return node


def two_runs(node: SimulatedNode) -> tuple[str, str]:
    first, second = (
        carried_out(node, make_plan(facts.read(node), answer_files.from_data(answers))) for answers in (IOMMU, GATEWAYS)
    )
    return first, second


def damage(node: SimulatedNode, run: str, how: str) -> str:
    """Make a run unreadable; what is said of it."""
    plan, journal = (node.place(f"{RUNS}/{run}") / name for name in ("plan.json", "journal.jsonl"))
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    if how == "plan":
        plan.write_text("{", encoding="utf-8")
        return "plan.json is not a plan of this tool"
    if how == "newer":
        journal.write_text("".join(lines).replace("journal/2", "journal/3"), encoding="utf-8")
        return "newer version of this tool (compute-wizard.journal/3"
    journal.write_text("".join(lines[1:]) if how == "lost" else "?\n" * 20, encoding="utf-8")
    return "journal.jsonl is damaged: its beginning is lost"


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("how", DAMAGES)
def test_history_says_what_it_could_not_read(demo: SimulatedNode, capsys: pytest.CaptureFixture[str], how: str) -> None:
    first, second = two_runs(demo)
    root = str(demo.directory)
    assert call(capsys, "history", "--root", root)[0] == 0
    why = damage(demo, second, how)
    code, out, _ = call(capsys, "history", "--root", root)
    assert code == Exit.UNSEEN
    assert out.startswith(first)
    assert f"Could not be seen run {second} of this tool: " in one_line(out)
    assert why in one_line(out)
    code, out, _ = call(capsys, "history", "--root", root, "--json")
    seen, unseen = json.loads(out)
    assert code == Exit.UNSEEN
    assert (seen["id"], seen["state"], seen["unseen"]) == (first, "done", [])
    assert (unseen["id"], unseen["state"], seen.keys()) == (second, "unseen", unseen.keys())
    assert why in unseen["unseen"][0]
    code, out, err = call(capsys, "history", "2", "--root", root)
    assert code == Exit.UNSEEN
    assert err.startswith(f"compute-wizard: run {second} cannot be read: ")
    assert ("3 steps" in out or "steps" in out) == (how == "plan")  # as much of it as there is
    damage(demo, first, how)
    code, out, _ = call(capsys, "history", "--root", root)
    assert (code, "never changed" in out) == (Exit.UNSEEN, False)


def test_without_rights_nobody_is_told_that_nothing_was_done(
    demo: SimulatedNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two_runs(demo)

    def denied(_: Node) -> list[str]:
        raise Denied("may not be read without root rights", where=RUNS)

    monkeypatch.setattr(run_records, "run_ids", denied)
    root = ("--root", str(demo.directory))
    code, out, _ = call(capsys, "history", *root)
    assert (code, "never changed" in out) == (Exit.UNSEEN, False)
    assert "past runs of this tool: may not be read without root rights" in out
    assert json.loads(call(capsys, "history", "--json", *root)[1])[0]["state"] == "unseen"
    for words, expected in (
        (["history", "1"], 7),
        (["resume"], 4),
        (["undo"], 4),
        (["undo", "1"], 4),
        (["confirm"], 4),
    ):
        code, _, err = call(capsys, *words, *root)
        assert code == expected, words
        assert "the past runs of this tool cannot be read" in err
        assert err.endswith("Read it as root.\n")
    code, out, _ = call(capsys, "verify")
    assert "No run that stands could be read." in one_line(out)
    assert said(facts.read(demo), runs=False) == [
        "Could not be seen: past runs of this tool: may not be read without root rights"
    ]


@pytest.mark.parametrize("how", DAMAGES)
def test_plain_undo_does_not_take_back_what_is_only_the_last_that_can_be_read(
    demo: SimulatedNode, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    first, second = two_runs(demo)
    why = damage(demo, second, how)
    code, out, err = call(capsys, "undo")
    assert (code, out) == (Exit.REFUSED, "")
    assert second in err
    assert why in err
    assert f"{RUNS}/{second}/undo.sh" in err
    assert "compute-wizard undo RUN" in err
    with pytest.raises(Refused, match=second):
        undo_plan(facts.read(demo), demo, "2", demo.directory)
    plan = undo_plan(facts.read(demo), demo, first, demo.directory)
    finding = next(each for each in plan.findings if each.code == "UNDO-RUN-UNREAD")
    assert (finding.severity, second in finding.seen, plan.stopped) == ("warns", True, False)
    damage(demo, first, how)
    with pytest.raises(Refused, match=second):
        undo_plan(facts.read(demo), demo, None, demo.directory)


def test_an_older_run_that_cannot_be_read_is_in_nobodys_way(demo: SimulatedNode) -> None:
    first, second = two_runs(demo)
    damage(demo, first, "plan")
    plan = undo_plan(facts.read(demo), demo, None, demo.directory)
    assert (plan.undoes, plan.findings) == (second, ())


def test_resume_does_not_pass_over_a_run_that_cannot_be_read(
    demo: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    _, second = two_runs(demo)
    damage(demo, second, "plan")
    for words in (["resume"], ["resume", "2"], ["confirm"]):
        code, _, err = call(capsys, *words, "--root", str(demo.directory))
        assert code == Exit.REFUSED, words
        assert second in err


def test_verify_says_that_it_does_not_know_what_a_run_was_asked_for(
    demo: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two_runs(demo)
    demo.reboot()
    damage(demo, second, "plan")
    code, out, _ = call(capsys, "verify")
    assert code == Exit.UNSEEN
    assert f"unknown What run {second} was asked for: plan.json is not a plan" in one_line(out)
    assert demo.exists(f"/var/lib/compute-wizard/{verify_due.DUE}")
    engine = NodeEngine(demo, str(demo.directory), True)
    assert [check.state for check in engine.to_be(facts.read(demo)).unseen] == ["unknown"]
    assert engine.to_be(facts.read(demo)).runs == (first,)


@pytest.mark.parametrize("content", ["", '{"event": "beg', '{"event": "end", "result": "refused", "at": ""}\n'])
def test_a_start_that_never_began_is_no_run(demo: SimulatedNode, content: str) -> None:
    first, second = two_runs(demo)
    (demo.place(f"{RUNS}/{second}") / "journal.jsonl").write_text(content, encoding="utf-8")
    seen = history.read(demo)
    assert ([run.id for run in seen.runs], seen.unread) == ([first], ())


def test_a_backup_that_cannot_be_read_is_told_too(demo: SimulatedNode, capsys: pytest.CaptureFixture[str]) -> None:
    _, second = two_runs(demo)
    backup = next(path for path in (demo.place(f"{RUNS}/{second}") / "backup").iterdir() if path.suffix == "")
    backup.write_bytes(b"")
    code, out, _ = call(capsys, "history", "--root", str(demo.directory))
    assert code == Exit.UNSEEN
    assert f"what run {second} changed in" in one_line(out)
    data = json.loads(call(capsys, "history", "--json", "--root", str(demo.directory))[1])
    assert [bool(run["unseen"]) for run in data] == [False, True]


def test_the_preview_names_the_run_that_is_taken_back(demo: SimulatedNode, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = two_runs(demo)
    at = {run.id: run.at for run in history.read(demo).runs}
    out = call(capsys, "undo")[1]
    assert out.startswith(f"This takes back run {second} of {at[second]}: gateways.\n\nPlan for ")
    assert call(capsys, "undo", "1")[1].startswith(f"This takes back run {first} of {at[first]}: iommu.\n")
    take_back(demo, second)
    assert f": which took back {second}." in one_line(call(capsys, "undo", "3")[1].partition("\n\n")[0])
