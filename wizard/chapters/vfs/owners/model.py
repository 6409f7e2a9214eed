"""What somebody's line says about VFs: a certain yes, a certain no, or that it cannot be determined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from wizard.dataclass import dataclass


class Verdict(Enum):
    """Three values. Only a certain yes may stand in for a step of ours, or let a check hold."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "cannot be determined"

    def __and__(self, other: Verdict) -> Verdict:
        if Verdict.NO in (self, other):
            return Verdict.NO
        return Verdict.UNKNOWN if Verdict.UNKNOWN in (self, other) else Verdict.YES

    def __or__(self, other: Verdict) -> Verdict:
        if Verdict.YES in (self, other):
            return Verdict.YES
        return Verdict.UNKNOWN if Verdict.UNKNOWN in (self, other) else Verdict.NO

    def __invert__(self) -> Verdict:
        return {Verdict.YES: Verdict.NO, Verdict.NO: Verdict.YES, Verdict.UNKNOWN: Verdict.UNKNOWN}[self]


YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """YES for none."""
    found = YES
    for each in verdicts:
        found = found & each
    return found


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """NO for none."""
    found = NO
    for each in verdicts:
        found = found | each
    return found


def of_bool(value: bool) -> Verdict:
    return YES if value else NO


Aim = Mapping[str, Verdict]
"""For the address of each physical function of the node: whether it is meant."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Whether the program that would read a file does so at boot; `why` is a part of a sentence where it does not, or may not."""

    verdict: Verdict = YES
    why: str = ""


RUNS = Runs()


@dataclass(frozen=True)
class Owner:
    """One line of somebody's configuration that sets VFs; `count` is None where its number cannot be read.

    `aim` tells for each physical function whether the line means it. `put` is what such a line has to say for {count} VFs. `certain` is
    UNKNOWN where the line may set VFs, and may as well only look at them, or stands below a condition that cannot be judged here.
    """

    program: str
    path: str
    line: int
    text: str
    count: int | None
    aim: Aim
    put: str
    certain: Verdict = YES
    runs: Runs = RUNS

    def means(self, address: str) -> Verdict:
        """Whether this line sets the VFs of that function at boot, all things considered."""
        return self.aim.get(address, UNKNOWN) & self.certain & self.runs.verdict

    def doubt(self, address: str) -> str:
        """Why that cannot be determined, as a part of a sentence."""
        if self.runs.verdict is not YES:
            return self.runs.why
        if self.aim.get(address, UNKNOWN) is UNKNOWN:
            return "it does not say for certain which card it means"
        return "it may only look at them, or set them under a condition that cannot be judged here"

    def to_put(self, count: int) -> str:
        """What to write there for so many VFs."""
        return self.put.format(count=count)

    def __str__(self) -> str:
        return f"{self.path} line {self.line}: {self.text}"
