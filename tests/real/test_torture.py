"""Whatever happens to the runner, at whatever moment: nothing is lost. `make torture` tries every point of every fault."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import needs
import pytest
from injection import (
    FAULTS,
    Point,
    Points,
    Prepared,
    go_on,
    inject,
    judge_apply,
    judge_undo,
    points,
    snapshot,
    spread,
    works,
)

from wizard.answers import suggestion
from wizard.apply import launch
from wizard.facts import facts
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

STEP = os.environ.get("COMPUTE_WIZARD_TORTURE", "")  # "1": every point, "8": each eighth; the short form without it
SHORT = 3  # points of each fault and scenario in the short form

pytestmark = pytest.mark.skipif(not works(), reason="kernel: strace may not trace here")


def prepare(directory: Path, name: str) -> Prepared:
    """A node with what is easily lost: a link, an ACL, an attribute, modes; and a run that is saved, not started."""
    node = simulate(built_in(name), directory)
    (directory / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True, exist_ok=True)
    conf = directory / "etc/nova/nova.conf"
    real = conf.with_name("real.conf")
    conf.rename(real)
    conf.symlink_to("/etc/nova/real.conf")
    os.setxattr(real, "user.note", b"kept")
    os.setxattr(real, "system.posix_acl_access", bytes.fromhex(ACL))
    seen = facts.read(node)
    plan = make_plan(seen, suggestion.suggest(seen))
    started = launch.save(directory, plan, "rollback", "simulated")
    return Prepared(directory, started.run, plan, snapshot(directory))


# version 2; user::rw-, user:1000:r--, group::r--, mask::r--, other::---
ACL = "0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000000ffffffff"


@pytest.fixture(scope="module", params=["demo", "today"])
def apply(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Points]:
    prepared = prepare(tmp_path_factory.mktemp("apply") / "node", request.param)
    return prepared, points(prepared, tmp_path_factory.mktemp("points") / "node")


@pytest.fixture(scope="module")
def undo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Points, str]:
    first = prepare(tmp_path_factory.mktemp("undo") / "node", "demo")
    assert go_on(first.place, first.run) == "done"
    node = SimulatedNode(first.place)
    back = undo_plan(facts.read(node), node, None, first.place)
    started = launch.save(first.place, back, "stop", "simulated")
    prepared = Prepared(first.place, started.run, back, first.before)
    return prepared, points(prepared, tmp_path_factory.mktemp("points") / "node"), first.run


@pytest.mark.parametrize("fault", FAULTS)
def test_an_apply_that_meets_a_fault_goes_on_and_is_taken_back(
    apply: tuple[Prepared, Points], fault: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    needs.root("to go on with a run whose files are root's")
    prepared, every = apply
    tried = chosen(every, 3 * list(FAULTS).index(fault))
    swept(
        f"apply {request.node.callspec.id}",
        prepared,
        every,
        tried,
        fault,
        tmp_path,
        lambda left, other: judge_apply(prepared, left, other),
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_an_undo_that_meets_a_fault_goes_on(undo: tuple[Prepared, Points, str], fault: str, tmp_path: Path) -> None:
    prepared, every, undone = undo
    tried = chosen(every, 5 * list(FAULTS).index(fault))
    swept(
        f"undo demo-{fault}",
        prepared,
        every,
        tried,
        fault,
        tmp_path,
        lambda left, _: judge_undo(prepared, undone, left),
    )


def swept(
    what: str,
    prepared: Prepared,
    every: Points,
    tried: tuple[Point, ...],
    fault: str,
    place: Path,
    judge: Callable[[Path, Path], str],
) -> None:
    """One fault at each of these points; all of them are tried, and then those that ended badly are told. Nine of ten have to be met."""
    states, bad, met = [], [], 0
    for number, point in enumerate(tried):
        left = place / f"left-{number}"
        met += inject(prepared, left, every, point, fault)
        try:
            states.append(judge(left, place / f"other-{number}"))
        except Exception as error:
            bad.append(f"{point}, left in {left}: {error!r}")
    if STEP:
        counted = ", ".join(f"{states.count(each)} {each or 'not begun'}" for each in sorted(set(states)))
        print(f"\n{what}: {met} of {len(tried)} points met ({counted}), {len(bad)} ended badly", file=sys.stderr)
    assert not bad, "\n".join(bad)
    assert met >= 0.9 * len(tried) > 0


def chosen(every: Points, start: int) -> tuple[Point, ...]:
    """All points, or every STEP-th; in the short form a few."""
    return every.every[:: int(STEP)] if STEP else tuple(spread(every.every, SHORT, start))
