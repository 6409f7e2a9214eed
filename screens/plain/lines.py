"""What was found, and what will be done, in lines that can be read aloud."""

from __future__ import annotations

from screens.shared.session import NodeEngine
from wizard.chapters.shared import cards
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model import step_text
from wizard.model.findings import Finding
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand
from wizard.report import text as report


def welcome(engine: NodeEngine, facts: Facts, plan: Plan) -> list[str]:
    """What this node is, what was done before, what needs attention."""
    system = facts.system
    rights = "" if facts.privileged else ", without root rights"
    lines = [
        f"{'SIMULATION. ' if engine.simulation else ''}compute-wizard on {system.hostname or 'this node'}: {system.os_name},"
        f" kernel {system.kernel or 'unknown'}, nova {facts.nova.release or 'not found'}{rights}.",
        "Nothing is changed before you say yes. Enter takes what stands in brackets; ? explains, b goes back,"
        " p shows the plan, q leaves.",
    ]
    last = facts.history.last
    if last is not None:
        lines.append(f"Done before by this tool: {last.at}, {', '.join(last.chapters) or 'nothing'}, {last.state}.")
    grave = [finding for finding in plan.findings if finding.severity != "tells"]
    if grave:
        lines.append(f"Needs attention: {len(grave)}.")
        lines += [f"  {finding.chapter}, {finding.severity}: {finding.seen}" for finding in grave]
    lines.append(
        f"To be done, as suggested: {len(plan.steps)} steps."
        if plan.steps
        else "Nothing is to be done here, as suggested."
    )
    if facts.unseen:
        lines += [f"Could not be seen: {len(facts.unseen)}."]
        lines += [f"  {each.what}: {each.why}" for each in facts.unseen]
    return lines


def devices(facts: Facts) -> list[str]:
    """Cards that can have VFs, network cards, and what the node lives on."""
    shown = [
        function
        for function in facts.pci.functions
        if not function.is_vf and (function.offer != "none" or function.is_network or _carries(facts, function))
    ]
    return [f"{len(shown)} devices.", *(_device(facts, function) for function in shown)]


def _device(facts: Facts, function: PciFunction) -> str:
    bound = cards.limit(function)
    vfs = f", VFs {function.num_vfs or 0} of {bound}" if bound is not None else ""
    carries = f", carries {', '.join(_carries(facts, function))}" if _carries(facts, function) else ""
    return f"  {function.address} {function.model}, driver {function.driver or 'none'}{vfs}{carries}"


def _carries(facts: Facts, function: PciFunction) -> list[str]:
    return list(dict.fromkeys(role.role for role in facts.guests.roles_of(function.address)))


def steps(plan: Plan) -> list[str]:
    """The plan, a line a step."""
    lines = [f"  {number}. {_labelled(plan, number)}" for number in range(1, len(plan.steps) + 1)]
    return [summary(plan), *lines]


def _labelled(plan: Plan, number: int) -> str:
    step = plan.steps[number - 1]
    title = f"run {step_text.words(step.argv)}" if isinstance(step, RunCommand) else step_text.title(step)
    return title + (f", {', '.join(step.labels)}" if step.labels else "")


def summary(plan: Plan) -> str:
    """How much it is, and what stands in the way."""
    if plan.blocked:
        return f"{len(plan.steps)} steps; blocked, and left out: {', '.join(plan.blocked)}."
    if not plan.steps:
        return "Nothing is to be changed on this node."
    return f"{len(plan.steps)} steps{'; a reboot is needed' if plan.needs_reboot else ''}."


def step(plan: Plan, number: int) -> str:
    """One step, whole: counted from 1."""
    whole = report.steps(plan.model_copy(update={"steps": (plan.steps[number - 1],)}))
    return "\n".join(line for line in whole if line).replace("  1. ", f"{number:3}. ", 1)


def findings(found: list[Finding]) -> list[str]:
    """Each with what to do."""
    return [f"{each.severity}, {each.code}: {_sentences(each.seen, each.why)} Do: {each.do}" for each in found]


def _sentences(*texts: str) -> str:
    """Each with a full stop at its end, and only one."""
    return " ".join(f"{text.rstrip('.')}." for text in texts)
