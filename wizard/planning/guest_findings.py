"""Guests that run here, and what a plan may do to them: its steps now, and the reboot that it needs."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.facts.facts import Facts
from wizard.model import step_text
from wizard.model.findings import Finding
from wizard.model.guest_effects import touching
from wizard.model.steps import Step

MOST = 40  # names that are told


def named(names: Sequence[str]) -> str:
    """Guests that run, in words."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{len(names)} guest{'s run' if len(names) > 1 else ' runs'} here: {', '.join(names[:MOST])}{more}"


def findings(facts: Facts, steps: Sequence[Step], chapter: str = "") -> list[Finding]:
    """One finding for steps that may touch guests, one for the reboot. `chapter` is for all of them; else that of the step."""
    names = facts.guests.guests or ()
    if not names:
        return []
    found = []
    touched = touching(steps)
    if touched:
        told = "; ".join(f"step {number}, {step_text.title(step)}: {row.why}" for number, step, row in touched)
        found.append(
            Finding(
                code="GUESTS-TOUCHED",
                severity="warns",
                chapter=chapter or touched[0][1].chapters[0],
                seen=named(names),
                why=f"The plan may interrupt them: {told}.",
                do="Move them away first; or type the word guests when you are asked, if a pause is no harm.",
            )
        )
    reboot = next((step for step in steps if {"reboot", "power-cycle"} & set(step.labels)), None)
    if reboot is not None:
        found.append(
            Finding(
                code="GUESTS-RUNNING",
                severity="warns",
                chapter=chapter or reboot.chapters[0],
                seen=named(names),
                why="The reboot that the plan needs ends every one of them.",
                do="Disable the compute service and move the guests away before the reboot.",
            )
        )
    return found
