"""Power cuts at random moments of an apply, an undo and what goes on with them: the machine boots, the history is true, all ends well."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from lab.machine import Hardware, Machine
from lab.scenarios.card import CARD
from lab.scenarios.scenario import Scenario
from lab.scenarios.today import ANSWERS
from lab.stage import Stage, differences, manifest

CUTS = int(os.environ.get("COMPUTE_WIZARD_LAB_CUTS", "20"))  # of both scenarios together
MOST = 3  # cuts of one run, before it is left to come to its end
PLACES = ("/etc", "/usr/local/sbin", "/boot/grub/grub.cfg")
COUNT = 4
APPLY = "apply --answers /root/answers.toml --yes"
UNDO = "undo --yes"
RESUME = "resume --yes"
LATER = 1.1  # of the time that a run takes uncut: a cut may come when it has just ended
Way = Literal["apply", "undo"]


@dataclass(frozen=True)
class State:
    """A machine between two runs: what is in its files and in /boot, and where the VFs come from."""

    files: str
    vfs: str

    def differences(self, other: State) -> str:
        return differences(self.files, other.files) + f"\nVFs: {self.vfs!r} -> {other.vfs!r}"


@dataclass(frozen=True)
class Uncut:
    """How it goes without a cut: the machine at the end of either way, and the seconds that it takes from the run's first word."""

    ends: dict[Way, State]
    seconds: dict[Way, float]


class Power(Scenario):
    NAME = "power"
    CUTS = CUTS - CUTS // 3
    TITLE = f"{CUTS} power cuts during apply, undo and resume: a kernel line, and VFs by sysfs and a unit"
    HARDWARE = (Hardware(look="connectx-5"),)
    VFS = (f"cat /sys/bus/pci/devices/{CARD}/sriov_numvfs", str(COUNT))  # a command, and what it says after an apply

    @classmethod
    def play(cls, stage: Stage) -> None:
        seed = int(os.environ.get("COMPUTE_WIZARD_LAB_SEED", str(time.time_ns() % 10**6)))
        stage.say(f"moments drawn with COMPUTE_WIZARD_LAB_SEED={seed}")
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.answers(machine, ANSWERS.format(card=CARD, count=COUNT))
            cutter = _Cutter(cls, stage, machine, random.Random(seed), cls.uncut(stage, machine))
            way: Way = "apply"
            while cutter.cuts < cls.CUTS:
                way = "apply" if cutter.play(way) == "undo" else "undo"
            for outcome, times in sorted(cutter.outcomes.items()):
                stage.say(f"{times:3} x {outcome}")

    @classmethod
    def state(cls, machine: Machine) -> State:
        return State(manifest(machine, *PLACES) + machine.must("ls /boot"), machine.must(cls.VFS[0]).strip())

    @classmethod
    def uncut(cls, stage: Stage, machine: Machine) -> Uncut:
        before = cls.state(machine)
        apply_s = _timed(machine, APPLY)
        applied = cls.state(machine)
        stage.hold("uncut, apply gives the VFs", applied.vfs.startswith(cls.VFS[1]), applied.vfs)
        undo_s = _timed(machine, UNDO)
        undone = cls.state(machine)
        stage.hold("uncut, undo gives back every byte and the VFs", undone == before, before.differences(undone))
        stage.say(f"from its first word to its last apply takes {apply_s:.0f} s, undo {undo_s:.0f} s")
        return Uncut({"apply": applied, "undo": before}, {"apply": apply_s, "undo": undo_s})


class PowerInitramfs(Power):
    NAME = "power-initramfs"
    CUTS = CUTS // 3
    TITLE = f"{CUTS} power cuts during apply, undo and resume: a kernel line, and module options in the initramfs"
    HARDWARE = (Hardware(look="connectx-3-pro"),)
    VFS = (
        "cd $(mktemp -d) && unmkinitramfs /boot/initrd.img-$(uname -r) . && "
        "find . -path '*/modprobe.d/mlx4_core.conf' -exec grep -h ^options {} +; rm -r $PWD",
        f"options mlx4_core num_vfs={COUNT}",
    )


def _begin(machine: Machine, command: str) -> float:
    """Type it on the serial line; gives the moment of the run's first word."""
    machine.line.type(f"compute-wizard {command}\r")
    machine.line.wait(r"Run \S+: \d+ steps", 900)
    return time.monotonic()


def _timed(machine: Machine, command: str) -> float:
    begun = _begin(machine, command)
    machine.line.wait(r"\nDone", 900)
    return time.monotonic() - begun


class _Cutter:
    """Runs into power cuts, boots, goes on, and looks how it ended."""

    def __init__(
        self, scenario: type[Power], stage: Stage, machine: Machine, moments: random.Random, uncut: Uncut
    ) -> None:
        self._scenario, self._stage, self._machine = scenario, stage, machine
        self._moments, self._uncut = moments, uncut
        self.cuts = 0
        self.outcomes: Counter[str] = Counter()

    def play(self, way: Way) -> Way:
        """One run, cut and gone on with until it is done; an apply may be taken back half way. Gives where it ended."""
        command = APPLY if way == "apply" else UNDO
        for _ in range(min(MOST, self._scenario.CUTS - self.cuts)):
            self._cut(way, command)
            if self._found(way, command) == "done":
                break
            if way == "apply" and self._moments.random() < 0.5:
                way, command = "undo", UNDO
            else:
                command = RESUME
        else:
            self._stage.tool(self._machine, command)
        now, wanted = self._scenario.state(self._machine), self._uncut.ends[way]
        what = "as after an apply without a cut" if way == "apply" else "as before, to the byte"
        self._stage.hold(f"files, boot menu and VFs are {what}", now == wanted, wanted.differences(now))
        return way

    def _cut(self, way: Way, command: str) -> None:
        self.cuts += 1
        delay = self._moments.uniform(0, LATER) * self._uncut.seconds[way]
        self._stage.say(
            f"cut {self.cuts} of {self._scenario.CUTS}: {command.split(maxsplit=1)[0]} ({way}), {delay:.1f} s after its first word"
        )
        end = _begin(self._machine, command) + delay
        while (left := end - time.monotonic()) > 0:
            self._machine.line.pump(min(left, 0.05))
        self._machine.cut_power()
        self._stage.boot(self._machine)

    def _found(self, way: Way, command: str) -> str:
        """What the history says of the run that was cut: its first word was heard, so it has to be known."""
        run = json.loads(self._stage.tool(self._machine, "history --json"))[-1]
        state = str(run["state"])
        self._stage.hold(
            f"history: {state}, {run['steps_done']} of {run['steps']} steps",
            state in ("interrupted", "done") and bool(run["undoes"]) == (way == "undo"),
            run,
        )
        self.outcomes[f"{command.split(maxsplit=1)[0]} ({way}) was {state}"] += 1
        return state
