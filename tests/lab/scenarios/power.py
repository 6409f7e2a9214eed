"""Power cuts at random moments of an apply and of an undo: the machine boots, the history is true, resume or undo ends well."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from lab.machine import Hardware, Machine
from lab.scenarios.card import CARD, numvfs
from lab.scenarios.scenario import Scenario
from lab.scenarios.today import ANSWERS
from lab.stage import Failed, Stage, differences, manifest

CUTS = int(os.environ.get("COMPUTE_WIZARD_LAB_CUTS", "20"))
PLACES = ("/etc", "/usr/local/sbin", "/boot/grub/grub.cfg")
VFS = 4
APPLY = "apply --answers /root/answers.toml --yes"
UNDO = "undo --yes"
WIDER = 1.1  # a cut may come a little after the run would have ended, before the disk was told to write by itself


@dataclass(frozen=True)
class State:
    """A machine between two runs: what is in its files, and how many VFs its card has."""

    files: str
    vfs: int

    @classmethod
    def of(cls, machine: Machine) -> State:
        return cls(manifest(machine, *PLACES), numvfs(machine))

    def differences(self, other: State) -> str:
        return differences(self.files, other.files) + f"\nVFs {self.vfs} -> {other.vfs}"


@dataclass(frozen=True)
class Uncut:
    """How it goes without a cut: the machine before and after, and the seconds that either run takes from its first word."""

    before: State
    applied: State
    apply_s: float
    undo_s: float


@dataclass(frozen=True)
class Cut:
    """When the power goes: in which run, how long after its first word; and what is done then with an apply that was cut."""

    run: Literal["apply", "undo"]
    delay: float
    then: Literal["resume", "undo"]


class Power(Scenario):
    NAME = "power"
    TITLE = f"{CUTS} power cuts during apply and undo"
    HARDWARE = (Hardware(look="connectx-5"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        seed = int(os.environ.get("COMPUTE_WIZARD_LAB_SEED", str(time.time_ns() % 10**6)))
        stage.say(f"moments drawn with COMPUTE_WIZARD_LAB_SEED={seed}")
        moments = random.Random(seed)
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.answers(machine, ANSWERS.format(card=CARD, count=VFS))
            uncut = _uncut(stage, machine)
            outcomes: Counter[str] = Counter()
            for number in range(1, CUTS + 1):
                cut = _drawn(moments, number, uncut)
                stage.say(f"cut {number} of {CUTS}: {cut.delay:.1f} s after the first word of the {cut.run}")
                machine.cut_power()
                machine.on("before" if cut.run == "apply" else "applied")
                _run_into(machine, cut)
                stage.boot(machine)
                outcomes[_ends_well(stage, machine, cut, uncut)] += 1
            for outcome, times in outcomes.most_common():
                stage.say(f"{times:3} x {outcome}")


def _uncut(stage: Stage, machine: Machine) -> Uncut:
    before = State.of(machine)
    machine.must("sync")
    machine.save("before")
    apply_s = _timed(machine, APPLY)
    applied = State.of(machine)
    stage.hold("uncut, apply gives the VFs", applied.vfs == VFS, applied.vfs)
    machine.must("sync")
    machine.save("applied")
    undo_s = _timed(machine, UNDO)
    undone = State.of(machine)
    stage.hold("uncut, undo gives back every byte and the VFs", undone == before, before.differences(undone))
    stage.say(f"from its first word to its last apply takes {apply_s:.0f} s, undo {undo_s:.0f} s")
    return Uncut(before, applied, apply_s, undo_s)


def _drawn(moments: random.Random, number: int, uncut: Uncut) -> Cut:
    part, then = moments.uniform(0, WIDER), moments.choice(("resume", "undo"))
    if number % 2:
        return Cut("apply", part * uncut.apply_s, then)
    return Cut("undo", part * uncut.undo_s, "resume")


def _begin(machine: Machine, command: str) -> float:
    """Type it on the serial line; gives the moment of the run's first word."""
    machine.line.type(f"compute-wizard {command}\r")
    machine.line.wait(r"Run \S+: \d+ steps", 900)
    return time.monotonic()


def _timed(machine: Machine, command: str) -> float:
    begun = _begin(machine, command)
    machine.line.wait(r"\nDone", 900)
    return time.monotonic() - begun


def _run_into(machine: Machine, cut: Cut) -> None:
    end = _begin(machine, APPLY if cut.run == "apply" else UNDO) + cut.delay
    while (left := end - time.monotonic()) > 0:
        machine.line.pump(min(left, 0.05))
    machine.cut_power()


def _ends_well(stage: Stage, machine: Machine, cut: Cut, uncut: Uncut) -> str:
    """After the boot; gives what was found and done, in a few words."""
    runs = json.loads(stage.tool(machine, "history --json"))
    found = _latest(cut, runs)
    stage.say(f"  history: {found}, {runs[-1]['steps_done']} of {runs[-1]['steps']} steps")
    reached, other = (uncut.applied, uncut.before) if cut.run == "apply" else (uncut.before, uncut.applied)
    if found == "done":
        now = State.of(machine)
        stage.hold(f"history says done, and all of the {cut.run} is there", now == reached, reached.differences(now))
        done = ""
    elif cut.then == "undo":
        stage.tool(machine, UNDO)
        reached, done = other, ", then undo"
    else:
        stage.tool(machine, "resume --yes")
        done = ", then resume"
    now = State.of(machine)
    wanted = "as before the apply, to the byte" if reached is uncut.before else "as after an apply without a cut"
    stage.hold(f"the files and VFs are {wanted}", now == reached, reached.differences(now))
    return f"{cut.run}: {found}{done}: well"


def _latest(cut: Cut, runs: list[dict[str, str]]) -> str:
    """The state of the run that was cut. Its first word was on the serial line, so it has to be known."""
    expected = 1 if cut.run == "apply" else 2
    if len(runs) != expected or bool(runs[-1]["undoes"]) != (cut.run == "undo"):
        raise Failed(f"the history does not know the {cut.run} that was cut: {runs}")
    state = runs[-1]["state"]
    if state not in ("interrupted", "done"):
        raise Failed(f"the history says {state} of a run that the power ended")
    return state
