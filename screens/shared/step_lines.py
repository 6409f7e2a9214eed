"""A step as text: why, what it affects, how it is taken back, its diff; and where in it the changes are. No widgets here."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.model import step_text
from wizard.model.plan import Plan, RemoveFile, Step, WriteFile
from wizard.report import text as report


def detail(step: Step, folded: bool) -> list[str]:
    """All about one step; `folded` leaves out the lines of a diff that stay as they are."""
    lines = [step_text.title(step)]
    lines += [f"why:   {why}" for why in step.why]
    lines.append(f"undo:  {step_text.how_undone(step)}")
    if step.labels:
        lines.append(f"note:  {', '.join(step.labels)}")
    if isinstance(step, WriteFile):
        lines.append(f"mode:  {step.after.mode}, owner {step.after.owner}")
        if step.secret:
            lines.append("       values that may be secret are masked here, not in what is written")
    if isinstance(step, WriteFile | RemoveFile):
        diff = step.diff.splitlines()[2:]
        lines += ["", *(fold(diff) if folded else diff)]
    return lines


def fold(diff: Sequence[str]) -> list[str]:
    """A diff without the lines that stay; how many they are is told."""
    lines: list[str] = []
    same = 0
    for line in [*diff, None]:
        if line is not None and line.startswith(" "):
            same += 1
            continue
        if same:
            lines.append(f"      ({same} line{'s' * (same != 1)} as before)")
            same = 0
        if line is not None:
            lines.append(line)
    return lines


def changes(lines: Sequence[str]) -> list[int]:
    """Where a run of changed lines begins."""
    found = []
    inside = False
    for number, line in enumerate(lines):
        changed = line.startswith(("+", "-"))
        if changed and not inside:
            found.append(number)
        inside = changed
    return found


def kernel_line(plan: Plan) -> list[str]:
    line = plan.kernel_command_line
    now, then = line.now or "unknown", line.after_reboot or "unknown"
    lines = ["now:", f"  {now}", "after the reboot:", f"  {then}"]
    if line.now and line.after_reboot:
        old, new = line.now.split(), line.after_reboot.split()
        lines += [
            "",
            *(f"+ {word}" for word in new if word not in old),
            *(f"- {word}" for word in old if word not in new),
        ]
    return lines


def controller(plan: Plan) -> list[str]:
    return ["To be done on the controller (this tool does not reach it):", "", *report.controller(plan.controller)]
