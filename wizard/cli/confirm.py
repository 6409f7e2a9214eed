"""confirm: keep a run that waits for it, or have it taken back now."""

from __future__ import annotations

import argparse

from wizard.apply import launch
from wizard.cli import apply as command_apply
from wizard.cli import history as command_history
from wizard.errors import Exit, InputError, Refused
from wizard.model import plan as plans
from wizard.node.live import open_node
from wizard.runs import history as histories
from wizard.runs import selection
from wizard.runs.history import PastRun
from wizard.runs.journal import follow
from wizard.runs.run_state import RunState


def confirm(options: argparse.Namespace) -> int:
    """Answer the run that waits, and see what becomes of it: the run decides, so an answer that comes too late is told so."""
    command_apply.refuse_tar(open_node(options.root), options.root)
    run = _waiting(options)
    keep = not options.no
    started = launch.answer(options.root, run.id, keep=keep)
    for event in follow(started.journal, started.after):
        command_history.show(event, options.json)
    code = launch.result(started)
    if not keep and code is Exit.DONE:
        raise Refused(
            f"run {run.id} was confirmed before this answer came, and stays",
            do=f"`compute-wizard undo {run.id}` undoes it.",
            code="CONFIRM-LATE",
        )
    if not keep:
        return Exit.DONE if code is Exit.ROLLED_BACK else code
    if code is Exit.DONE and not options.json:
        command_apply.say_of_reboot(options.root, plans.load(started.directory / "plan.json"))
    return code


def _waiting(options: argparse.Namespace) -> PastRun:
    """The run that waits, also one whose runner is gone since. Raises InputError where there is none, or another is named."""
    seen = histories.read(open_node(options.root))
    waiting = [run for run in seen.runs if run.confirm_until and run.state in (RunState.WAITING, RunState.INTERRUPTED)]
    if options.run is None:
        if not waiting:
            selection.refuse_unread(seen.unread)
            raise InputError(
                "no run waits for its confirmation",
                do="`compute-wizard history` shows what became of each.",
                code="NOTHING-WAITS",
            )
        return waiting[-1]
    named = selection.chosen(seen, options.run, ())
    if named not in waiting:
        raise InputError(
            f"run {named.id} does not wait for its confirmation: it is {named.state}", code="NOTHING-WAITS"
        )
    return named
