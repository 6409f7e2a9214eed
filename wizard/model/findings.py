"""What is said about a node: findings, and what verify looks at."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Literal

from wizard.dataclass import dataclass
from wizard.model.base import Model

Severity = Literal["blocks", "warns", "tells"]


class Finding(Model):
    """One thing that is wrong or will go wrong. Codes are stable; docs/findings/CODE.md explains each."""

    code: str
    severity: Severity
    chapter: str
    seen: str  # the path and the value
    why: str
    do: str
    fixable: bool = False  # the wizard itself can do it


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The gravest severity among the findings, or None."""
    there = {finding.severity for finding in findings}
    return next((severity for severity in ("blocks", "warns", "tells") if severity in there), None)


class Remedy(str, Enum):
    """What to do about a check, where the program itself goes by it: its value is what people read."""

    RUN_PLAN = "Run plan, then apply."

    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        return self.value.__format__(format_spec)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `verify` looks at: is it so now, will it be so after the next boot?"""

    chapter: str
    what: str
    state: Literal["held", "failed", "pending", "unknown"]
    seen: str
    do: str = ""
