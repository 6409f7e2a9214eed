"""A run as it goes on: the record of its journal, and with it the time of each step, what is being done, and what was said."""

from __future__ import annotations

import datetime
from dataclasses import field

from wizard.dataclass import dataclass
from wizard.model.plan import Plan
from wizard.runs import event_text, records
from wizard.runs.records import Event, Record

WORDS = {"held": "ok", "running": ">>", "failed": "!!", "skipped": "--", "taken back": "<-", "": "  "}
MOST_LINES = 5000  # of output that is kept for the screen; the journal has all


@dataclass(slots=True)
class Clock:
    """When a step began, and how many seconds it took."""

    began: float = 0.0
    seconds: float | None = None


@dataclass(slots=True)
class RunProgress:
    """All steps of a run, counted from 1. `result` is "" while it goes on; `failed` the step that failed since it was last begun."""

    plan: Plan
    record: Record = field(default_factory=Record)
    output: list[str] = field(default_factory=list)
    clocks: dict[int, Clock] = field(default_factory=dict)
    current: int = 0  # the step that is being done; 0 for none
    began: float = 0.0
    ended: float = 0.0
    result: str = ""
    failed: int = 0
    why: str = ""

    @property
    def rolling_back(self) -> bool:
        return self.record.rolling_back

    @property
    def waiting(self) -> str:
        """Until when the run waits for its confirmation, as the journal has it; "" where it does not."""
        return str(self.record.waiting.get("until", "")) if self.record.waiting else ""

    @property
    def done(self) -> int:
        return sum(self.state(number) in ("held", "skipped") for number in range(1, len(self.plan.steps) + 1))

    def state(self, number: int) -> str:
        """The state of a step: a key of WORDS."""
        record = self.record
        if number == self.current:
            return "running"
        if number in record.taken_back:
            return "taken back"
        if number in record.failed:
            return "failed"
        if number in record.skipped:
            return "skipped"
        return "held" if number in record.held or number in record.stood else ""

    def take(self, event: Event) -> str:
        """Take an event; gives a line of output for it, or ""."""
        records.take(self.record, event)
        at = _seconds(str(event.get("at", "")))
        number = event.get("n")
        if isinstance(number, int) and 0 < number <= len(self.plan.steps):
            self._step(number, event, at)
        self._whole(event, at)
        line = event_text.log_line(event)
        if line:
            self.output.append(line)
            del self.output[:-MOST_LINES]
        return line

    def _whole(self, event: Event, at: float) -> None:
        match event["event"]:
            case "begin":
                self.began = self.began or at
                self.result, self.failed, self.why, self.current = "", 0, "", 0
            case "end":
                self.result, self.ended, self.current = str(event.get("result", "")), at, 0
                self.why = self.why or str(event.get("why", ""))
            case _:
                pass

    def _step(self, number: int, event: Event, at: float) -> None:
        clock = self.clocks.setdefault(number, Clock())
        match event["event"]:
            case "step":
                self.current = number
                clock.began, clock.seconds = at, None
            case "held" | "failed" | "skipped":
                self.current = 0
                clock.seconds = max(0.0, at - clock.began) if clock.began else None
                if event["event"] == "failed":
                    self.failed, self.why = number, str(event.get("why", ""))
            case _:
                pass

    def bar(self, width: int = 16) -> str:
        """How far it is, in steps: they are of different length, so no time is foretold."""
        full = width * self.done // max(1, len(self.plan.steps))
        return f"[{'#' * full}{'-' * (width - full)}] {self.counted()}"

    def counted(self) -> str:
        """How many steps are done."""
        return f"{self.done} of {len(self.plan.steps)} steps"

    def time(self, number: int, now: float) -> str:
        """How long a step took, or takes since."""
        clock = self.clocks.get(number, Clock())
        if number == self.current:
            return duration(now - clock.began)
        return "" if clock.seconds is None else duration(clock.seconds)

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
