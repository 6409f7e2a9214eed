"""Results as text, for a terminal or a change ticket: no colour, no line that needs more than the text itself."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wizard.answers.suggestion import Refused
from wizard.chapters.passthrough import shown
from wizard.chapters.registry import chapters
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check, Finding
from wizard.model.plan import ControllerStep, LaterWork, Plan
from wizard.model.step_text import clock, how_undone, title
from wizard.model.steps import RemoveFile, RunCommand, WriteFile
from wizard.node.node import Unseen
from wizard.redaction import redacted, redacted_data
from wizard.report import cards as report_cards
from wizard.runs.history import PastRun
from wizard.runs.run_state import RunState
from wizard.safe_text import safe_text

WIDTH = 100
PHASE_TITLES = {
    "check": "First",
    "files": "Files",
    "test": "Tests of what was written, before anything is restarted",
    "boot": "For the next boot",
    "live": "Now",
    "services": "Services",
    "last": "Last, since it cannot be taken back",
}


def as_json(data: Any, indent: int | None = 2) -> str:
    """Data as it may be shown: JSON, without what looks like a secret, with a final newline."""
    return json.dumps(redacted_data(data), indent=indent) + "\n"


def _wrapped(text: str, indent: str = "    ", first: str | None = None) -> list[str]:
    return textwrap.wrap(
        redacted(text),  # before it is cut: the half of a secret does not look like one
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent.rstrip()]


def inspect(facts: Facts) -> str:
    """What this node is and has, and what could not be seen."""
    system = facts.system
    lines = [
        f"{system.hostname or 'unnamed node'}: {system.os_name}, kernel {system.kernel or 'unknown'}, {system.init}",
        f"  seen as {facts.source}{'' if facts.privileged else ', without root rights'}; "
        f"virtualization: {system.virtualization or 'unknown'}",
    ]
    for chapter in chapters():
        lines += [
            "",
            chapter.TITLE,
            *(line for text in chapter.summary(facts) for line in _wrapped(text, "    ", "  ")),
        ]
    cards = report_cards.lines(facts)
    lines += ["", "Cards", *(f"  {line}" for line in cards)] if cards else []
    roles = [f"{role.address} carries {role.role} ({role.detail})" for role in facts.guests.roles]
    guests = "unknown" if facts.guests.guests is None else ", ".join(facts.guests.guests) or "none"
    lines += ["", "In use", f"  guests: {guests}", *(f"  {role}" for role in roles)]
    lines += [f"  {use.address}: {use.by}" for use in facts.guests.in_use]
    if facts.unseen:
        lines += ["", "Could not be seen"]
        lines += [line for each in facts.unseen for line in _wrapped(f"{each.what}: {each.why}", "    ", "  ")]
    return safe_text("\n".join(lines)) + "\n"


def nova(facts: Facts, answers: AllAnswers) -> str:
    """What nova would hand out, now and after the plan of these answers."""
    found = shown.lines(facts, answers) or ["nova is not installed on this node"]
    lines = [line for text in found for line in _wrapped(text.strip(), "      ", "  " if text.startswith(" ") else "")]
    return safe_text("\n".join(lines)) + "\n"


def findings(found: Iterable[Finding]) -> str:
    """Findings, the gravest first."""
    order = {"blocks": 0, "warns": 1, "tells": 2}
    lines: list[str] = []
    for finding in sorted(found, key=lambda each: order[each.severity]):
        lines += [f"{finding.severity:6} {finding.code}  ({finding.chapter})", *_wrapped(f"seen: {finding.seen}")]
        lines += [*_wrapped(f"why:  {finding.why}"), *_wrapped(f"do:   {finding.do}"), ""]
    return safe_text("\n".join(lines)) + ("\n" if lines else "nothing was found that stands in the way\n")


def steps(plan: Plan) -> list[str]:
    """All steps in their order, phase by phase."""
    lines: list[str] = []
    phase = ""
    for number, step in enumerate(plan.steps, 1):
        if step.phase != phase:
            phase = step.phase
            lines += ["", PHASE_TITLES[phase]]
        labels = f"  [{', '.join(step.labels)}]" if step.labels else ""
        lines.append(f"{number:3}. {title(step)}{labels}")
        lines += [line for why in step.why for line in _wrapped(why, "       ", "     # ")]
        lines += [f"       undo: {how_undone(step)}"]
        if isinstance(step, WriteFile):
            lines.append(f"       mode {step.after.mode}, owner {step.after.owner}")
        if isinstance(step, WriteFile | RemoveFile):
            lines += [f"       | {line}" for line in step.diff.splitlines()[2:]]
    return lines


def controller(found: Iterable[ControllerStep]) -> list[str]:
    """What is to be done on the controller."""
    lines: list[str] = []
    for step in found:
        if step.op == "run":
            lines.append(f"{step.order:3}. $ {step.value}")
        else:
            verb = {"append": "add", "set": "set", "append_to_list": "append to the list"}[step.op]
            lines.append(f"{step.order:3}. {step.service}, {step.file} [{step.section}], {verb}:")
            lines.append(f"       {step.option} {'+=' if step.op == 'append_to_list' else '='} {step.value}")
        lines += _wrapped(step.why, "       ", "     # ") if step.why else []
        lines += [f"       then restart {step.restart}"] if step.restart else []
    return lines


def plan(plan: Plan) -> str:
    """The preview: every file, every command, in the order in which they happen."""
    nova = f", nova {plan.node.nova}" if plan.node.nova else ""
    lines = [f"Plan for {plan.node.hostname or 'this node'} ({plan.node.os}{nova})"]
    if plan.findings:
        lines += ["", "Findings", *(f"  {line}" for line in findings(plan.findings).splitlines())]
    if plan.blocked:
        lines += _wrapped(f"Blocked, and left out of this plan: {', '.join(plan.blocked)}", "  ")
    lines += ["", later_work(plan.later_work).rstrip("\n")] if plan.later_work else []
    lines += steps(plan)
    if not plan.steps:
        lines += ["", "Nothing is to be changed on this node."]
    line = plan.kernel_command_line
    if line.now is not None or line.after_reboot is not None:
        lines += ["", "Kernel command line", f"  now:          {line.now or 'unknown'}"]
        lines += [f"  after reboot: {line.after_reboot or 'unknown'}"]
    if plan.controller:
        lines += ["", "To be done on the controller (this tool does not reach it)", *controller(plan.controller)]
    lines += ["", _counted(plan)] if plan.steps else []
    return safe_text("\n".join(lines)) + "\n"


def later_work(found: Iterable[LaterWork]) -> str:
    """What was changed after a run that is to be taken back: three versions of each file, and what is to be done."""
    lines: list[str] = []
    for each in found:
        lines += [f"{each.path} was changed after the run:"]
        parts = [("what the run did", each.run_changed), ("what was done since", each.changed_since)]
        parts += [("what a merge would do", each.merge)] if each.merge is not None else []
        for title_, difference in parts:
            lines += [
                f"  {title_}",
                *(f"    | {line}" for line in difference.splitlines() if line[:3] not in ("---", "+++")),
            ]
        if each.merge is None:
            lines.append("  a merge is not clean: both changed the same lines")
        lines.append(
            f"  to be done: {each.choice}" if each.choice else "  not said yet: --changed keep, restore or merge"
        )
    return safe_text("".join(f"{line}\n" for line in lines))


def _counted(plan: Plan) -> str:
    files = sum(isinstance(step, WriteFile | RemoveFile) for step in plan.steps)
    commands = sum(isinstance(step, RunCommand) for step in plan.steps)
    others = len(plan.steps) - files - commands
    counts = [(files, "file"), (commands, "command"), (others, "other step")]
    parts = [f"{number} {name}{'s' * (number != 1)}" for number, name in counts if number]
    return f"{', '.join(parts)}{'; a reboot is needed' if plan.needs_reboot else ''}. Nothing was changed yet."


def checks(found: Iterable[Check], limits: Iterable[str] = ()) -> str:
    """What verify saw; and what its proofs did not prove."""
    lines: list[str] = []
    for check in found:
        lines += _wrapped(f"{check.what}: {check.seen}", "           ", f"{check.state:8} ")
        if check.state != "held" and check.do:
            lines += _wrapped(check.do, "           ", "         > ")
    for limit in limits:
        lines += ["", *_wrapped(limit, "")]
    return safe_text("\n".join(lines)) + ("\n" if lines else "nothing is answered, so there is nothing to verify\n")


def compared(told: str) -> str:
    """What verify compares the node with, above its checks."""
    return safe_text("\n".join([*_wrapped(told, ""), ""])) + "\n"


def these_runs(runs: Sequence[str]) -> str:
    """'run A was', 'runs A and B were', 'runs A, B and C were'."""
    if len(runs) == 1:
        return f"run {runs[0]} was"
    return f"runs {', '.join(runs[:-1])} and {runs[-1]} were"


def takes_back(runs: Iterable[PastRun], plan: Plan) -> str:
    """Which run an undo is about, above its plan: the default is the last one, and that may not be the one that is meant."""
    run = next((each for each in runs if each.id == plan.undoes), None)
    if run is None:
        return ""
    what = f"which took back {run.undoes}" if run.undoes else ", ".join(run.chapters) or "nothing"
    return safe_text("\n".join([*_wrapped(f"This takes back run {run.id} of {run.at}: {what}.", ""), ""])) + "\n"


def history(runs: Iterable[PastRun], unseen: Iterable[Unseen] = ()) -> str:
    """Past runs, the newest last; and what of them could not be seen."""
    lines = []
    for run in runs:
        what = f"takes back {run.undoes}" if run.undoes else ", ".join(run.chapters) or "nothing"
        state = f"{run.state}, taken back by {run.undone_by}" if run.undone_by else _state(run)
        lines.append(f"{run.id}  {run.at}  {run.steps_done}/{run.steps} steps  {state}: {what}")
    hidden = [line for each in unseen for line in _wrapped(f"{each.what}: {each.why}", "    ", "  ")]
    if hidden:
        lines += [*([""] if lines else []), "Could not be seen", *hidden]
    return safe_text("\n".join(lines)) + ("\n" if lines else "this tool never changed this node\n")


def _state(run: PastRun) -> str:
    if not run.confirm_until:
        return run.state
    until = f"for confirmation until {clock(run.confirm_until)}"
    return f"waiting {until}" if run.state is RunState.WAITING else f"{run.state} while it waited {until}"


def suggested(facts: Facts, answers: AllAnswers) -> dict[str, str]:
    """Comments for a suggested answers file: why a chapter is there, and what was found, by chapter name."""
    found = {}
    for chapter in chapters():
        if answers.get(chapter.NAME) is not None:
            lines = [*textwrap.wrap(chapter.WHY, WIDTH - 2), *(f"found: {line}" for line in chapter.summary(facts))]
            found[chapter.NAME] = safe_text("\n".join(lines))
    return found


def not_suggested(answers: AllAnswers, refused: Mapping[str, Refused]) -> str:
    """Comments at the end of a suggested answers file: the chapters that are not in it, and why."""
    alone = [each.TITLE for each in chapters() if answers.get(each.NAME) is None and each.NAME not in refused]
    text = f"\n# left alone, since they do not apply to this node as it is: {', '.join(alone)}\n" if alone else ""
    for name, found in refused.items():
        told = f"[{name}] is left out, since what this node has now cannot be said as an answer: {found.what}"
        text += "\n" + "".join(f"# {line}\n" for line in textwrap.wrap(safe_text(told), WIDTH - 2))
    return text
