"""What cannot be taken back asks for its own word, and comes last."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from prior_states import run_here
from strategies import any_answers

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import launch
from wizard.cli import apply as command_apply
from wizard.cli import main as cli
from wizard.errors import Exit, Refused
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import PHASES, RunCommand
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def demo(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


@pytest.mark.parametrize(
    ("word", "typed", "taken"), [("one-way", "yes", False), ("one-way", "one-way", True), ("yes", "yes", True)]
)
def test_what_cannot_be_taken_back_asks_for_its_own_word(
    word: str, typed: str, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{typed}\n"))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    if taken:
        command_apply.ask(False, word)
    else:
        with pytest.raises(Refused, match="nothing was changed"):
            command_apply.ask(False, word)
    assert f"Type {word}: " in asked.getvalue()


@pytest.mark.parametrize(
    ("typed", "words", "code"),
    [
        ("yes", [], Exit.REFUSED),
        ("one-way", [], Exit.DONE),
        ("", ["--yes"], Exit.REFUSED),
        ("", ["--yes", "--accept", "one-way"], Exit.DONE),
        ("no", ["--accept", "one-way"], Exit.REFUSED),
        ("yes", ["--accept", "one-way"], Exit.DONE),
    ],
)
def test_a_run_that_goes_on_asks_again_before_what_cannot_be_taken_back(
    demo: SimulatedNode, typed: str, words: list[str], code: Exit, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = RunCommand(
        chapters=("vfs",),
        phase="last",
        argv=("mstconfig", "-y", "-d", "0000:04:00.0", "set", "NUM_OF_VFS=32"),
        why=("a test",),
        labels=("one-way",),
    )
    plan = planned(demo)
    started = launch.save(
        demo.directory, plan.model_copy(update={"steps": (*plan.steps[:2], last)}), "stop", "simulated"
    )
    (started.directory / "stop").touch()  # asked to stop before its first step
    run_here(demo.directory, started.run)
    with pytest.raises(Refused, match="still to come"):
        launch.resume(demo.directory, started.run)
    monkeypatch.setattr("sys.stdin", Terminal(f"{typed}\n"))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    monkeypatch.setattr("sys.stdout", said := io.StringIO())
    assert cli.main(["--root", str(demo.directory), "resume", *words]) == code
    assert demo.firmware() == ({"0000:04:00.0": {"NUM_OF_VFS": "32"}} if code is Exit.DONE else {})
    if "--yes" not in words:
        assert "mstconfig" in said.getvalue()
        assert f"Type {'yes' if words else 'one-way'}: " in asked.getvalue()


@settings(max_examples=40, deadline=None)
@given(any_answers())
def test_all_that_can_be_taken_back_comes_before_what_cannot(data: dict[str, Any]) -> None:
    seen = facts.read(built_in("demo"))
    for card in data.get("vfs", {}).get("card", []):
        card["firmware"] = "set"
        card["count"] = 63
    plan = make_plan(seen, answer_files.from_data(data))
    phases = [PHASES.index(step.phase) for step in plan.steps]
    assert phases == sorted(phases)
    one_way = ["one-way" in step.labels for step in plan.steps]
    assert one_way == sorted(one_way)
    for step in plan.steps:
        assert ("one-way" in step.labels) == (step.phase == "last")
