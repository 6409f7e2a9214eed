"""A step as text: why, what it affects, how it is taken back, its diff; and where in it the changes are. No widgets here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wizard.model import step_text
from wizard.model.plan import ControllerStep, Plan
from wizard.model.steps import RemoveFile, Step, WriteFile
from wizard.report import text as report

if TYPE_CHECKING:
    from wizard.planning.kernel_tokens import Token


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


def kernel_line(plan: Plan, tokens: Sequence[Token] = ()) -> list[str]:
    """Both lines, then word by word what is new, what stays and what goes, with the file that each word comes from."""
    line = plan.kernel_command_line
    now, then = line.now or "unknown", line.after_reboot or "unknown"
    lines = ["now:", f"  {now}", "after the reboot:", f"  {then}"]
    if tokens:
        width = min(40, max(len(token.word) for token in tokens))
        lines += ["", *(_token(token, width) for token in tokens)]
    return lines


def _token(token: Token, width: int) -> str:
    if token.sign == "-":
        return f"- {token.word}"
    whose = "not of this plan, takes effect too: " if token.foreign else ""
    return f"{token.sign} {token.word:<{width}}  {whose}{token.origin}".rstrip()


def controller(step: ControllerStep) -> list[str]:
    return ["To be done on the controller (this tool does not reach it):", "", *report.controller([step])]


def controller_line(step: ControllerStep) -> str:
    """A step of the controller in one line."""
    if step.op == "run":
        return f"$ {step.value}"
    return (
        f"~ {step.service}: [{step.section}] {step.option} {'+=' if step.op == 'append_to_list' else '='} {step.value}"
    )


GROUPS = {
    "check": "First",
    "files": "Files",
    "test": "Tests of what was written",
    "boot": "For the next boot",
    "live": "Now",
    "services": "Services",
    "last": "Last: cannot be undone",
}


def groups(plan: Plan) -> list[tuple[str, list[int]]]:
    """The steps' numbers from 0 in their order, parted where a kind ends; with the name of each kind."""
    found: list[tuple[str, list[int]]] = []
    for number, step in enumerate(plan.steps):
        name = GROUPS[step.phase]
        if not found or found[-1][0] != name:
            found.append((name, []))
        found[-1][1].append(number)
    return found
