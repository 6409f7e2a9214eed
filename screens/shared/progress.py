"""A run as it goes on, folded from its journal: steps with their time, what is being done, what was said. No widgets here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from wizard.model.plan import Plan

WORDS = {"held": "ok", "running": ">>", "failed": "!!", "skipped": "--", "taken back": "<-", "": "  "}
MOST_LINES = 5000  # of output that is kept for the screen; the journal has all


@dataclass(slots=True)
class StepRun:
    """One step: its state, when it began and how many seconds it took."""

    state: str = ""  # a key of WORDS
    began: float = 0.0
    seconds: float | None = None


@dataclass(slots=True)
class Progress:
    """All steps of a run. `result` is "" while it goes on."""

    plan: Plan
    steps: list[StepRun] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    result: str = ""
    rolling_back: bool = False
    waiting: str = ""  # until when the run waits for its confirmation, as the journal has it
    failed: int = 0
    why: str = ""

    def __post_init__(self) -> None:
        self.steps = [StepRun() for _ in self.plan.steps]

    @property
    def done(self) -> int:
        return sum(step.state in ("held", "skipped") for step in self.steps)

    @property
    def current(self) -> int:
        """The number of the step that is being done, from 1; 0 for none."""
        return next((number for number, step in enumerate(self.steps, 1) if step.state == "running"), 0)

    def take(self, event: dict[str, Any]) -> str:
        """Take an event; gives a line of output for it, or ""."""
        number = event.get("n")
        step = self.steps[number - 1] if isinstance(number, int) and 0 < number <= len(self.steps) else None
        at = _seconds(str(event.get("at", "")))
        self._whole(event, at)
        line = _said(event)
        if step is not None:
            self._step(step, str(event["event"]), at)
            if event["event"] == "failed":
                self.failed, self.why = int(event["n"]), str(event.get("why", ""))
        if line:
            self.output.append(line)
            del self.output[:-MOST_LINES]
        return line

    def _whole(self, event: dict[str, Any], at: float) -> None:
        match event["event"]:
            case "begin":
                self.began = self.began or at
                self.result, self.rolling_back, self.failed, self.why = "", False, 0, ""
            case "waiting":
                self.waiting = str(event.get("until", ""))
            case "confirmed":
                self.waiting = ""
            case "rollback":
                self.rolling_back, self.waiting = True, ""
            case "end":
                self.result, self.ended, self.waiting = str(event.get("result", "")), at, ""
                self.why = self.why or str(event.get("why", ""))
            case _:
                pass

    @staticmethod
    def _step(step: StepRun, event: str, at: float) -> None:
        states = {
            "step": "running",
            "held": "held",
            "failed": "failed",
            "skipped": "skipped",
            "rollback_held": "taken back",
        }
        if event in states:
            step.state = states[event]
        if event == "step":
            step.began, step.seconds = at, None
        elif event in ("held", "failed", "skipped"):
            step.seconds = max(0.0, at - step.began) if step.began else None

    def bar(self, width: int = 16) -> str:
        """How far it is, in steps: they are of different length, so no time is foretold."""
        full = width * self.done // max(1, len(self.steps))
        return f"[{'#' * full}{'-' * (width - full)}] {self.done} of {len(self.steps)} steps"

    def time(self, number: int, now: float) -> str:
        """How long a step took, or takes since."""
        step = self.steps[number - 1]
        if step.state == "running":
            return duration(now - step.began)
        return "" if step.seconds is None else duration(step.seconds)

    def elapsed(self, now: float) -> str:
        return duration((self.ended if self.result else now) - self.began) if self.began else ""


def duration(seconds: float) -> str:
    """Whole seconds, minutes from a hundred seconds on."""
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02} s"


def _seconds(text: str) -> float:
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def _said(event: dict[str, Any]) -> str:
    number = event.get("n", "")
    match event["event"]:
        case "step":
            return f"{number:>3}. {event.get('title', '')}"
        case "output":
            return f"     {event.get('text', '')}"
        case "note":
            return f"     note: {event.get('text', '')}"
        case "skipped":
            return f"     not done here: {event.get('why', '')}"
        case "failed":
            return f"!    step {number} failed: {event.get('why', '')}"
        case "rollback":
            return "Taking back what was done:"
        case "rollback_held":
            return f"{number:>3}. taken back"
        case "rollback_failed":
            return f"!    step {number} could not be taken back: {event.get('why', '')}"
        case _:
            return ""
