"""A file is its content, mode, owner and attributes: whatever of it somebody changed during a run, after it, or between a look and
a write is kept, and is named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import needs
import pytest
from prior_states import carried_out, planned_here, run_here
from test_meanwhile import fails_at, saved, why

from wizard.apply.step_executor import StepExecutor
from wizard.facts import facts
from wizard.model.steps import Step, WriteFile
from wizard.planning.undo import undo_plan
from wizard.runs.journal import read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

OLD, NEW = "/etc/nova/nova.conf", "/etc/modprobe.d/mlx4_core.conf"  # one that was there, one that the run makes
ACL = bytes.fromhex("0200000001000600ffffffff02000400e703000004000400ffffffff10000400ffffffff20000000ffffffff")

HANDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a narrower mode": (lambda place: place.chmod(0o600), "its mode"),
    "a wider mode": (lambda place: place.chmod(0o666), "its mode"),
    "a bit for its group": (lambda place: place.chmod(0o2750), "its mode"),
    "another owner": (lambda place: os.chown(place, 4242, -1), "its owner"),
    "another group": (lambda place: os.chown(place, -1, 4242), "its owner"),
    "an attribute": (lambda place: os.setxattr(place, "user.hand", b"x"), "its extended attributes"),
    "an ACL": (lambda place: os.setxattr(place, "system.posix_acl_access", ACL), "its"),
    "another content": (lambda place: place.write_bytes(b"theirs\n"), ""),
}
EACH_HAND = pytest.mark.parametrize("hand", HANDS)
EACH_FILE = pytest.mark.parametrize("path", [OLD, NEW])


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def state(place: Path) -> tuple[object, ...]:
    status = place.stat()
    attributes = {name: os.getxattr(place, name) for name in os.listxattr(place)}
    return place.read_bytes(), status.st_mode, status.st_uid, status.st_gid, attributes


def by_hand(name: str, place: Path) -> tuple[object, ...]:
    """Do it; gives what the file is then. Skips where this user or this file system may not."""
    try:
        HANDS[name][0](place)
    except OSError as error:
        needs.allowed(error)
    return state(place)


def number(steps: tuple[Step, ...], path: str) -> int:
    return next(n for n, step in enumerate(steps, 1) if isinstance(step, WriteFile) and step.path == path)


@EACH_HAND
@EACH_FILE
def test_a_rollback_keeps_it_and_ends_as_failed(
    node: SimulatedNode, monkeypatch: pytest.MonkeyPatch, hand: str, path: str
) -> None:
    """Set while a command of the run goes on that fails."""
    plan = planned_here(node)
    started = saved(node, plan)
    theirs: list[tuple[object, ...]] = []
    real = StepExecutor._run

    def run(self: StepExecutor, n: int, argv: tuple[str, ...], deadline_s: int) -> None:
        if argv[0] == "update-grub" and not theirs:
            theirs.append(by_hand(hand, node.place(path)))
        real(self, n, argv, deadline_s)

    monkeypatch.setattr(StepExecutor, "_run", run)
    fails_at(monkeypatch, "update-grub")
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert state(node.place(path)) == theirs[0]
    assert events[-1]["result"] == "failed"
    told = why(events, "rollback_failed")
    assert f"{path} was changed by somebody else" in told
    assert HANDS[hand][1] in told


@EACH_HAND
def test_nothing_is_lost_between_the_check_and_the_write(
    node: SimulatedNode, monkeypatch: pytest.MonkeyPatch, hand: str
) -> None:
    plan = planned_here(node)
    started = saved(node, plan)
    theirs: list[tuple[object, ...]] = []
    real = StepExecutor.carry

    def carry(self: StepExecutor, n: int, step: Step) -> None:
        if n == number(plan.steps, OLD):
            theirs.append(by_hand(hand, node.place(OLD)))
        real(self, n, step)

    monkeypatch.setattr(StepExecutor, "carry", carry)
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert state(node.place(OLD)) == theirs[0]
    assert f"{OLD} was changed by somebody else" in why(events, "failed")
    assert HANDS[hand][1] in why(events, "failed")
    assert events[-1]["result"] == "rolled_back"


@EACH_HAND
@EACH_FILE
def test_an_undo_asks_what_becomes_of_it(node: SimulatedNode, hand: str, path: str) -> None:
    before = state(node.place(OLD))
    run = carried_out(node, planned_here(node))
    theirs = by_hand(hand, node.place(path))
    asked = undo_plan(facts.read(node), node, run, node.directory)
    assert asked.stopped
    assert [work.path for work in asked.later_work] == [path]
    kept = undo_plan(facts.read(node), node, run, node.directory, {path: "keep"})
    assert path not in [getattr(step, "path", "") for step in kept.steps]
    assert state(node.place(path)) == theirs
    back = undo_plan(facts.read(node), node, run, node.directory, {path: "restore"})
    ended = carried_out(node, back)
    assert read(node.place(f"/var/lib/compute-wizard/runs/{ended}") / "journal.jsonl")[-1]["result"] == "done"
    if path == OLD:
        assert state(node.place(OLD)) == before
    else:
        assert not node.exists(NEW)


def test_what_a_rollback_left_itself_is_known_to_the_next_one(
    node: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(node.place(OLD))
    started = saved(node, planned_here(node))
    fails_at(monkeypatch, "update-grub")
    for _ in range(2):
        run_here(node.directory, started.run)
        assert "somebody else" not in why(read(started.journal), "rollback_failed")
        assert state(node.place(OLD)) == before
