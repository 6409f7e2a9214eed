"""A backup that is not what was kept is never put in place: not by undo, not by a rollback. It is named, and the file stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from prior_states import carried_out, planned_here, result, run_here

from wizard.apply import launch
from wizard.apply.backends import Announce, Tell, quiet
from wizard.apply.simulated_backend import SimulatedBackend
from wizard.cli import main as cli
from wizard.errors import NodeError
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.planning.undo import undo_plan
from wizard.runs.journal import read
from wizard.runs.records import RUNS
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

CONF, MENU = "/etc/nova/nova.conf", "/etc/default/grub.d/zz-compute-wizard.cfg"
DAMAGES: dict[str, Callable[[Path], Any]] = {
    "truncated": lambda backup: backup.write_bytes(backup.read_bytes()[:20]),
    "empty": lambda backup: backup.write_bytes(b""),
    "changed": lambda backup: backup.write_bytes(backup.read_bytes().replace(b"a", b"e", 1)),
    "gone": lambda backup: backup.unlink(),
}


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def backup(node: SimulatedNode, plan: Plan, run: str) -> Path:
    numbers = [n for n, step in enumerate(plan.steps, 1) if isinstance(step, WriteFile) and step.path == CONF]
    return node.place(f"{RUNS}/{run}/backup/{numbers[0]:04}")


@pytest.mark.parametrize("damage", DAMAGES)
def test_undo_names_the_file_and_its_backup_and_touches_nothing(
    damage: str, node: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, before = planned_here(node), node.read(CONF)
    run = carried_out(node, plan)
    left, kept = node.read(CONF), backup(node, plan, run).read_bytes()
    DAMAGES[damage](backup(node, plan, run))
    with pytest.raises(
        NodeError, match=f"the backup of {CONF} is {'not there' if damage == 'gone' else 'damaged'}"
    ) as told:
        undo_plan(facts.read(node), node, run, node.directory)
    assert f"{RUNS}/{run}/backup/" in told.value.where
    assert re.search(r"sha256 [0-9a-f]{64}.*undo\.sh", told.value.do)
    assert cli.main(["--root", str(node.directory), "undo", run, "--yes"]) == 1
    said = capsys.readouterr().err
    assert CONF in said
    assert "Traceback" not in said
    assert node.read(CONF) == left
    assert [each.state for each in facts.read(node).history.runs] == ["done"]
    backup(node, plan, run).write_bytes(kept)  # what is told to be done helps
    again = carried_out(node, undo_plan(facts.read(node), node, run, node.directory))
    assert result(node, again) == "done"
    assert node.read(CONF) == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_history_does_not_take_a_damaged_backup_for_what_was_there(damage: str, node: SimulatedNode) -> None:
    plan = planned_here(node)
    run = carried_out(node, plan)
    DAMAGES[damage](backup(node, plan, run))
    seen = facts.read(node).history
    assert [each.path for each in seen.own if each.path == CONF] == []
    assert any(CONF in each.what and "backup" in each.why for each in seen.unseen)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_rollback_leaves_that_file_and_says_so(
    damage: str, node: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, real = planned_here(node), SimulatedBackend.run
    started = launch.save(node.directory, plan, "rollback", "simulated")
    left: list[bytes] = []

    def run(
        self: SimulatedBackend, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet
    ) -> int:
        if argv[0] == "update-grub" and not left:
            left.append(node.read(CONF))
            DAMAGES[damage](backup(node, plan, started.run))
            return 1
        return real(self, argv, deadline_s, tell, announce)

    monkeypatch.setattr(SimulatedBackend, "run", run)
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert events[-1]["result"] == "failed"
    told = [event["why"] for event in events if event["event"] == "rollback_failed"]
    assert [CONF in why and str(backup(node, plan, started.run)) in why for why in told] == [True]
    assert node.read(CONF) == left[0]
    assert not node.exists(MENU)  # the others are taken back
