"""A scenario is played again when something that it is played with changed, and only then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
from lab import __main__ as lab
from lab import host, inputs, play
from lab.machine import Hardware
from lab.scenarios import SCENARIOS
from lab.scenarios.any_device import AnyDevice
from lab.scenarios.scenario import Scenario
from lab.stage import Stage

VERDICT = {"verdict": "held", "why": "3 checks", "seconds": 7, "commit": "abc1234", "date": "2026-11-30"}


class Toy(Scenario):
    NAME = "toy"
    TITLE = "a toy"
    HARDWARE: ClassVar[tuple[Hardware, ...]] = ()
    played = 0

    @classmethod
    def play(cls, stage: Stage) -> None:
        stage.hold("it plays", True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one file in each place, and results of its own."""
    for name in (
        "wizard/a.py",
        "screens/b.py",
        "assets/c.toml",
        "tests/lab/d.py",
        "tests/lab/scenarios/other.py",
        "docs/e.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    (tmp_path / "pyproject.toml").write_text("1")
    (tmp_path / "tests/allowed_skips.txt").write_text("corpus: not here\nlab: this host has no\n")
    (tmp_path / "build/lab").mkdir(parents=True)
    own = tmp_path / "tests/lab/scenarios/toy.py"
    own.write_text("1")
    monkeypatch.setattr(host, "ROOT", tmp_path)
    monkeypatch.setattr(host, "HERE", tmp_path / "tests/lab")
    monkeypatch.setattr(host, "RESULTS", tmp_path / "build/lab")
    monkeypatch.setattr("lab.inputs.inspect.getfile", lambda _: str(own))
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "due"),
    [
        ("wizard/a.py", True),
        ("screens/b.py", True),
        ("assets/c.toml", True),
        ("pyproject.toml", True),
        ("tests/lab/d.py", True),
        ("tests/lab/scenarios/toy.py", True),
        ("wizard/new.py", True),
        ("tests/lab/scenarios/other.py", False),
        ("docs/e.md", False),
        ("wizard/__pycache__/a.pyc", False),
    ],
)
def test_only_a_changed_input_makes_a_scenario_due(checkout: Path, changed: str, due: bool) -> None:
    play.play(Toy)
    assert inputs.kept(Toy) is not None
    (checkout / changed).parent.mkdir(exist_ok=True)
    (checkout / changed).write_text("2")
    assert (inputs.kept(Toy) is None) == due


@pytest.mark.parametrize("verdict", ["failed", "interrupted", "not possible here"])
def test_only_what_held_is_kept(checkout: Path, verdict: str) -> None:
    play.play(Toy)
    path = checkout / "build/lab/toy/verdict.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "verdict": verdict}))
    assert inputs.kept(Toy) is None
    path.write_text("{")
    assert inputs.kept(Toy) is None


def test_each_line_of_the_table_names_its_commit_and_date() -> None:
    text = play.table([play.row("toy", VERDICT), play.row("older", {"verdict": "held", "why": "", "seconds": 1})])
    assert "toy                held                     7  abc1234   2026-11-30  3 checks" in text


def test_a_lab_that_is_not_played_fails_where_skips_are_strict(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPUTE_WIZARD_STRICT_SKIPS", raising=False)
    assert lab._may_be_left_out("anything")
    monkeypatch.setenv("COMPUTE_WIZARD_STRICT_SKIPS", "1")
    assert lab._may_be_left_out("this host has no apt")
    assert not lab._may_be_left_out("the time that was given is over")


def test_the_real_scenarios_have_inputs_of_their_own() -> None:
    assert len({inputs.of(scenario) for scenario in SCENARIOS}) > 1
    assert inputs.of(AnyDevice) == inputs.of(AnyDevice)
