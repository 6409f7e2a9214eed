"""Plays scenarios: `python -m lab [NAME ...]`; without a name, all of them. Ends with a table; exit code 1 where one failed."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from dataclasses import dataclass
from types import FrameType

from lab import emulator, guest_image, host, installed
from lab.scenarios import SCENARIOS, Scenario
from lab.stage import Failed, Stage

NOT_HERE = "not possible here"


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    verdict: str
    why: str
    seconds: float


def main() -> int:
    names = [scenario.NAME for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="lab", description=__doc__, epilog=f"scenarios: {', '.join(names)}")
    parser.add_argument("scenario", nargs="*", choices=[[], *names], metavar="NAME")
    parser.add_argument("--if-possible", action="store_true", help="exit code 0 where this host cannot run machines")
    parser.add_argument(
        "--within", type=float, metavar="MINUTES", help="a host that is too slow for that is one that cannot"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that machines are switched off on the way out
    if options.within:
        signal.signal(signal.SIGALRM, _too_slow)
        signal.setitimer(signal.ITIMER_REAL, options.within * 60, 60)
    chosen = [scenario for scenario in SCENARIOS if scenario.NAME in options.scenario] or list(SCENARIOS)
    rows: list[Row] = []
    try:
        _build(chosen)
        rows.extend(_play(scenario) for scenario in chosen)
    except host.NotPossible as error:
        print(f"{error}\nlab: not run: {str(error).splitlines()[0]}", flush=True)
        return 0 if options.if_possible else 1
    except KeyboardInterrupt:
        print("lab: interrupted", flush=True)
    print(_table(rows))
    (host.RESULTS / "table.txt").write_text(_table(rows) + "\n", encoding="utf-8")
    for row in rows:
        if row.verdict == NOT_HERE:
            print(f"lab: not run: {row.name}: {row.why}", flush=True)
    return 0 if len(rows) == len(chosen) and all(row.verdict != "failed" for row in rows) else 1


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise host.NotPossible("the time that was given (--within) is over: this host is too slow, or too busy")


def _build(chosen: list[type[Scenario]]) -> None:
    host.RESULTS.mkdir(parents=True, exist_ok=True)
    images = sorted({image for scenario in chosen for image in scenario.images()})
    host.prepare()
    how = "KVM" if host.hardware_virtualisation() else "emulation, since there is no hardware virtualisation here"
    print(f"lab: machines run by {how}; images in {host.cache()}; results in {host.RESULTS}", flush=True)
    emulator.get()
    for name in images:
        print(f"lab: image {name}{'' if guest_image.built(name) else ': being built'}", flush=True)
        guest_image.get(name)
        installed.get(name)


def _play(scenario: type[Scenario]) -> Row:
    print(f"\n{scenario.NAME}: {scenario.TITLE}", flush=True)
    stage = Stage(scenario.NAME)
    word, why = "held", ""
    try:
        scenario.play(stage)
        why = f"{stage.held} checks"
    except host.NotPossible as error:
        word, why = NOT_HERE, str(error)
    except Failed as error:
        word, why = "failed", str(error)
    except (RuntimeError, OSError, TimeoutError, EOFError, ValueError) as error:
        word, why = "failed", f"{type(error).__name__}: {error}"
        stage.note(traceback.format_exc())
    stage.say(f"{word}: {why}")
    stage.verdict(word, why)
    return Row(scenario.NAME, word, why.splitlines()[0] if why else "", stage.seconds)


def _table(rows: list[Row]) -> str:
    lines = ["", f"{'scenario':<18} {'verdict':<18} {'seconds':>7}  remarks"]
    lines += [f"{row.name:<18} {row.verdict:<18} {row.seconds:>7.0f}  {row.why[:200]}" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
