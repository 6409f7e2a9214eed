"""What a run that goes on has still to do."""

from __future__ import annotations

from wizard.model.plan import Plan
from wizard.model.steps import RunCommand, Step
from wizard.runs.records import Record


def done(plan: Plan, record: Record) -> set[int]:
    """Steps that need not be done again, in the boot in which they were done.

    After a rollback that was begun all is looked at again, and what is as it should be is just held. But what is taken back
    last of all - a copy of an image that is known to boot - is not made again, of an image that never did.
    """
    if not record.rolling_back:
        return set(record.held) | record.skipped | _last(plan, record.stood)
    return _last(plan, (record.stood | set(record.held)) - record.taken_back)


def ahead(plan: Plan, record: Record) -> list[Step]:
    """The steps that are still to be done, but for what a reboot since has undone."""
    past = done(plan, record)
    return [step for number, step in enumerate(plan.steps, 1) if number not in past]


def _last(plan: Plan, numbers: set[int]) -> set[int]:
    return {n for n in numbers if isinstance(step := plan.steps[n - 1], RunCommand) and step.undo_when == "last"}
