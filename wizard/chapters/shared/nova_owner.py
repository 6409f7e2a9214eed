"""Whose nova.conf it is: asked by every chapter that would write to it. A change that another tool undoes, or that nothing
reads, is worse than none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from pydantic import Field

from wizard.facts.facts import Facts
from wizard.facts.nova.nova import Manager
from wizard.model.answers import AnswersModel
from wizard.model.findings import Finding

ManagerName: TypeAlias = Literal["auto", "none", "kolla", "puppet", "juju", "osa", "tripleo", "chef", "salt"]
NO_FRAGMENT = "(answer the release to see it)"


class OwnerAnswers(AnswersModel):
    """`manager`: who writes nova.conf here; "auto" believes what is found, "none" is the admin's word against it."""

    manager: ManagerName = Field(
        default="auto", description='who writes nova.conf here; "auto": what is found, "none": nobody else'
    )


def managers(facts: Facts, answers: OwnerAnswers | None) -> list[Manager]:
    """Who else writes nova.conf here, by the answers or by what was found."""
    asked = answers.manager if answers else "auto"
    if asked == "none":
        return []
    if asked == "auto":
        return list(facts.nova.managers)
    place = next((each.place for each in facts.nova.managers if each.name == asked), f"the configuration of {asked}")
    return [Manager(asked, "the answers say so", False, place)]


def findings(
    facts: Facts,
    answers: OwnerAnswers | None,
    *,
    code: str,
    chapter: str,
    path: str,
    fragment: Iterable[str] | None,
    nothing: str = "",
) -> list[Finding]:
    """One that blocks for each owner; it holds the lines for the place that owns them. `fragment` is None where they are not known
    yet; where there are none, `nothing` says why."""
    lines = NO_FRAGMENT if fragment is None else " / ".join(fragment)
    return [
        Finding(
            code=code,
            severity="blocks",
            chapter=chapter,
            seen=f"{path} belongs to {manager.name}: {manager.evidence}",
            why="Nothing would read the change."
            if manager.inert
            else f"{manager.name} would write the file anew, and the change be gone.",
            do=(
                f"Put this into {manager.place}: {lines}."
                if lines
                else f"There is nothing to put into {manager.place}: {nothing}."
            )
            + ' If that is not so, answer manager = "none" in [passthrough].',
        )
        for manager in managers(facts, answers)
    ]
