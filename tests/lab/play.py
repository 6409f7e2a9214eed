"""Scenarios side by side, as many as this host can bear: each in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from lab import host, inputs
from lab.scenarios import Scenario
from lab.stage import VERDICT, Failed, Stage

NOT_HERE = "not possible here"


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    verdict: str
    why: str
    seconds: float
    commit: str = ""
    date: str = ""


def at_once() -> int:
    """How many machines this host can run side by side: one more than it has processors, since each waits for a fifth of its
    time; if there is memory for them."""
    return max(1, min((os.cpu_count() or 1) + 1, int(host.available_memory() // host.MEMORY)))


def play_all(chosen: Sequence[type[Scenario]], together: int, rows: dict[str, Row]) -> None:
    """Play them, `together` of them at a time, and put what came of each into `rows`. On the way out, even by an
    exception, those that still play are ended, and their machines are off."""
    waiting = list(chosen)  # from its end: the long ones stand there, and would else be the last, alone
    playing: dict[int, tuple[type[Scenario], BaseProcess]] = {}
    try:
        while waiting or playing:
            while waiting and len(playing) < together:
                scenario = waiting.pop()
                (host.RESULTS / scenario.NAME / VERDICT).unlink(missing_ok=True)
                process = multiprocessing.get_context("fork").Process(target=_alone, args=(scenario,))
                process.start()
                playing[process.sentinel] = scenario, process
            for sentinel in wait(list(playing)):
                assert isinstance(sentinel, int)
                played, ended = playing.pop(sentinel)
                ended.join()
                rows[played.NAME] = _row(played, ended.exitcode)
    finally:
        for _, running in playing.values():
            running.terminate()
        for _, running in playing.values():
            running.join()


def _row(scenario: type[Scenario], code: int | None) -> Row:
    try:
        verdict = json.loads((host.RESULTS / scenario.NAME / VERDICT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Row(scenario.NAME, "failed", f"its process ended with {code} and left no verdict", 0)
    return row(scenario.NAME, verdict)


def row(name: str, verdict: Mapping[str, Any]) -> Row:
    """A verdict as a line of the table."""
    words = (verdict.get(word, "") for word in ("commit", "date"))
    return Row(name, verdict["verdict"], verdict["why"], verdict["seconds"], *words)


def _alone(scenario: type[Scenario]) -> None:
    """In the process of a scenario. Ctrl-C goes to all processes of a terminal: this one waits to be ended by its parent, once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    play(scenario)


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def play(scenario: type[Scenario]) -> None:
    """Play a scenario to its verdict."""
    played_with = inputs.origin(scenario)
    stage = Stage(scenario.NAME)
    stage.say(scenario.TITLE)
    word, why = "held", ""
    try:
        scenario.play(stage)
        why = f"{stage.held} checks"
    except KeyboardInterrupt:
        word = "interrupted"
    except host.NotPossible as error:
        word, why = NOT_HERE, str(error)
    except Failed as error:
        word, why = "failed", str(error)
    except (RuntimeError, OSError, TimeoutError, EOFError, ValueError) as error:
        word, why = "failed", f"{type(error).__name__}: {error}"
        stage.note(traceback.format_exc())
    stage.say(f"{word}: {why}")
    stage.verdict(word, why, **played_with)


def table(rows: Sequence[Row]) -> str:
    lines = ["", f"{'scenario':<18} {'verdict':<18} {'seconds':>7}  {'commit':<9} {'date':<10}  remarks"]
    lines += [
        f"{row.name:<18} {row.verdict:<18} {row.seconds:>7.0f}  {row.commit:<9} {row.date:<10}  "
        f"{row.why.partition(chr(10))[0][:200]}"
        for row in rows
    ]
    return "\n".join(lines)
