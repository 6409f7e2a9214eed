"""Plays scenarios: `python -m lab [NAME ...]`; without a name, those that did not hold yet with the tool and the lab as they are.
Ends with a table of all; exit code 1 where one failed."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

from lab import emulator, guest_image, host, inputs, installed
from lab.play import NOT_HERE, Row, at_once, play_all, row, table
from lab.scenarios import SCENARIOS, Scenario


def main() -> int:
    names = [scenario.NAME for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="lab", description=__doc__, epilog=f"scenarios: {', '.join(names)}")
    parser.add_argument("scenario", nargs="*", choices=[[], *names], metavar="NAME")
    parser.add_argument("--if-possible", action="store_true", help="exit code 0 where this host cannot run machines")
    parser.add_argument(
        "--within", type=float, metavar="MINUTES", help="a host that is too slow for that is one that cannot"
    )
    parser.add_argument(
        "--at-once",
        type=int,
        metavar="N",
        help="scenarios played side by side; else one more than there are processors",
    )
    parser.add_argument("--all", action="store_true", help="play those too that held, with nothing changed since")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that machines are switched off on the way out
    if options.within:
        signal.signal(signal.SIGALRM, _too_slow)
        signal.setitimer(signal.ITIMER_REAL, options.within * 60)
    chosen = [scenario for scenario in SCENARIOS if scenario.NAME in options.scenario] or list(SCENARIOS)
    begun = time.monotonic()
    played: dict[str, Row] = {}
    if not (options.all or options.scenario):
        verdicts = {scenario.NAME: inputs.kept(scenario) for scenario in chosen}
        played = {name: row(name, verdict) for name, verdict in verdicts.items() if verdict}
    due = [scenario for scenario in chosen if scenario.NAME not in played]
    try:
        if due:
            _build(due)
            play_all(due, options.at_once or at_once(), played)
    except host.NotPossible as error:
        print(f"{error}\nlab: not run: {str(error).splitlines()[0]}", flush=True)
        return 0 if options.if_possible and _may_be_left_out(str(error)) else 1
    except KeyboardInterrupt:
        print("lab: interrupted", flush=True)
    rows = [played[scenario.NAME] for scenario in chosen if scenario.NAME in played]
    return _tell(rows, len(chosen), time.monotonic() - begun, len(chosen) - len(due))


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise host.NotPossible("the time that was given (--within) is over: this host is too slow, or too busy")


def _may_be_left_out(why: str) -> bool:
    """Whether the lab need not be played for this reason: where skips are strict, tests/allowed_skips.txt has to say so."""
    if not os.environ.get("COMPUTE_WIZARD_STRICT_SKIPS"):
        return True
    lines = (host.ROOT / "tests/allowed_skips.txt").read_text(encoding="utf-8").splitlines()
    allowed = [line.removeprefix("lab: ") for line in lines if line.startswith("lab: ")]
    return any(why.startswith(reason) for reason in allowed)


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


def _tell(rows: Sequence[Row], chosen: int, seconds: float, kept: int) -> int:
    before = f", {kept} of them before, with the same inputs" if kept else ""
    text = f"{table(rows)}\n{len(rows)} of {chosen} played{before}, in {seconds / 60:.0f} minutes"
    print(text)
    (host.RESULTS / "table.txt").write_text(text + "\n", encoding="utf-8")
    for line in rows:
        if line.verdict == NOT_HERE:
            print(f"lab: not run: {line.name}: {line.why}", flush=True)
    return 0 if len(rows) == chosen and all(line.verdict in ("held", NOT_HERE) for line in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
