"""Whatever a node was before, and whatever is answered: applied, nothing is left to be done; taken back, all is as it was."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from injection import snapshot
from prior_states import Deed, allowed, any_past, carried_out, do, result
from strategies import any_answers

from wizard import answer_files, report
from wizard.apply.undo import undo_plan
from wizard.demo import built_in, simulate
from wizard.merge import make_plan
from wizard.node import facts
from wizard.node.bootloader import KEPT
from wizard.node.simulated import SimulatedNode
from wizard.plan import Plan, Run

EXAMPLES = int(os.environ.get("COMPUTE_WIZARD_EXAMPLES", "60"))
GENERATED = {"boot/grub/grub.cfg": ("update-grub",), "boot/initrd": ("update-initramfs", "-u", "-k", "all")}


@contextmanager
def prepared(past: list[Deed]) -> Iterator[SimulatedNode]:
    """The demo node, after all that."""
    directory = Path(tempfile.mkdtemp())
    try:
        node = simulate(built_in("demo"), directory)
        (directory / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True)
        for deed in past:
            do(node, deed)
        yield node
    finally:
        shutil.rmtree(directory)


def seen_of(directory: Path, made: set[str]) -> dict[str, Any]:
    """Every file of a node but the copies that are kept of images, with what these commands make made anew: what is
    generated is judged by its content, as it comes from its sources."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(directory, Path(scratch) / "node", symlinks=True))
        for argv in GENERATED.values():
            if argv[0] in made:
                SimulatedNode(copy).obey(argv)
        return {name: each for name, each in snapshot(copy).items() if not name.endswith(KEPT)}


def commands(plan: Plan) -> set[str]:
    return {step.argv[0] for step in plan.steps if isinstance(step, Run)}


def titles(plan: Plan) -> list[str]:
    return [report.title(step) for step in plan.steps]


@settings(max_examples=EXAMPLES, deadline=None)
@given(any_past(), any_answers())
def test_applied_nothing_is_left_to_be_done_and_taken_back_all_is_as_it_was(
    past: list[Deed], data: dict[str, Any]
) -> None:
    with prepared(past) as node:
        plan = allowed(node, data)
        answers = answer_files.from_data(plan.answers)
        if not plan.steps:
            return
        made = commands(plan)
        before = seen_of(node.directory, made)
        copies = {path for path in node.names("/boot") if path.endswith(KEPT)}
        run = carried_out(node, plan)
        assert (said := result(node, run)) == "done", said
        assert titles(make_plan(facts.read(node), answers)) == []
        back = undo_plan(facts.read(node), node, run, node.directory)
        assert back.stopped is False, back.findings
        undo = carried_out(node, back)
        assert (said := result(node, undo)) == "done", said
        after = seen_of(node.directory, made)
        assert {
            name: (before.get(name), after.get(name))
            for name in {*before, *after}
            if before.get(name) != after.get(name)
        } == {}
        assert {path for path in node.names("/boot") if path.endswith(KEPT)} <= copies
