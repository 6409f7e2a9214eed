"""A run that is under way: found by a wizard that is started meanwhile, counted while VFs are made; and a plan that is still made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driving import keys, opened, page, press, state, text, until, whole, write

from screens.shared.session import NodeEngine
from wizard.answers import editing
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.plan import Plan
from wizard.model.steps import WriteSysfs
from wizard.simulator.built_in import built_in, simulate


class Held(NodeEngine):
    """Its runs are at one step for as long as they are held there."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.step = 1
        self.go_on = threading.Event()

    def events(self, run: str) -> Iterator[Any]:
        for event in super().events(run):
            yield event
            if event["event"] == "step" and event["n"] == self.step:
                assert self.go_on.wait(120)


async def test_vfs_are_counted_while_they_are_made(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    engine = Held(node, str(tmp_path), True)
    async with opened(engine) as pilot:
        plan = state(pilot).plan
        assert plan is not None
        engine.step = next(n for n, step in enumerate(plan.steps, 1) if isinstance(step, WriteSysfs))
        function = str(plan.steps[engine.step - 1].path).rpartition("/")[0]  # type: ignore[union-attr]
        await press(pilot, "8")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "there by now)" in whole(pilot))
        run = state(pilot).run
        assert run is not None
        list(NodeEngine.events(engine, run))  # the runner is at its end: what is shown is as if it were not
        place = node.place(node.resolve(function))
        for link in place.glob("virtfn*"):
            link.unlink()
        await until(pilot, lambda: "(0 there by now)" in whole(pilot))
        for number in range(3):
            (place / f"virtfn{number}").symlink_to("elsewhere")
        await until(pilot, lambda: "(3 there by now)" in whole(pilot))
        engine.go_on.set()
        await until(pilot, lambda: "[..]" not in text(pilot))


async def test_a_wizard_that_is_started_while_a_run_is_under_way_shows_it(tmp_path: Path) -> None:
    node = simulate(built_in("demo"), tmp_path)
    first, second = NodeEngine(node, str(tmp_path), True), Held(node, str(tmp_path), True)
    plan = first.plan(facts := first.look(), first.suggest(facts))
    run = first.start(plan, confirm_minutes=10)
    next(event for event in first.events(run) if event["event"] == "waiting")
    async with opened(second) as pilot:
        assert page(pilot) == "apply"
        await until(pilot, lambda: "Run 0001" in text(pilot))
        second.go_on.set()
        await until(pilot, lambda: "k keeps it" in whole(pilot))
        assert "k keep it" in keys(pilot)
        await press(pilot, "h")
        assert "waiting" in whole(pilot)
        assert "g watch" in keys(pilot)
        await press(pilot, "g")
        await until(pilot, lambda: page(pilot) == "apply" and "k keep it" in keys(pilot))
        await press(pilot, "k")
        await until(pilot, lambda: "Done." in whole(pilot))
        assert text(pilot).splitlines()[0].endswith("| REBOOT NEEDED")


class Thinking(NodeEngine):
    """Makes no other plan before it is let."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.go_on = threading.Event()
        self.go_on.set()
        self.planned = 0

    def plan(self, facts: Facts, answers: AllAnswers) -> Plan:
        assert self.go_on.wait(120)
        self.planned += 1
        return super().plan(facts, answers)


async def test_pages_are_there_before_their_plan(tmp_path: Path) -> None:
    engine = Thinking(simulate(built_in("demo"), tmp_path), str(tmp_path), True)
    async with opened(engine) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: page(pilot) == "metadata")
        engine.go_on.clear()
        before = engine.planned
        for key in "oooo7":  # each gives other answers
            await pilot.press(key)
        await until(pilot, lambda: page(pilot) == "preview")
        assert "Making the plan ..." in whole(pilot)
        await pilot.press("n", "p", "f", "s", "8")
        await until(pilot, lambda: page(pilot) == "apply")
        assert "Making the plan ..." in whole(pilot)
        assert not pilot.app.screen.query("#yes")
        await pilot.press("0")
        await until(pilot, lambda: page(pilot) == "welcome" and "Making the plan ..." in whole(pilot))
        await pilot.press("8")
        await until(pilot, lambda: page(pilot) == "apply")
        engine.go_on.set()
        await until(pilot, lambda: "Type yes to start" in whole(pilot))
        assert pilot.app.focused is not None and pilot.app.focused.id == "yes"
        assert state(pilot).current is not None
        assert state(pilot).current == engine.plan(*_facts_and_answers(pilot))
        assert engine.planned - before <= 4  # those in between were not needed


def _facts_and_answers(pilot: Any) -> tuple[Facts, AllAnswers]:
    facts = state(pilot).facts
    assert facts is not None
    return facts, state(pilot).answers


async def test_values_typed_while_a_plan_is_made_are_in_the_next_one(tmp_path: Path) -> None:
    engine = Thinking(simulate(built_in("demo"), tmp_path), str(tmp_path), True)
    async with opened(engine) as pilot:
        await press(pilot, "3", "tab", "end", "backspace", "backspace")
        engine.go_on.clear()
        await pilot.press("8")
        await until(pilot, lambda: pilot.app._planning)  # type: ignore[attr-defined]
        await pilot.press("backspace", "4")
        engine.go_on.set()
        await until(pilot, lambda: "num_vfs=4" in whole(pilot))
        assert editing.value_at(state(pilot).answers, "vfs", ("card", 0, "count")) == 4
