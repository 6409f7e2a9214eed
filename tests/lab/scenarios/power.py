"""Power cuts at random moments of an apply and of an undo: the machine boots, the history is true, resume or undo ends well."""

from __future__ import annotations

import json
import os
import random
import time

from lab.machine import Hardware, Machine
from lab.scenarios.card import CARD
from lab.scenarios.scenario import Scenario
from lab.scenarios.today import ANSWERS
from lab.stage import Stage, differences, manifest

CUTS = int(os.environ.get("COMPUTE_WIZARD_LAB_CUTS", "20"))
PLACES = ("/etc", "/usr/local/sbin")


class Power(Scenario):
    NAME = "power"
    TITLE = f"{CUTS} power cuts during apply and undo"
    HARDWARE = (Hardware(look="connectx-5", memory=1024),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        seed = int(os.environ.get("COMPUTE_WIZARD_LAB_SEED", str(time.time_ns() % 10**6)))
        stage.say(f"moments drawn with COMPUTE_WIZARD_LAB_SEED={seed}")
        moments = random.Random(seed)
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.answers(machine, ANSWERS.format(card=CARD, count=4))
            before = manifest(machine, *PLACES)
            machine.must("sync")
            machine.save("before")
            took = _timed(machine, "compute-wizard apply --answers /root/answers.toml --yes")
            applied = manifest(machine, *PLACES)
            machine.must("sync")
            machine.save("applied")
            back = _timed(machine, "compute-wizard undo --yes")
            stage.say(f"uncut, apply takes {took:.0f} s and undo {back:.0f} s")
            for number in range(1, CUTS + 1):
                undoing = number % 2 == 0
                delay = moments.uniform(0.1, 1.1) * (back if undoing else took)
                stage.say(f"cut {number} of {CUTS}: {'undo' if undoing else 'apply'} after {delay:.1f} s")
                machine.cut_power()
                machine.on("applied" if undoing else "before")
                command = "undo --yes" if undoing else "apply --answers /root/answers.toml --yes"
                machine.line.type(f"compute-wizard {command}\r")
                end = time.monotonic() + delay
                while time.monotonic() < end:
                    machine.line.pump(0.05)
                machine.cut_power()
                stage.boot(machine)
                _ends_well(stage, machine, undoing, before, applied)


def _timed(machine: Machine, command: str) -> float:
    begun = time.monotonic()
    code, said = machine.shell(command, 1200)
    if code:
        raise RuntimeError(f"{command}: exit {code}\n{said}")
    return time.monotonic() - begun


def _ends_well(stage: Stage, machine: Machine, undoing: bool, before: str, applied: str) -> None:
    runs = json.loads(stage.tool(machine, "history --json"))
    states = [run["state"] for run in runs]
    now = manifest(machine, *PLACES)
    stage.say(f"  history: {', '.join(states) or 'no run'}")
    if not undoing:
        if not runs:
            stage.hold("no run, and nothing changed", now == before, differences(before, now))
            return
        if states[-1] in ("interrupted", "stopped"):
            stage.tool(machine, "resume --yes")
        now = manifest(machine, *PLACES)
        stage.hold("what was asked for is there", now == applied, differences(applied, now))
        stage.tool(machine, "plan --answers /root/answers.toml", 0)
        stage.tool(machine, "undo --yes")
    elif len(runs) == 1:
        stage.hold("the undo had not begun, and nothing changed", now == applied, differences(applied, now))
        stage.tool(machine, "undo --yes")
    elif states[-1] in ("interrupted", "stopped"):
        stage.tool(machine, "resume --yes")
    now = manifest(machine, *PLACES)
    stage.hold("taken back to the byte", now == before, differences(before, now))
