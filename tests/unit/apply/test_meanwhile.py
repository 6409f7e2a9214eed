"""What somebody does to a file between the last look and the change is never lost: not by a run, an undo or a rollback."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import needs
import pytest
from prior_states import Killed, carried_out, planned_here, run_here

from wizard.apply import launch
from wizard.apply.file_writer import Found, Tree
from wizard.apply.simulated_backend import SimulatedBackend
from wizard.errors import NodeError
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, WriteFile
from wizard.planning.undo import undo_plan
from wizard.runs.journal import read
from wizard.runs.records import Event
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

CONF, NEW = "/etc/nova/nova.conf", "/etc/modprobe.d/mlx4_core.conf"
THEIRS = b"# an hour of somebody's work\n"


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def edit(node: SimulatedNode, path: str) -> None:
    with node.place(path).open("ab") as file:
        file.write(THEIRS)


def right_before(monkeypatch: pytest.MonkeyPatch, name: str, path: str, nth: int, what: Callable[[], Any]) -> None:
    """Do something when a file is about to be changed for the n-th time, after the last look at it."""
    real, count = getattr(Tree, name), iter(range(1, 100))

    def change(self: Tree, at: str, *words: Any) -> Any:
        if at == path and next(count) == nth:
            what()
        return real(self, at, *words)

    monkeypatch.setattr(Tree, name, change)


def saved(node: SimulatedNode, plan: Plan) -> launch.Started:
    return launch.save(node.directory, plan, "rollback", "simulated")


def fails_at(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    real = SimulatedBackend.run
    monkeypatch.setattr(
        SimulatedBackend, "run", lambda self, argv, *words: 1 if argv[0] == command else real(self, argv, *words)
    )


def why(events: list[Event], kind: str) -> str:
    return " ".join(event["why"] for event in events if event["event"] == kind)


def test_a_file_that_somebody_made_is_not_overwritten(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned_here(node)
    assert [step.before for step in plan.steps if isinstance(step, WriteFile) and step.path == NEW] == [None]
    started = saved(node, plan)
    right_before(monkeypatch, "write", NEW, 1, lambda: node.place(NEW).write_bytes(THEIRS))
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert f"{NEW}: was made by somebody else" in why(events, "failed")
    assert node.read(NEW) == THEIRS
    assert f"{NEW} was changed by somebody else" in why(events, "rollback_failed")
    assert events[-1]["result"] == "failed"


def test_a_file_that_is_edited_is_not_removed(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    run = carried_out(node, planned_here(node))
    back = undo_plan(facts.read(node), node, run, node.directory)
    removed = [step.path for step in back.steps if isinstance(step, RemoveFile)]
    started = saved(node, back)
    right_before(monkeypatch, "remove", removed[0], 1, lambda: edit(node, removed[0]))
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert f"{removed[0]}: was changed by somebody else" in why(events, "failed")
    assert node.read(removed[0]).endswith(THEIRS)


def test_a_rollback_does_not_replace_a_file_that_is_edited(
    node: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = saved(node, planned_here(node))
    fails_at(monkeypatch, "update-grub")
    right_before(monkeypatch, "write", CONF, 2, lambda: edit(node, CONF))
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert f"{CONF}: was changed by somebody else" in why(events, "rollback_failed")
    assert node.read(CONF).endswith(THEIRS)
    assert events[-1]["result"] == "failed"


def test_a_rollback_does_not_remove_a_file_that_is_edited(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    started = saved(node, planned_here(node))
    fails_at(monkeypatch, "update-grub")
    right_before(monkeypatch, "remove", NEW, 1, lambda: edit(node, NEW))
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert f"{NEW}: was changed by somebody else" in why(events, "rollback_failed")
    assert node.read(NEW).endswith(THEIRS)


def test_a_rollback_does_not_overwrite_what_somebody_made_where_a_file_was_removed(
    node: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undo removed a file, fails later, and is to put it back."""
    run = carried_out(node, planned_here(node))
    back = undo_plan(facts.read(node), node, run, node.directory)
    removed = [step.path for step in back.steps if isinstance(step, RemoveFile)]
    started = saved(node, back)
    fails_at(monkeypatch, "update-grub")
    right_before(monkeypatch, "write", removed[0], 1, lambda: node.place(removed[0]).write_bytes(THEIRS))
    run_here(node.directory, started.run)
    events = read(started.journal)
    assert f"{removed[0]}: was made by somebody else" in why(events, "rollback_failed")
    assert node.read(removed[0]) == THEIRS


def found(tree: Tree, path: str) -> Found:
    there = tree.find(path)
    assert there is not None
    return there


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_without_hard_links_a_last_look_is_taken(
    number: int, node: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    tree, place = Tree(node.directory), node.place("/etc/new")
    tree.write("/etc/new", b"x", 0o640, "root:root", None)
    assert (place.read_bytes(), place.stat().st_mode & 0o7777) == (b"x", 0o640)
    with pytest.raises(NodeError, match="made by somebody else"):
        tree.write("/etc/new", b"y", 0o640, "root:root", None)
    assert place.read_bytes() == b"x"
    assert not list(place.parent.glob(".compute-wizard-*"))


def test_a_new_file_has_one_name_and_leaves_nothing_beside_it(node: SimulatedNode) -> None:
    tree, place = Tree(node.directory), node.place("/etc/new")
    tree.write("/etc/new", b"x", 0o640, "root:root", None)
    assert found(tree, "/etc/new").links == 1
    assert not list(place.parent.glob(".compute-wizard-*"))
    place.chmod(0o600)  # no other bytes, and yet somebody's work
    with pytest.raises(NodeError, match="made by somebody else"):
        tree.write("/etc/new", b"y", 0o640, "root:root", None)


def test_a_new_file_whose_runner_was_killed_before_it_lost_its_first_name(
    node: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs.root("to go on with a run whose files are root's")
    plan, real = planned_here(node), os.unlink
    started = saved(node, plan)

    def unlink(name: Any, **words: Any) -> None:
        if str(name).startswith(".compute-wizard-"):
            raise Killed
        real(name, **words)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", unlink)
        with pytest.raises(Killed):
            run_here(node.directory, started.run)
    left = list(node.directory.rglob("etc/**/.compute-wizard-*"))
    assert [each.stat().st_nlink for each in left] == [2]
    run_here(node.directory, started.run)
    assert read(started.journal)[-1]["result"] == "done"
    assert not list(node.directory.rglob("etc/**/.compute-wizard-*"))
    assert planned_here(node).steps == ()


def test_a_file_that_is_gone_or_another_one_is_not_removed(node: SimulatedNode) -> None:
    tree, place = Tree(node.directory), node.place(CONF)
    seen = found(tree, CONF)
    content = place.read_bytes()
    place.with_name("moved").write_bytes(content)
    place.with_name("moved").rename(place)
    with pytest.raises(NodeError, match="changed by somebody else"):
        tree.remove(CONF, seen)
    assert place.read_bytes() == content
    place.unlink()
    with pytest.raises(NodeError, match="changed by somebody else"):
        tree.remove(CONF, seen)
