"""Preview, apply, verify, history and undo, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.names import to_do
from screens.prompts import found, later
from screens.prompts.talk import Command
from wizard import report
from wizard.errors import Exit, WizardError
from wizard.plan import Plan

if TYPE_CHECKING:
    from screens.prompts.walk import Walk

PREVIEW_HELP = (
    "A number says that step whole, with its diff. a says everything. w writes the plan to a file for"
    " `compute-wizard apply`, x writes it as a shell script. Enter goes on to apply."
)


def preview(walk: Walk) -> str:
    """What will be done; gives the next page."""
    plan = walk.plan()
    walk.talk.say("\n7 Preview")
    walk.talk.say("\n".join(found.steps(plan)))
    while True:
        line = walk.ask("7 Preview, a number shows a step, a all, w writes, x exports [Enter goes on]:", PREVIEW_HELP)
        if isinstance(line, Command):
            return walk.before("preview")
        if not line:
            return "apply"
        if line == "a":
            walk.talk.say_as_it_is(report.plan(plan))
        elif line in ("w", "x"):
            _save(walk, plan, line == "x")
        elif line.isascii() and line.isdigit() and 1 <= int(line) <= len(plan.steps):
            walk.talk.say_as_it_is(found.step(plan, int(line)))
        else:
            walk.talk.say(f"! type a step from 1 to {len(plan.steps)}, a, w, x or Enter")


def _save(walk: Walk, plan: Plan, as_script: bool) -> None:
    if as_script and plan.blocked:
        walk.talk.say("! a plan that is blocked is not exported; the chapter says what stands in the way")
        return
    suggested = f"/root/{plan.node.hostname or 'node'}.{'sh' if as_script else 'plan'}"
    line = walk.ask(f"7 Write to [{suggested}]:", "A path. The file is for its owner only.")
    if isinstance(line, Command):
        return
    path = line or suggested
    try:
        if as_script:
            walk.engine.export_script(walk.facts, plan, path)
        else:
            walk.engine.save_plan(plan, path)
    except WizardError as error:
        walk.talk.say(f"! {error}")
        return
    walk.talk.say(f"Written to {path}, for its owner only.")


def apply(walk: Walk) -> str:
    """Ask once, then do it; gives the next page."""
    plan = walk.plan()
    walk.talk.say("\n8 Apply")
    obstacle = _obstacle(walk, plan)
    if obstacle:
        walk.talk.say(f"Not now: {obstacle}.")
        return "welcome" if plan.steps else "verify"
    done = _do(walk, plan, f"Do these {len(plan.steps)} steps now?")
    return "preview" if done is None else "verify" if done else "welcome"


def _obstacle(walk: Walk, plan: Plan) -> str:
    """Why it cannot be applied; empty where it can."""
    if walk.engine.can_apply:
        return walk.engine.can_apply
    if plan.stopped:
        return "a finding blocks; mend it, or leave its chapter alone"
    return "" if plan.steps or plan.undoes else "nothing is to be changed on this node"


def _do(walk: Walk, plan: Plan, question: str) -> bool | None:
    """Ask for the word, and run the plan; whether it was run, None where the admin goes back."""
    one_way = any("one-way" in step.labels for step in plan.steps)
    word = "one-way" if one_way else "yes"
    way = "One of them cannot be taken back." if one_way else "They can be taken back."
    line = walk.ask(f"8 {question} {way} Type {word} [no]:", f"Only the word {word} starts it. Enter does nothing.")
    if isinstance(line, Command):
        return None
    if line.lower() != word:
        walk.talk.say("Nothing was done.")
        return False
    try:
        code = walk.follow(walk.engine.start(plan, ("one-way",) if one_way else ()))
    except WizardError as error:
        walk.talk.say(f"! {error}")
        return False
    if code == Exit.DONE:
        for told in walk.engine.after_apply(plan):
            walk.talk.say(told)
    walk.look()
    return True


def verify(walk: Walk) -> str:
    """The checks, the ones that failed first; gives the next page."""
    _say_checks(walk)
    simulated = walk.engine.simulation
    keys = f"v verify again, {'r reboot the simulated node, ' if simulated else ''}h history and undo, q leave"
    while True:
        line = walk.ask(f"9 {keys} [v]:", "Verify looks whether all is as it is wanted, now and after the next boot.")
        if isinstance(line, Command):
            return "preview"
        if line == "h":
            return "history"
        if line == "r" and simulated:
            walk.engine.reboot()
            walk.talk.say("Rebooted.")
        elif line not in ("", "v"):
            walk.talk.say(f"! type {keys}")
            continue
        walk.look()
        _say_checks(walk)


def _say_checks(walk: Walk) -> None:
    order = {"failed": 0, "pending": 1, "unknown": 2, "held": 3}
    asked = walk.engine.to_be(walk.facts)
    wanted = asked.answers if asked.runs else walk.state.answers
    checks = sorted([*walk.engine.verify(walk.facts, wanted), *asked.unseen], key=lambda check: order[check.state])
    walk.talk.say("\n9 Verify")
    if checks:
        walk.talk.say(f"{to_do(asked.runs) if asked.runs else 'Nothing is applied; what is answered now'}:")
    for check in checks:
        walk.talk.say(f"{check.state}: {check.what}: {check.seen}")
        if check.state != "held" and check.do:
            walk.talk.say(f"Do: {check.do}", "  ")
    if not checks:
        walk.talk.say("Nothing is answered, so there is nothing to verify.")


def history(walk: Walk) -> str:
    """What this tool did here, and taking it back; gives the next page."""
    walk.look()
    runs = tuple(reversed(walk.facts.history.runs))
    walk.talk.say("\nHistory")
    for each in walk.facts.history.unseen:
        walk.talk.say(f"Could not be seen: {each.what}: {each.why}")
    if not runs:
        if not walk.facts.history.unseen:
            walk.talk.say("This tool never changed this node.")
        return "welcome"
    for number, run in enumerate(runs, 1):
        what = f"takes back {run.undoes}" if run.undoes else ", ".join(run.chapters)
        state = f"{run.state}, taken back by {run.undone_by}" if run.undone_by else run.state
        walk.talk.say(f"  {number}. {run.id}, {state}: {what}; {run.steps_done} of {run.steps} steps")
    while True:
        line = walk.ask(
            "History, a number shows what taking that run back would do [Enter goes to verify]:",
            "The newest run has number 1. Nothing is taken back before you say yes.",
        )
        if isinstance(line, Command) or not line:
            return "verify"
        if line.isascii() and line.isdigit() and 1 <= int(line) <= len(runs):
            if _take_back(walk, runs[int(line) - 1].id):
                return "history"
        else:
            walk.talk.say(f"! type a number from 1 to {len(runs)}, or Enter")


def _take_back(walk: Walk, run: str) -> bool:
    """Show the plan that takes a run back, and ask; whether it was done."""
    try:
        plan = walk.engine.undo_plan(walk.facts, run)
        if plan.later_work:
            changed = later.choices(walk, plan)
            if changed is None:
                return False
            plan = walk.engine.undo_plan(walk.facts, run, changed)
    except WizardError as error:
        walk.talk.say(f"! {error}")
        return False
    told = found.findings(list(plan.findings))
    walk.talk.say("\n".join([*told, *found.steps(plan)]))
    obstacle = _obstacle(walk, plan)
    if obstacle:
        walk.talk.say(f"Not now: {obstacle}.")
        return False
    return bool(_do(walk, plan, f"Take run {run} back in these {len(plan.steps)} steps?"))
