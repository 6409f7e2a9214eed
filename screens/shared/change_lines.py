"""What one chapter will change, in as many lines as there is room for; the preview has the rest."""

from __future__ import annotations

from screens.shared import step_lines
from screens.shared.fit_text import cut
from screens.shared.page_order import numbered
from wizard.model.plan import Plan
from wizard.model.step_text import title
from wizard.model.steps import RemoveFile, Step, WriteFile

SIGNS = {"write_file": "+", "remove_file": "-", "set_attribute": "=", "stop_by_pidfile": "$", "run": "$"}


def sign(step: Step) -> str:
    """One character for the kind of a step: + new file, ~ changed file, - removed, = attribute, $ command."""
    return "~" if isinstance(step, WriteFile) and step.before else SIGNS[step.kind]


def line(step: Step) -> str:
    """A step in one line, its sign first."""
    return f"{sign(step)} {step.path if isinstance(step, WriteFile | RemoveFile) else title(step).removeprefix('$ ')}"


def changes(plan: Plan | None, chapter: str, answered: bool, most: int, width: int) -> list[str]:
    """At most `most` lines of `width` cells."""
    if plan is None:
        return ["Will change: not known yet"]
    if not answered:
        return ["Will change: nothing, this chapter is left alone"]
    if chapter in plan.blocked:
        return ["Will change: nothing. It is blocked, by what is said above", "or by a chapter that this one needs."]
    steps = [step for step in plan.steps if chapter in step.chapters]
    if not steps:
        return ["Will change: nothing, all is as it is wanted"]
    head = f"Will change{' (takes effect after a reboot)' if any('reboot' in step.labels for step in steps) else ''}"
    for details in (3, 2, 1):
        lines = [each for step in steps for each in (line(step), *_added(step, details))]
        if len(lines) < most:
            break
    if len(lines) >= most:
        left = len(lines) - most + 2
        lines = [*lines[: most - 2], f"  and {left} more: see {numbered('preview')}"]
    return [head, *(cut(each, width).rstrip() for each in lines)]


def overview(plan: Plan | None, width: int) -> list[str]:
    """The whole plan, a line a step, below the names of its kinds."""
    if plan is None:
        return ["Making the plan ..."]
    lines = []
    for name, numbers in step_lines.groups(plan):
        lines += ["", name, *(cut(line(plan.steps[number]), width).rstrip() for number in numbers)]
    if plan.controller:
        lines += ["", f"On the controller: {len(plan.controller)} more"]
    return lines[1:] or ["Nothing is to be changed on this node."]


def _added(step: Step, most: int) -> list[str]:
    """The first lines that a step adds to a file, without comments; with room for one, only what is no longer than that."""
    if not isinstance(step, WriteFile | RemoveFile) or not most:
        return []
    added = [text[1:] for text in step.diff.splitlines()[2:] if text.startswith("+") and text[1:2] not in ("#", "")]
    lines = [f"    {text}" for text in added[:most]]
    if len(added) > most:
        lines[-1] = f"    {len(added) - most + 1} more lines"
    return lines if most > 1 or len(added) == 1 else []
