"""A run as it goes on is the record of its journal, and is said in the same words everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from wizard.model.plan import NodeName, Plan
from wizard.model.steps import RunCommand
from wizard.runs.event_text import log_line, sentence
from wizard.runs.progress import RunProgress
from wizard.runs.records import Event, fold

PLAN = Plan(
    node=NodeName(hostname="n", os="x", nova=None),
    steps=tuple(
        RunCommand(chapters=("vfs",), phase="boot", why=("x",), argv=("true",), id=f"vfs/{n}") for n in range(3)
    ),
)


def event(name: str, second: int, **more: Any) -> Event:
    return {"event": name, "at": f"2026-01-01T00:00:{second:02}+00:00", **more}


BEGIN = event("begin", 0, run="0001", steps=3)
CUT = [
    BEGIN,
    event("step", 1, n=1, title="one"),
    event("held", 4, n=1),
    event("step", 4, n=2, title="two"),
    event("failed", 6, n=2, why="it broke"),
]
BACK = [*CUT, event("rollback", 6), event("rollback_held", 7, n=2), event("rollback_held", 8, n=1)]


def progress(events: list[Event]) -> RunProgress:
    found = RunProgress(PLAN)
    for each in events:
        found.take(each)
    return found


@pytest.mark.parametrize(
    ("events", "states", "current", "failed"),
    [
        (CUT[:2], ["running", "", ""], 1, 0),
        (CUT[:3], ["held", "", ""], 0, 0),
        (CUT, ["held", "failed", ""], 0, 2),
        (BACK, ["taken back", "taken back", ""], 0, 2),
        ([*CUT, BEGIN, event("step", 9, n=2, title="two")], ["held", "running", ""], 2, 0),
        ([*CUT, BEGIN, event("skipped", 9, n=2, why="files only")], ["held", "failed", ""], 0, 0),
        ([BEGIN, CUT[1], event("skipped", 2, n=1, why="files only")], ["skipped", "", ""], 0, 0),
    ],
)
def test_the_states_of_the_steps(events: list[Event], states: list[str], current: int, failed: int) -> None:
    found = progress(events)
    assert [found.state(number) for number in (1, 2, 3)] == states
    assert (found.current, found.failed) == (current, failed)
    assert found.record == fold(events)


def test_how_long_a_step_took() -> None:
    found = progress(CUT)
    assert [found.time(number, 0.0) for number in (1, 2, 3)] == ["3 s", "2 s", ""]
    assert found.bar(4) == "[#---] 1 of 3 steps"


def test_a_wait_ends_with_its_confirmation() -> None:
    waiting = [BEGIN, event("waiting", 1, until="2026-01-01T00:10:00+00:00", seconds=600)]
    assert progress(waiting).waiting == "2026-01-01T00:10:00+00:00"
    assert progress([*waiting, event("confirmed", 2)]).waiting == ""
    assert progress([*waiting, event("end", 2, result="done")]).result == "done"


@pytest.mark.parametrize("each", BACK[1:], ids=lambda each: f"{each['event']}-{each.get('n')}")
def test_a_log_says_what_a_terminal_says(each: Event) -> None:
    core = {"step": "title", "failed": "why"}.get(each["event"], "")
    words = (
        each[core]
        if core
        else {"rollback_held": "taken back", "rollback": "Taking back what was done:"}.get(each["event"], "")
    )
    assert words in sentence(each) and words in log_line(each)
    assert bool(sentence(each)) == bool(log_line(each))
