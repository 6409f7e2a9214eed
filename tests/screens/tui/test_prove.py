"""Proofs on demand: what each would do, asked for, live while it is given, and what it came to; a defect in one is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import keys, opened, page, press, settled, state, text, until, whole, wizard, write

from screens.shared.session import NodeEngine
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.node.node import Node
from wizard.probes.registry import Probe
from wizard.simulator.built_in import built_in, simulate


class Slow:
    """A proof that says something, and comes to its end when it is let go."""

    NAME, TITLE, LIMITS = "slow", "Try it slowly", "That it is quick was not proven."

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.given = 0

    def announce(self, node: Node, facts: Facts, answers: AllAnswers, only: str) -> list[str]:
        return ["a port is made on br1441 [for seconds]"]

    def prove(
        self, node: Node, facts: Facts, answers: AllAnswers, only: str, tell: Callable[[str], None]
    ) -> list[Check]:
        self.given += 1
        tell("asking on br1441")
        assert self.go_on.wait(120)
        return [Check("metadata", "A guest gets metadata", "failed", "nobody answered", "Look at nova-api.")]


class Engine(NodeEngine):
    """Has one proof."""

    proof: Probe

    def proofs(self) -> tuple[Probe, ...]:
        return (self.proof,)


def engine(tmp_path: Path, proof: Probe) -> Engine:
    made = Engine(simulate(built_in("demo"), tmp_path), str(tmp_path), True)
    made.proof = proof
    return made


async def test_a_proof_is_asked_for_followed_and_told(tmp_path: Path) -> None:
    proof = Slow()
    async with opened(engine(tmp_path, proof)) as pilot:
        await press(pilot, "9")
        assert "p try it out" in keys(pilot)
        await press(pilot, "p")
        await until(pilot, lambda: "br1441 [for seconds]" in whole(pilot))
        assert proof.LIMITS in whole(pilot)
        await press(pilot, "enter")
        await write(pilot, "no")
        await press(pilot, "enter")
        assert "Nothing was done" in whole(pilot)
        assert proof.given == 0
        await press(pilot, "enter")
        await write(pilot, "yes")
        await press(pilot, "enter")
        await until(pilot, lambda: "asking on br1441 ..." in whole(pilot))
        assert "(being given)" in whole(pilot)
        assert "Enter" not in keys(pilot)
        await press(pilot, "escape", "p")
        await until(pilot, lambda: "asking on br1441 ..." in whole(pilot))
        proof.go_on.set()
        await until(pilot, lambda: "FAILED: A guest gets metadata" in whole(pilot))
        assert "do: Look at nova-api." in whole(pilot)
        assert proof.LIMITS in whole(pilot)
        await press(pilot, "escape")
        await until(pilot, lambda: "A guest gets metadata" in whole(pilot))
        assert state(pilot).mark("verify") == "[! ]"
        await press(pilot, "v")
        await settled(pilot)
        assert "A guest gets metadata" not in whole(pilot)
        assert proof.given == 1


async def test_where_a_proof_cannot_be_given_it_says_why(tmp_path: Path) -> None:
    async with wizard(tmp_path) as pilot:
        await press(pilot, "9", "p")
        await until(pilot, lambda: "Not here: only a live node can be asked." in whole(pilot))
        assert "Fetch metadata as a guest would  (not here)" in text(pilot)
        assert "Enter" not in keys(pilot)
        await press(pilot, "down", "enter")
        assert "only a live node can boot a guest" in whole(pilot)
        assert not pilot.app.screen.query_one("#yes").display
        await press(pilot, "escape")
        assert page(pilot) == "verify"


async def test_a_defect_in_a_proof_is_not_swallowed(tmp_path: Path) -> None:
    class Broken(Slow):
        def prove(self, *_: object) -> list[Check]:
            raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError):
        async with opened(engine(tmp_path, Broken())) as pilot:
            await press(pilot, "9", "p")
            await until(pilot, lambda: "br1441" in whole(pilot))
            await press(pilot, "enter")
            await write(pilot, "yes")
            await pilot.press("enter")
            await until(pilot, lambda: False)


@pytest.mark.parametrize("what", ["look", "verify", "plan"])
async def test_a_defect_in_a_thread_is_not_swallowed(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    made = NodeEngine(simulate(built_in("demo"), tmp_path), str(tmp_path), True)
    with pytest.raises(Exception, match="on purpose"):
        async with opened(made) as pilot:
            monkeypatch.setattr(made, what, broken)
            await pilot.press(*{"look": ("7", "r"), "verify": ("9",), "plan": ("6", "o")}[what])
            await until(pilot, lambda: False)
