"""The commands that change a node: they only start the runner and follow its journal."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone

from wizard.apply import launch
from wizard.cli import history as command_history
from wizard.cli import parser
from wizard.errors import Blocked, Exit, InputError, Refused, UsageError
from wizard.facts import facts
from wizard.model import step_text
from wizard.model.guest_effects import touching
from wizard.model.plan import GUESTS_TOUCHED, Plan
from wizard.model.steps import WriteSysfs, command
from wizard.node.live import open_node
from wizard.node.node import Node
from wizard.node.recorded import DirectoryNode
from wizard.planning import guest_findings, reboot_advice
from wizard.report import text as report
from wizard.runs import history as histories
from wizard.runs import selection
from wizard.runs.journal import follow
from wizard.safe_text import safe_text


def apply(node: Node, plan: Plan, options: argparse.Namespace, *, shown: bool) -> int:
    """Show the plan (unless it was shown when it was saved), ask, start the runner, follow it to its end."""
    as_json = bool(options.json)
    refuse_tar(node, options.root)
    if plan.stopped:
        _refuse_blocked(plan, options)
    if (
        not plan.steps and plan.undoes is None
    ):  # an undo ends the run that it takes back, also where nothing of it is left
        _show_plan(plan, as_json, "Nothing is to be changed on this node.\n")
        return Exit.DONE
    if not shown and not (as_json and options.yes):  # who says --yes reads what becomes of the run alone, as ever
        _show_plan(plan, as_json, report.plan(plan) + "\n")
    minutes = _permit(plan, options)
    started = launch.start(
        options.root,
        plan,
        on_failure=getattr(options, "on_failure", "rollback"),
        files_only=getattr(options, "files_only", False),
        simulated=node.simulated,
        accept=tuple(getattr(options, "accept", ())),
        confirm_minutes=minutes,
    )
    code = followed(started, as_json)
    if minutes and code == Exit.DONE and plan.needs_reboot:
        _say("Confirm it before you reboot: the wait does not outlive a reboot.\n", as_json)
    elif code == Exit.DONE and not as_json and not getattr(options, "files_only", False):
        say_of_reboot(options.root, plan)
    elif code == Exit.DONE and not as_json:
        left = sum(bool(command(step)) or isinstance(step, WriteSysfs) for step in plan.steps)
        _say(f"{left} steps were not done here; they stay in the plan.\n" if left else "", as_json)
    if code == Exit.DONE and plan.controller:
        _say("There is more to be done on the controller: `compute-wizard plan` lists it.\n", as_json)
    return code


def say_of_reboot(root: str, plan: Plan) -> None:
    """Whether to reboot now, and how to boot without the change; nothing where no reboot is needed."""
    for line in reboot_advice.after_apply(facts.read(open_node(root)), plan):
        sys.stdout.write(safe_text(line) + "\n")


def refuse_tar(node: Node, root: str) -> None:
    """Before anything is asked or anything else is refused: no option makes a tar one that can be written to.

    Raises InputError.
    """
    if not isinstance(node, DirectoryNode):
        raise InputError(
            "a tar is read only", where=root, do="Unpack it, or export the plan as a script.", code="TAR-READ-ONLY"
        )


def _show_plan(plan: Plan, as_json: bool, text: str) -> None:
    """The plan, before a question or in place of a run: as text, or as one line of JSON like an event of the journal."""
    if as_json:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        text = report.as_json({"event": "plan", "at": now, "plan": plan.masked().model_dump(mode="json")}, indent=None)
    sys.stdout.write(text)
    sys.stdout.flush()  # it may be piped on, and the question that follows is not


def _refuse_blocked(plan: Plan, options: argparse.Namespace) -> None:
    _show_plan(plan, bool(options.json), report.findings(plan.findings) + report.later_work(plan.later_work))
    codes = sorted({finding.code for finding in plan.findings if finding.severity == "blocks"})
    answers = getattr(options, "answers", None)
    again = f" `compute-wizard check --answers {shlex.quote(answers)}` looks again." if answers else ""
    raise Blocked(
        f"a finding blocks: {', '.join(codes or plan.blocked)}",
        do=f"Nothing was changed. Each finding says how to go on.{again}",
    )


def _permit(plan: Plan, options: argparse.Namespace) -> int:
    """Ask on a terminal; without one only --yes will do. One-way steps need their own word.

    Gives the minutes that the run waits for its confirmation; 0 where it does not.
    """
    one_way = [step for step in plan.steps if "one-way" in step.labels]
    if one_way and "one-way" not in getattr(options, "accept", ()):
        raise Refused(
            f"the plan has a step that cannot be taken back: {step_text.title(one_way[0])}",
            do="Say --accept one-way if you mean it, or take it out of the answers.",
            code="NEEDS-ACCEPT",
        )
    minutes = int(getattr(options, "confirm", None) or 0)
    dropping = [number for number, step in enumerate(plan.steps, 1) if "drops-network" in step.labels]
    if minutes and not options.yes:
        print(
            f"It is taken back unless `compute-wizard confirm` comes within {minutes} minutes after its last step.",
            file=sys.stderr,
        )
    if not getattr(options, "files_only", False):
        _tell_of_guests(plan)
    if one_way or not dropping or minutes or options.yes or "confirm" not in options:
        ask(bool(options.yes), "yes" if plan.word == "guests" and getattr(options, "files_only", False) else plan.word)
        return minutes
    print(
        f"Step {dropping[0]} may cut the line that you are using. Type a number of minutes, such as 10, instead of yes: the run is "
        "then taken back unless you confirm it in time.",
        file=sys.stderr,
    )
    answer = ask(False, plan.word, also=parser.minutes)
    return int(answer) if answer.isdecimal() else 0


QUESTIONS = {
    "one-way": "One step of it cannot be taken back. Do this now?",
    "guests": "Guests that run here may be interrupted. Do this now?",
}


def _tell_of_guests(plan: Plan) -> None:
    """The guests that run here, and what becomes of them: right before the question, and where none is asked, too."""
    for finding in plan.findings:
        if finding.code in (GUESTS_TOUCHED, "GUESTS-RUNNING"):
            print(safe_text(f"{finding.seen}.\n  {finding.why}"), file=sys.stderr)


def ask(yes: bool, word: str = "yes", also: Callable[[str], object] | None = None) -> str:
    """Ask for a word, unless --yes was said; gives the answer: the word, or something that `also` takes.

    Raises UsageError without a terminal, Refused for any other answer.
    """
    if yes:
        return word
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "there is no terminal to ask on", do="Say --yes if it is to be done without a question.", code="NO-TERMINAL"
        )
    question = QUESTIONS.get(word, "Do this now?")
    print(f"{question} Type {word}: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip().lower()
    if answer == word:
        return answer
    with suppress(argparse.ArgumentTypeError):
        if also is not None:
            also(answer)
            return answer
    raise Refused(f"the answer was not {word}; nothing was changed", code="ANSWER-NOT-GIVEN")


def _say(text: str, as_json: bool) -> None:
    if not as_json:
        sys.stdout.write(text)


def followed(started: launch.Started, as_json: bool) -> int:
    """Show the journal as it grows. The first Ctrl-C asks the runner to stop after this step, the second only stops us."""
    asked = False
    events = follow(started.journal, started.after)
    while True:
        try:
            for event in events:
                command_history.show(event, as_json)
                if event["event"] == "waiting" and not launch.is_over(started):
                    return Exit.DONE
            return int(launch.result(started))
        except KeyboardInterrupt:
            if asked:
                return Exit.INTERRUPTED
            asked = True
            launch.request_stop(started)
            _say("\nStopping after this step; Ctrl-C again only stops following.\n", as_json)
            events = follow(started.journal, started.after)


def resume(options: argparse.Namespace) -> int:
    """Go on with a run that was interrupted: shows what is still to be done, and asks. One-way steps need their own word, again."""
    refuse_tar(open_node(options.root), options.root)
    run = selection.to_go_on(histories.read(open_node(options.root)), options.run)
    left = launch.still_to_do(options.root, run.id)
    one_way = [step for step in left if "one-way" in step.labels]
    accepted = "one-way" in options.accept
    if one_way and options.yes and not accepted:
        raise Refused(
            f"a step that cannot be taken back is still to come: {step_text.title(one_way[0])}",
            do="Say --accept one-way if you mean it, or leave out --yes and be asked.",
            code="NEEDS-ACCEPT",
        )
    if not options.yes:
        sys.stdout.write(f"Run {run.id} is {run.state}. Still to be done:\n")
        sys.stdout.write("".join(safe_text(f"  {step_text.title(step)}") + "\n" for step in left))
        sys.stdout.flush()
    word = "one-way" if one_way and not accepted else "yes"
    names = facts.read(open_node(options.root)).guests.guests or () if touching(left) else ()
    if names:
        why = "What is still to be done may interrupt them."
        print(safe_text(f"{guest_findings.named(names)}.\n  {why}"), file=sys.stderr)
        word = "guests" if word == "yes" else word
    ask(bool(options.yes), word)
    return followed(launch.resume(options.root, run.id, ("one-way",) if one_way else ()), False)
