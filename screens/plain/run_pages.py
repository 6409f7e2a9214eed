"""Preview, apply, verify, history and undo, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.plain import later_changes as later
from screens.plain import lines
from screens.plain.terminal_io import Command
from screens.shared.page_order import PAGES, numbered, to_do
from wizard.errors import Exit, WizardError
from wizard.model.plan import GUESTS_TOUCHED, Plan
from wizard.report import text as report

if TYPE_CHECKING:
    from screens.plain.plain_session import PlainSession

PREVIEW_HELP = (
    "A number says that step whole, with its diff. a says everything. w writes the plan to a file for"
    " `compute-wizard apply`, x writes it as a shell script. Enter goes on to apply."
)


def preview(session: PlainSession) -> str:
    """What will be done; gives the next page."""
    plan = session.plan()
    session.talk.say("\n7 Preview")
    session.talk.say("\n".join(lines.steps(plan)))
    while True:
        line = session.ask(
            f"{numbered('preview')}, a number shows a step, a all, w writes, x exports [Enter goes on]:", PREVIEW_HELP
        )
        if isinstance(line, Command):
            return session.before("preview")
        if not line:
            return "apply"
        if line == "a":
            session.talk.say_as_it_is(report.plan(plan))
        elif line in ("w", "x"):
            _save(session, plan, line == "x")
        elif line.isascii() and line.isdigit() and 1 <= int(line) <= len(plan.steps):
            session.talk.say_as_it_is(lines.step(plan, int(line)))
        else:
            session.talk.say(f"! type a step from 1 to {len(plan.steps)}, a, w, x or Enter")


def _save(session: PlainSession, plan: Plan, as_script: bool) -> None:
    if as_script and plan.blocked:
        session.talk.say("! a plan that is blocked is not exported; the chapter says what stands in the way")
        return
    suggested = f"/root/{plan.node.hostname or 'node'}.{'sh' if as_script else 'plan'}"
    line = session.ask(f"{PAGES.index('preview')} Write to [{suggested}]:", "A path. The file is for its owner only.")
    if isinstance(line, Command):
        return
    path = line or suggested
    try:
        if as_script:
            session.engine.export_script(session.facts, plan, path)
        else:
            session.engine.save_plan(plan, path)
    except WizardError as error:
        session.talk.say(f"! {error}")
        return
    session.talk.say(f"Written to {path}, for its owner only.")


def apply(session: PlainSession) -> str:
    """Ask once, then do it; gives the next page."""
    plan = session.plan()
    session.talk.say("\n8 Apply")
    obstacle = _obstacle(session, plan)
    if obstacle:
        session.talk.say(f"Not now: {obstacle}.")
        return "welcome" if plan.steps else "verify"
    done = _do(session, plan, f"Do these {len(plan.steps)} steps now?")
    return "preview" if done is None else "verify" if done else "welcome"


def _obstacle(session: PlainSession, plan: Plan) -> str:
    """Why it cannot be applied; empty where it can."""
    if session.engine.can_apply:
        return session.engine.can_apply
    if plan.stopped:
        return "a finding blocks; fix it, or leave its chapter alone"
    return "" if plan.steps or plan.undoes else "nothing is to be changed on this node"


def _do(session: PlainSession, plan: Plan, question: str) -> bool | None:
    """Ask for the word, and run the plan; whether it was run, None where the admin goes back."""
    one_way = any("one-way" in step.labels for step in plan.steps)
    word = plan.word
    way = "One of them cannot be taken back." if one_way else "They can be taken back."
    for finding in plan.findings:
        if finding.code in (GUESTS_TOUCHED, "GUESTS-RUNNING"):
            session.talk.say(f"{finding.seen}. {finding.why}")
    number = PAGES.index("apply")
    line = session.ask(
        f"{number} {question} {way} Type {word} [no]:", f"Only the word {word} starts it. Enter does nothing."
    )
    if isinstance(line, Command):
        return None
    if line.lower() != word:
        session.talk.say("Nothing was done.")
        return False
    try:
        code = session.follow(session.engine.start(plan, ("one-way",) if one_way else ()))
    except WizardError as error:
        session.talk.say(f"! {error}")
        return False
    if code == Exit.DONE:
        for told in session.engine.after_apply(plan):
            session.talk.say(told)
    session.look()
    return True


def verify(session: PlainSession) -> str:
    """The checks, the ones that failed first; gives the next page."""
    _say_checks(session)
    simulated = session.engine.simulation
    keys = f"v verify again, {'r reboot the simulated node, ' if simulated else ''}h history and undo, q leave"
    while True:
        line = session.ask(
            f"{PAGES.index('verify')} {keys} [v]:",
            "Verify looks whether all is as it is wanted, now and after the next boot.",
        )
        if isinstance(line, Command):
            return "preview"
        if line == "h":
            return "history"
        if line == "r" and simulated:
            session.engine.reboot()
            session.talk.say("Rebooted.")
        elif line not in ("", "v"):
            session.talk.say(f"! type {keys}")
            continue
        session.look()
        _say_checks(session)


def _say_checks(session: PlainSession) -> None:
    order = {"failed": 0, "pending": 1, "unknown": 2, "held": 3}
    asked = session.engine.to_be(session.facts)
    wanted = asked.answers if asked.runs else session.state.answers
    checks = sorted(
        [*session.engine.verify(session.facts, wanted), *asked.unseen], key=lambda check: order[check.state]
    )
    session.talk.say("\n9 Verify")
    if checks:
        undone = session.engine.all_undone(session.facts)
        none = "Every run here was undone" if undone else "Nothing is applied"
        session.talk.say(f"{to_do(asked.runs) if asked.runs else f'{none}; what is answered now'}:")
    for check in checks:
        session.talk.say(f"{check.state}: {check.what}: {check.seen}")
        if check.state != "held" and check.do:
            session.talk.say(f"Do: {check.do}", "  ")
    if not checks:
        session.talk.say("Nothing is answered, so there is nothing to verify.")


def history(session: PlainSession) -> str:
    """What this tool did here, and taking it back; gives the next page."""
    session.look()
    runs = tuple(reversed(session.facts.history.runs))
    session.talk.say("\nHistory")
    for each in session.facts.history.unseen:
        session.talk.say(f"Could not be seen: {each.what}: {each.why}")
    if not runs:
        if not session.facts.history.unseen:
            session.talk.say("This tool never changed this node.")
        return "welcome"
    for number, run in enumerate(runs, 1):
        what = f"takes back {run.undoes}" if run.undoes else ", ".join(run.chapters)
        state = f"{run.state}, taken back by {run.undone_by}" if run.undone_by else run.state
        session.talk.say(f"  {number}. {run.id}, {state}: {what}; {run.steps_done} of {run.steps} steps")
    while True:
        line = session.ask(
            "History, a number shows what taking that run back would do [Enter goes to verify]:",
            "The newest run has number 1. Nothing is taken back before you say yes.",
        )
        if isinstance(line, Command) or not line:
            return "verify"
        if line.isascii() and line.isdigit() and 1 <= int(line) <= len(runs):
            if _take_back(session, runs[int(line) - 1].id):
                return "history"
        else:
            session.talk.say(f"! type a number from 1 to {len(runs)}, or Enter")


def _take_back(session: PlainSession, run: str) -> bool:
    """Show the plan that takes a run back, and ask; whether it was done."""
    try:
        plan = session.engine.undo_plan(session.facts, run)
        if plan.later_work:
            changed = later.choices(session, plan)
            if changed is None:
                return False
            plan = session.engine.undo_plan(session.facts, run, changed)
    except WizardError as error:
        session.talk.say(f"! {error}")
        return False
    told = lines.findings(list(plan.findings))
    session.talk.say("\n".join([*told, *lines.steps(plan)]))
    obstacle = _obstacle(session, plan)
    if obstacle:
        session.talk.say(f"Not now: {obstacle}.")
        return False
    return bool(_do(session, plan, f"Take run {run} back in these {len(plan.steps)} steps?"))
