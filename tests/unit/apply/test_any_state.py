"""Whatever a node was before, and whatever is answered: applied, nothing is left to be done; taken back, all is as it was."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import needs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from injection import snapshot
from prior_states import BY_HAND, Deed, allowed, any_past, carried_out, do, result
from strategies import any_answers

from wizard.answers import editing, suggestion
from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.errors import Blocked
from wizard.facts import facts
from wizard.facts.bootloader import KEPT
from wizard.model import step_text
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

NODES = st.sampled_from(["demo", "origin"])  # with systemd, and with upstart
EXAMPLES = int(os.environ.get("COMPUTE_WIZARD_EXAMPLES", "16"))
REDIRECT = "/usr/local/sbin/compute-wizard-metadata"
GENERATED = (("update-grub",), ("update-initramfs", "-u", "-k", "all"), (REDIRECT, "apply"))


@contextmanager
def prepared(name: str, past: list[Deed]) -> Iterator[SimulatedNode]:
    """A built-in node, after all that."""
    directory = Path(tempfile.mkdtemp())
    try:
        node = simulate(built_in(name), directory)
        (directory / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True, exist_ok=True)
        for deed in past:
            do(node, deed)
        yield node
    finally:
        shutil.rmtree(directory)


def seen_of(directory: Path, made: set[str]) -> dict[str, Any]:
    """Every file of a node but the copies that are kept of images, and its bridge rules, with what these commands make made
    anew: what is generated is judged by its content, as it comes from its sources."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(directory, Path(scratch) / "node", symlinks=True))
        for argv in GENERATED:
            if argv[0] in made and (argv[0] != REDIRECT or snapshot(copy)["bridge rules"]):
                SimulatedNode(copy).obey(argv)
        return {name: each for name, each in snapshot(copy).items() if not name.endswith(KEPT)}


def commands(plan: Plan) -> set[str]:
    return {step.argv[0] for step in plan.steps if isinstance(step, RunCommand)}


def titles(plan: Plan) -> list[str]:
    return [step_text.title(step) for step in plan.steps]


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: (one.get(name), other.get(name)) for name in {*one, *other} if one.get(name) != other.get(name)}


@settings(max_examples=EXAMPLES, deadline=None)
@given(NODES, any_past(), any_answers())
def test_applied_nothing_is_left_to_be_done_and_taken_back_all_is_as_it_was(
    name: str, past: list[Deed], data: dict[str, Any]
) -> None:
    needs.root("to go on with a run whose files are root's")
    with prepared(name, past) as node:
        plan = allowed(node, data)
        answers = answer_files.from_data(plan.answers)
        if not plan.steps:
            return
        made = commands(plan)
        before = seen_of(node.directory, made)
        copies = {path for path in node.names("/boot") if path.endswith(KEPT)}
        run = carried_out(node, plan)
        said = result(node, run)
        if said.startswith("rolled_back") and "IOMMU-LINE-UNKNOWN" in {each.code for each in plan.findings}:
            assert (
                differences(before, seen_of(node.directory, made)) == {}
            )  # it was said before that it cannot be foreseen
            return
        assert said == "done", said
        assert titles(make_plan(facts.read(node), answers)) == []
        back = undo_plan(facts.read(node), node, run, node.directory)
        assert back.stopped is False, back.findings
        undo = carried_out(node, back)
        said = result(node, undo)
        assert said == "done", said
        assert differences(before, seen_of(node.directory, made)) == {}
        assert {path for path in node.names("/boot") if path.endswith(KEPT)} <= copies


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(
    NODES,
    st.lists(BY_HAND, max_size=4),
    st.lists(st.tuples(any_answers(), st.one_of(st.none(), st.integers(1, 90)), st.booleans()), min_size=1, max_size=3),
)
def test_runs_that_were_cut_anywhere_are_taken_back_one_after_the_other(
    name: str, past: list[Deed], runs: list[tuple[dict[str, Any], int | None, bool]]
) -> None:
    """Each run planned on what the one before left, whole or killed, with a reboot after it or not."""
    with prepared(name, past) as node:
        every = {argv[0] for argv in GENERATED}
        before = seen_of(node.directory, every)
        for data, killed_at, reboot in runs:
            carried_out(node, allowed(node, data), killed_at)
            if reboot:
                node.reboot()
        for run in reversed(facts.read(node).history.runs):
            if run.state == "rolled_back":  # its rebuild fails on this node, with and without the run
                continue
            back = undo_plan(facts.read(node), node, run.id, node.directory)
            assert back.stopped is False, back.findings
            undo = carried_out(node, back)
            said = result(node, undo)
        assert said == "done", said
        after = seen_of(node.directory, every)
        assert differences(before, after) == {}
        assert not [path for path in node.names("/boot") if path.endswith(KEPT)]


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(st.integers(1, 8), st.data(), st.booleans())
def test_a_run_whose_vfs_a_guest_holds_is_not_taken_back(count: int, data: st.DataObject, by_name: bool) -> None:
    held = data.draw(st.integers(0, count - 1))
    with tempfile.TemporaryDirectory() as directory:
        node = simulate(built_in("today"), Path(directory))
        answers = editing.change(suggestion.suggest(facts.read(node)), "vfs", ("card", 0, "count"), count)
        run = carried_out(node, make_plan(facts.read(node), answers))
        assert result(node, run) == "done"
        vf = node.link_name(f"/sys/bus/pci/devices/0000:3b:00.0/virtfn{held}") or ""
        hold(node, vf, by_name)
        before = snapshot(node.directory), node.names("/sys/bus/pci/devices")
        back = undo_plan(facts.read(node), node, run, node.directory)
        assert [vf in finding.seen for finding in back.findings if finding.code == "UNDO-VF-IN-USE"] == [True]
        with pytest.raises(Blocked):
            launch.start(node.directory, back, simulated=True)
        assert (snapshot(node.directory), node.names("/sys/bus/pci/devices")) == before


def hold(node: SimulatedNode, vf: str, by_name: bool) -> None:
    """Let a guest have a VF: named among its arguments, or bound to vfio-pci and nobody knows by whom."""
    if by_name:
        place = node.place("/proc/4242")
        place.mkdir()
        words = ("/usr/bin/qemu-system-x86_64", "-name", "guest=instance-7", "-device", f"vfio-pci,host={vf}")
        (place / "cmdline").write_text("".join(f"{word}\0" for word in words), encoding="utf-8")
        return
    node.place("/sys/bus/pci/drivers/vfio-pci").mkdir(parents=True)
    node.place(node.resolve(f"/sys/bus/pci/devices/{vf}") + "/driver").symlink_to(
        "../../../../bus/pci/drivers/vfio-pci"
    )
