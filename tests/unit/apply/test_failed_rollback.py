"""A rollback that could not put everything back: undo gives the rest back, with all that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from prior_states import planned_here, run_here

from wizard.apply import launch
from wizard.apply.file_writer import Tree
from wizard.apply.simulated_backend import SimulatedBackend
from wizard.errors import NodeError
from wizard.facts import facts
from wizard.planning.undo import undo_plan
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

MENU, IMAGE = "/boot/grub/grub.cfg", "/boot/initrd.img-4.4.0-210-generic"
OPTIONS, DROP_IN = "/etc/modprobe.d/mlx4_core.conf", "/etc/default/grub.d/zz-compute-wizard.cfg"


def _fails_late(node: SimulatedNode, then: Callable[[], None]) -> str:
    """A run whose last command fails, with something that happens right then; the rollback fails, too."""
    started = launch.save(node.directory, planned_here(node), "rollback", "simulated")
    real = SimulatedBackend.run
    failed: list[Any] = []

    def run(self: SimulatedBackend, argv: Any, *rest: Any) -> int:
        if "nova-network" in argv and not failed:
            failed.append(argv)
            then()
            return 1
        return real(self, argv, *rest)

    with mock.patch.object(SimulatedBackend, "run", run):
        run_here(node.directory, started.run)
    assert [each.state for each in facts.read(node).history.runs] == ["failed"]
    return started.run


def _take_back(node: SimulatedNode, run: str) -> None:
    plan = undo_plan(facts.read(node), node, run, node.directory, {"": "restore"})
    started = launch.save(node.directory, plan, "rollback", "simulated")
    run_here(node.directory, started.run)
    assert [each.state for each in facts.read(node).history.runs] == ["undone", "done"]


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    node = simulate(built_in("demo"), tmp_path)
    node.put(OPTIONS, "options mlx4_core num_vfs=2\n")
    node.obey(["update-initramfs", "-u", "-k", "all"])
    return node


def test_a_file_that_was_changed_meanwhile_is_in_no_boot_menu_after_undo(node: SimulatedNode) -> None:
    before = {path: node.read(path) for path in (MENU, IMAGE, OPTIONS)}
    run = _fails_late(node, lambda: node.put(DROP_IN, (node.text(DROP_IN) or "") + "\n# looked at by hand\n"))
    assert node.read(MENU) != before[MENU]
    _take_back(node, run)
    assert not node.exists(DROP_IN)
    assert {path: node.read(path) for path in before} == before


def test_a_full_disk_in_the_rollback_leaves_no_options_in_the_initramfs_after_undo(node: SimulatedNode) -> None:
    before = {path: node.read(path) for path in (MENU, IMAGE, OPTIONS)}
    real = Tree.write
    full: list[bool] = []

    def write(self: Tree, path: str, *rest: Any) -> Any:
        if full and path == OPTIONS:
            raise NodeError("cannot be changed or read: No space left on device", where=path)
        return real(self, path, *rest)

    with mock.patch.object(Tree, "write", write):
        run = _fails_late(node, lambda: full.append(True))
    assert node.read(IMAGE) != before[IMAGE]
    _take_back(node, run)
    assert {path: node.read(path) for path in before} == before


def test_a_file_that_was_put_back_by_hand_since_is_not_enough(node: SimulatedNode) -> None:
    before = {path: node.read(path) for path in (MENU, IMAGE, OPTIONS)}
    run = _fails_late(node, lambda: node.put(DROP_IN, (node.text(DROP_IN) or "") + "\n# looked at by hand\n"))
    node.place(DROP_IN).unlink()
    _take_back(node, run)
    assert {path: node.read(path) for path in before} == before
