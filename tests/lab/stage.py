"""What a scenario plays on: a machine with the tool in it, checks that hold or fail, and a record of all of it."""

from __future__ import annotations

import json
import time
from typing import Any

from lab import host, installed
from lab.machine import Hardware, Machine

VERDICT = "verdict.json"
SHOWN = 1200  # characters of an output that a failure shows


class Failed(Exception):
    """Something that had to be so is not."""


class Stage:
    """The record of one scenario, below build/lab/NAME: story.txt, serial.log, pictures, verdict.json."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.directory = host.RESULTS / name
        self.directory.mkdir(parents=True, exist_ok=True)
        for old in self.directory.iterdir():
            if old.is_file():
                old.unlink()
        self.held = 0
        self._begun = time.monotonic()
        self._pictures = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def say(self, text: str) -> None:
        """Tell what is done, on the terminal and in the story."""
        line = f"[{self.seconds:6.1f}s] {text}"
        print(f"{self.name}: {line}", flush=True)
        self.note(line)

    def note(self, text: str) -> None:
        """Write into the story only."""
        with (self.directory / "story.txt").open("a", encoding="utf-8") as story:
            story.write(text + "\n")

    def hold(self, what: str, holds: bool, seen: object = "") -> None:
        """A check. Raises Failed where it does not hold."""
        if not holds:
            self.say(f"  FAILED {what}")
            self.note(f"seen: {seen}")
            raise Failed(f"{what}; seen: {str(seen)[-SHOWN:]}")
        self.held += 1
        self.say(f"  held   {what}")

    def machine(self, hardware: Hardware) -> Machine:
        """A machine of its own with the tool in it; use it as a context."""
        return Machine(hardware, self.directory, installed.get(hardware.image))

    def boot(self, machine: Machine) -> None:
        self.say(f"power on; root's shell after {machine.boot():.0f} s")

    def reboot(self, machine: Machine) -> None:
        self.say("reboot")
        self.say(f"root's shell after {machine.reboot():.0f} s")

    def ready(self, machine: Machine) -> None:
        """Power on, and see that the tool is there."""
        self.boot(machine)
        self.say(
            f"the tool, installed from wheels without an index: {machine.must('compute-wizard --version').strip()}"
        )

    def tool(self, machine: Machine, words: str, *codes: int, stdin: str | None = None) -> str:
        """Run a subcommand, which has to end with one of these codes; gives what it printed."""
        code, said = machine.run(f"compute-wizard {words}", 900, stdin)
        self.note(f"$ compute-wizard {words}\n{said}[exit {code}]")
        self.hold(f"compute-wizard {words}: exit {code}", code in (codes or (0,)), f"exit {code}: {said}")
        return said

    def checks(self, machine: Machine, *codes: int, proof: str = "") -> dict[str, str]:
        """What verify says, check -> state; with the option of a proof, that too."""
        words = f"verify {proof} --yes --json" if proof else "verify --json"
        told = json.loads(self.tool(machine, words, *codes))
        return {f"{each['chapter']}: {each['what']}": each["state"] for each in told["checks"]}

    def answers(self, machine: Machine, toml: str) -> None:
        """Write /root/answers.toml."""
        machine.must("cat > /root/answers.toml", stdin=toml)

    def picture(self, machine: Machine, name: str) -> None:
        """The serial line's terminal as a picture and as text."""
        self._pictures += 1
        terminal, stem = machine.line.terminal, f"{self._pictures:02}-{name}"
        (self.directory / f"{stem}.svg").write_text(terminal.svg(), encoding="utf-8")
        frame = "+" + "-" * terminal.screen.columns + "+"
        lines = [f"|{line:<{terminal.screen.columns}}|" for line in terminal.text().splitlines()]
        self.note("\n".join([f"{name}:", frame, *lines, frame]))

    def console_picture(self, machine: Machine, name: str) -> None:
        """The machine's own screen as a picture."""
        self._pictures += 1
        machine.console(self.directory / f"{self._pictures:02}-{name}.png")

    def verdict(self, word: str, why: str, **more: Any) -> None:
        data = {"verdict": word, "why": why, "held": self.held, "seconds": round(self.seconds), **more}
        (self.directory / VERDICT).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def manifest(machine: Machine, *places: str) -> str:
    """Every file below these places with its mode, owner, size and hash: two of them are equal when nothing changed.

    Without what Debian's setupcon makes anew at a boot, now and then with other words in it.
    """
    where = f"{' '.join(places)} -xdev -not -path '/etc/console-setup/cached_*'"
    return machine.must(
        f"find {where} -printf '%m %u:%g %y %p -> %l\\n' | LC_ALL=C sort; "
        f"find {where} -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"
    )


def differences(before: str, after: str) -> str:
    """The lines that only one of two manifests has."""
    old, new = set(before.splitlines()), set(after.splitlines())
    return "\n".join([*(f"- {line}" for line in sorted(old - new)), *(f"+ {line}" for line in sorted(new - old))])
