"""Steps are found in another plan by their ids, and those of plans without ids by their words."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from nodes import planned

from wizard.model.plan import Plan, from_json
from wizard.model.steps import RunCommand, Step, found_by
from wizard.runs.history import PastRun, _Names
from wizard.runs.run_state import RunState
from wizard.simulator.built_in import built_in


def command(name: str, *argv: str) -> RunCommand:
    return RunCommand(chapters=("vfs",), phase="boot", why=("a test",), argv=argv, id=name)


def past(left: Iterable[Step] = (), ran: Iterable[Step] = ()) -> PastRun:
    return PastRun(
        id="0001-x",
        at="",
        state=RunState.FAILED,
        chapters=("vfs",),
        answers={},
        boot_id="b",
        undoes="",
        undone_by="",
        steps=2,
        steps_done=0,
        needs_reboot=False,
        confirm_until="",
        reboot_chapters=(),
        ran=(),
        unfinished=(),
        ran_ids=tuple(found_by(step) for step in ran),
        unfinished_ids=tuple(found_by(step) for step in left),
    )


def without_ids(plan: Plan) -> str:
    data = plan.model_dump()
    for step in data["steps"]:
        del step["id"]
    return json.dumps(data, indent=2) + "\n"


@pytest.mark.parametrize("name", ["origin", "today", "demo"])
def test_every_step_has_an_id_of_its_own(name: str) -> None:
    plan = planned(built_in(name))
    ids = [step.id for step in plan.steps]
    assert all(ids) and len(set(ids)) == len(ids) > 0
    assert from_json(plan.to_json(), "x") == plan


def test_a_plan_without_ids_is_read_and_is_written_as_it_was() -> None:
    old = without_ids(planned(built_in("demo")))
    assert {step.id for step in from_json(old, "x").steps} == {""}
    assert from_json(old, "x").to_json() == old


NEW, REWORDED = command("made:menu", "update-grub"), command("made:menu", "grub-mkconfig", "-o", "x")
OLD, OTHER = command("", "update-grub"), command("made:other", "update-grub")


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        (NEW, NEW, True),
        (NEW, REWORDED, True),  # by its id, whatever its words are
        (NEW, OTHER, False),  # the same words of something else
        (OLD, NEW, True),  # a run of an older version
        (OLD, OLD, True),
        (OLD, REWORDED, False),
    ],
)
def test_what_a_run_left_or_ran_is_found_again(was: RunCommand, now: RunCommand, same: bool) -> None:
    assert past(left=[was]).left(now) is same
    assert past(ran=[was]).has_run(now) is same
    assert past().left(now) is False


@pytest.mark.parametrize(
    ("later", "earlier", "same"),
    [
        (NEW, REWORDED, True),
        (OTHER, NEW, False),
        (OLD, NEW, True),
        (NEW, OLD, True),  # the run of the older version came first
    ],
)
def test_what_a_later_run_ran_is_left_by_none(later: RunCommand, earlier: RunCommand, same: bool) -> None:
    assert _Names([later]).hold(earlier) is same
