"""A command that rebuilds the boot menu fails for somebody else's sake: what the run wrote is back, and nothing more is claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from prior_states import planned_here, run_here

from wizard.apply import launch
from wizard.apply.simulated_backend import SimulatedBackend
from wizard.errors import Exit
from wizard.facts import facts
from wizard.planning.undo import undo_plan
from wizard.runs.journal import read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

DROP_IN = "/etc/default/grub.d/zz-compute-wizard.cfg"


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path)


def _run(node: SimulatedNode, on_failure: str, failing: Any) -> tuple[Exit, list[str]]:
    started = launch.save(node.directory, planned_here(node), on_failure, "simulated")
    return _carried(node, started, failing)


def _carried(node: SimulatedNode, started: launch.Started, failing: Any) -> tuple[Exit, list[str]]:
    real = SimulatedBackend.run

    def run(self: SimulatedBackend, argv: Any, *rest: Any) -> int:
        return 1 if failing(argv) else real(self, argv, *rest)

    with mock.patch.object(SimulatedBackend, "run", run):
        run_here(node.directory, started.run)
    notes = [str(event["text"]) for event in read(started.journal) if event["event"] == "note"]
    return launch.result(started), notes


def _is_menu(argv: Any) -> bool:
    return bool(argv[0] == "update-grub")


def test_a_rollback_whose_rebuild_fails_as_it_did_before_has_taken_all_back(node: SimulatedNode) -> None:
    before = node.read("/boot/grub/grub.cfg")
    code, notes = _run(node, "rollback", _is_menu)
    assert code is Exit.ROLLED_BACK
    assert not node.exists(DROP_IN)
    assert node.read("/boot/grub/grub.cfg") == before
    assert any("update-grub ended with exit status 1, as it did in the run itself" in note for note in notes)


def test_an_undo_whose_rebuild_fails_as_it_did_before_has_taken_all_back(node: SimulatedNode) -> None:
    code, _ = _run(node, "stop", _is_menu)
    assert code is Exit.NOT_ROLLED_BACK
    assert node.exists(DROP_IN)
    plan = undo_plan(facts.read(node), node, None, node.directory)
    code, notes = _carried(node, launch.save(node.directory, plan, "rollback", "simulated"), _is_menu)
    assert code is Exit.DONE
    assert not node.exists(DROP_IN)
    assert any("the files are back as they were" in note for note in notes)


def test_a_rebuild_that_worked_in_the_run_has_to_work_when_it_is_taken_back(node: SimulatedNode) -> None:
    calls: list[Any] = []

    def failing(argv: Any) -> bool:
        calls.append(argv[0])
        return "update-initramfs" in argv[0] or (argv[0] == "update-grub" and calls.count("update-grub") > 1)

    code, notes = _run(node, "rollback", failing)
    assert code is Exit.NOT_ROLLED_BACK
    assert not any("update-grub" in note for note in notes)
