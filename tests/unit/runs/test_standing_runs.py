"""verify: what all runs that stand were asked for, chapter by chapter, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from calling import call
from prior_states import carried_out, take_back

from screens.shared.session import NodeEngine
from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.facts import facts
from wizard.planning.planner import make_plan
from wizard.planning.verification import to_be, verify
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

DUE = "/var/lib/compute-wizard/verify-due"
IOMMU = {"iommu": {"enable": True}}
GATEWAYS = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimulatedNode:
    """A node that obeys, as the command line looks at it, too."""
    node = simulate(built_in("demo"), tmp_path / "node")
    monkeypatch.setattr("wizard.cli.verify.open_node", lambda _: node)
    return node


def did(node: SimulatedNode, answers: Mapping[str, object]) -> str:
    return carried_out(node, make_plan(facts.read(node), answer_files.from_data(answers)))


def test_a_second_run_does_not_make_verify_forget_the_first(
    demo: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = did(demo, IOMMU), did(demo, GATEWAYS)
    code, out, _ = call(capsys, "verify", "--acknowledge")
    assert code == 2
    assert "pending" in out
    assert f"runs {first} and {second}" in out
    assert demo.read(DUE).decode().split()[0] == first
    demo.reboot()
    code, out, _ = call(capsys, "verify", "--acknowledge")
    assert (code, "pending" in out) == (0, False)
    assert not demo.exists(DUE)


def test_the_later_answer_of_a_chapter_counts(demo: SimulatedNode, capsys: pytest.CaptureFixture[str]) -> None:
    did(demo, GATEWAYS)
    other = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.9", "vlan": 1441}]}}
    second = did(demo, other)
    wanted = to_be(facts.read(demo))
    assert wanted.answers == answer_files.from_data(other)
    assert wanted.runs == (second,)
    take_back(demo, second)
    wanted = to_be(facts.read(demo))
    assert wanted.answers == answer_files.from_data(GATEWAYS)


def test_what_a_run_was_asked_that_was_taken_back_is_not_looked_for(demo: SimulatedNode) -> None:
    first, second = did(demo, IOMMU), did(demo, GATEWAYS)
    take_back(demo, first)
    wanted = to_be(facts.read(demo))
    assert (wanted.answers.names(), wanted.runs) == (("gateways",), (second,))


def test_the_line_at_login_stays_while_a_run_waits_for_its_reboot(
    demo: SimulatedNode, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    did(demo, IOMMU)
    monkeypatch.setattr("wizard.cli.verify.verified", lambda *_: [])  # nothing that a check could see waits
    assert call(capsys, "verify", "--acknowledge")[0] == 0
    assert demo.exists(DUE)
    demo.reboot()
    assert call(capsys, "verify", "--acknowledge")[0] == 0
    assert not demo.exists(DUE)


def test_it_says_what_it_compares_with(demo: SimulatedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = did(demo, GATEWAYS)
    code, out, _ = call(capsys, "verify")
    assert (code, out.splitlines()[0]) == (0, f"Compared with what run {run} was asked for.")
    assert json.loads(call(capsys, "verify", "--json")[1])["compared_with"] == {"kind": "runs", "runs": [run]}
    path = tmp_path / "answers.toml"
    path.write_text('format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n', encoding="utf-8")
    code, out, _ = call(capsys, "verify", "--answers", str(path))
    assert (code, " ".join(out.split()).startswith(f"Compared with {path}.")) == (2, True)
    data = json.loads(call(capsys, "verify", "--answers", str(path), "--json")[1])
    assert data["compared_with"] == {"kind": "answers", "file": str(path)}
    take_back(demo, run)
    code, out, _ = call(capsys, "verify")
    assert code == 0
    assert out.startswith("Every run of this tool on this node was undone.")
    assert "Run plan, then apply" not in out
    assert json.loads(call(capsys, "verify", "--json")[1])["compared_with"] == {"kind": "undone"}


def test_answers_of_another_version_are_no_answers(demo: SimulatedNode, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = did(demo, GATEWAYS), did(demo, IOMMU)
    plan = demo.place(f"/var/lib/compute-wizard/runs/{first}/plan.json")
    plan.write_text(plan.read_text(encoding="utf-8").replace('"label"', '"label_of_old"'), encoding="utf-8")
    wanted = to_be(facts.read(demo))
    assert (wanted.answers.names(), wanted.runs) == (("iommu",), (second,))
    assert [(check.state, first in check.what) for check in wanted.unseen] == [("unknown", True)]
    demo.reboot()
    code, out, _ = call(capsys, "verify")
    assert (code, first in out) == (7, True)


def test_the_faces_look_for_the_same(demo: SimulatedNode) -> None:
    did(demo, IOMMU)
    did(demo, GATEWAYS)
    seen, engine = facts.read(demo), NodeEngine(demo, str(demo.directory), True)
    wanted = to_be(seen)
    assert engine.to_be(seen) == wanted
    assert engine.verify(seen, wanted.answers) == verify(seen, wanted.answers)


def test_a_run_for_another_chapter_does_not_change_what_is_suggested(demo: SimulatedNode) -> None:
    pool = {"name": "mine", "cards": "all", "flavor": {"name": "m1.mine", "count": 1}}
    card = {"match": {"address": "0000:04:00.0"}, "count": 8}
    did(demo, {"vfs": {"card": [card]}, "passthrough": {"pool": [pool]}})
    before = suggestion.suggest(facts.read(demo)).get("passthrough")
    did(demo, GATEWAYS)
    assert before is not None
    assert suggestion.suggest(facts.read(demo)).get("passthrough") == before
