"""A rollback that was cut: the run goes on, fails once more, and is rolled back as a whole, whoever had begun its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import needs
import pytest
from injection import snapshot
from prior_states import Killed, carried_out, planned_here, run_here

from wizard.apply import launch
from wizard.apply.backends import Announce, Tell, quiet
from wizard.apply.simulated_backend import SimulatedBackend
from wizard.errors import NodeError
from wizard.facts import facts
from wizard.facts.bootloader import KEPT
from wizard.model.steps import RunCommand
from wizard.runs.journal import Journal
from wizard.runs.records import STATE
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

VFS = "/sys/bus/pci/devices/0000:3b:00.{}/sriov_numvfs"
LAST = {"today": "numvfs", "demo": "nova-network"}  # what fails at first, late in the run
IMAGE = "/boot/initrd.img-4.4.0-210-generic"


@contextmanager
def failing(word: str, times: int = 1000, leaves: bytes | None = None) -> Iterator[None]:
    """Within, a command whose words hold this one fails so many times, and leaves this as the image; `numvfs`: making the
    second port's VFs."""
    left = iter(range(times))
    run, attribute = SimulatedBackend.run, SimulatedBackend.write_attribute

    def ends_badly(
        self: SimulatedBackend, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet
    ) -> int:
        if word not in " ".join(argv) or next(left, None) is None:
            return run(self, argv, deadline_s, tell, announce)
        if leaves is not None:
            self.node.put(IMAGE, leaves)
        return 1

    def refused(self: SimulatedBackend, path: str, value: str, *more: Any) -> None:
        if word == "numvfs" and path == VFS.format(1) and value != "0":
            raise NodeError("refused by the kernel")
        attribute(self, path, value, *more)

    with (
        mock.patch.object(SimulatedBackend, "run", ends_badly),
        mock.patch.object(SimulatedBackend, "write_attribute", refused),
    ):
        yield


@contextmanager
def killed_in_rollback(at: int) -> Iterator[None]:
    """Within, the runner is killed as it is about to write the line of this number of its rollback."""
    real, lines = Journal.write, iter(range(1000))
    begun = False

    def write(self: Journal, event: str, **more: Any) -> None:
        nonlocal begun
        begun = begun or event == "rollback"
        if begun and next(lines) == at:
            raise Killed
        real(self, event, **more)

    with mock.patch.object(Journal, "write", write):
        try:
            yield
        except Killed:
            return


def all_of(node: SimulatedNode) -> dict[str, Any]:
    """Every file, links and what is generated among them, as it is; and the VFs."""
    return {**snapshot(node.directory), "VFs": [node.text(VFS.format(port)) for port in (0, 1)]}


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: (one.get(name), other.get(name)) for name in {*one, *other} if one.get(name) != other.get(name)}


@pytest.mark.parametrize("reboot", [False, True])
@pytest.mark.parametrize("name", ["today", "demo"])
def test_whoever_began_a_step_it_is_taken_back(name: str, reboot: bool, tmp_path: Path) -> None:
    said = []
    for at in range(0, 24, 1 if name == "today" else 3):
        node = simulate(built_in(name), tmp_path / f"node-{at}")
        (node.directory / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True, exist_ok=True)
        before = all_of(node)
        started = launch.save(node.directory, planned_here(node), "rollback", "simulated")
        with failing(LAST[name]), killed_in_rollback(at):
            run_here(node.directory, started.run)
        if reboot:
            node.reboot()
        with failing("update-grub", 1):  # /boot was full for a moment
            run_here(node.directory, started.run)
        state = facts.read(node).history.runs[0].state
        said.append(state)
        if state == "rolled_back" and not (reboot and name == "demo"):  # a boot starts what nova had running anew
            assert differences(before, all_of(node)) == {}, at
    assert "rolled_back" in said


def test_a_resume_after_a_rollback_that_was_cut_keeps_the_copy_that_boots(tmp_path: Path) -> None:
    needs.root("to go on with a run whose files are root's")
    for at in range(0, 14, 2):
        node = simulate(built_in("demo"), tmp_path / f"node-{at}")
        known = node.read(IMAGE)
        started = launch.save(node.directory, planned_here(node), "rollback", "simulated")
        with failing("nova-network"), killed_in_rollback(at):
            run_here(node.directory, started.run)
        run_here(node.directory, started.run)
        assert facts.read(node).history.runs[0].state == "done"
        assert known in (node.read(IMAGE + KEPT), node.read(IMAGE)), at


def test_where_neither_the_rebuild_nor_its_rollback_came_to_an_end_no_other_copy_is_made(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    known = node.read(IMAGE)
    with failing("update-initramfs", leaves=b"half of an image"):
        run = carried_out(node, planned_here(node))
    assert facts.read(node).history.runs[0].state == "failed"
    plan = planned_here(node)
    assert not [step for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] == "cp"]
    run_here(node.directory, run)
    assert node.read(IMAGE + KEPT) == known


def test_going_on_that_is_refused_leaves_the_run_what_it_was(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    with failing("nova-network", 1):
        run = carried_out(node, planned_here(node))
    assert facts.read(node).history.runs[0].state == "rolled_back"
    conf = node.place("/etc/nova/nova.conf")
    conf.write_bytes(conf.read_bytes() + b"# somebody else's\n")
    run_here(node.directory, run)
    journal = node.place(f"{STATE}/runs/{run}/journal.jsonl").read_text(encoding="utf-8")
    assert '"refused"' in journal.splitlines()[-1]
    assert facts.read(node).history.runs[0].state == "rolled_back"
