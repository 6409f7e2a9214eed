"""The runner: a process of its own that carries out exactly one saved plan and writes the journal.

`python -I -m wizard.apply.runner ROOT RUN [EVENTS]`. It outlives the screen, the ssh session and the terminal that started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

from wizard import hashing
from wizard.apply import confirm
from wizard.apply.backends import Backend, LiveBackend, NoBackend
from wizard.apply.file_writer import Tree
from wizard.apply.leftovers import refuse_beside_leftovers
from wizard.apply.staleness import refuse_if_stale, refuse_if_used
from wizard.apply.step_executor import EndedBadly, StepExecutor
from wizard.apply.system_log import SystemLog
from wizard.dataclass import dataclass
from wizard.errors import NodeError, Refused, WizardError
from wizard.model import plan as plans
from wizard.model import step_text
from wizard.model.expectations import ExpectFile
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, WriteFile, WriteSysfs
from wizard.model.undo_order import needed_by, undo_order
from wizard.node.live import LiveNode
from wizard.node.node import Node
from wizard.node.recorded import DirectoryNode
from wizard.runs import history, remaining_steps, store, verify_due
from wizard.runs.journal import Journal, JournalLost, read
from wizard.runs.lock import only_run
from wizard.runs.overtaken import refuse_overtaken
from wizard.runs.records import JOURNAL_FORMAT, LOCK, STOP, Reason, Record, fold, lock_holder
from wizard.runs.run_state import RunState
from wizard.safe_text import safe_text


class Asked:
    """Whether somebody asked the run to stop."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / STOP
        self.signalled = False
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.signalled = True

    def __bool__(self) -> bool:
        return self.signalled or self._file.exists()


def main(argv: list[str]) -> int:
    """Carry out a run. What came of it is in the journal; 1 where not even that could be written.

    A third word is how many events the journal had when this runner was asked for: one that comes late does nothing."""
    root, run = Path(argv[0]), argv[1]
    state = store.state_directory(root)
    directory = state / "runs" / run
    asked = Asked(directory)
    options = json.loads((directory / "options.json").read_text(encoding="utf-8"))
    log = SystemLog(run) if options["commands"] == "live" else None
    tell = log.tell if log is not None else lambda _: None
    path = directory / "journal.jsonl"
    try:
        with only_run(state, run), closing(Journal(path, tell)) as journal:
            if len(argv) > 2 and len(read(path)) != int(argv[2]):
                return 0  # another runner of this run came before: what came of it is in the journal already
            _carry_out(root, run, directory, options, journal, asked)
    except Refused as error:  # another run is under way
        if lock_holder(state / LOCK) != run:  # where it is this very run, its journal is not ours to write
            with closing(Journal(path, tell)) as journal:
                journal.write("end", result="refused", why=str(error))
    except (JournalLost, OSError) as error:
        print(f"compute-wizard: run {run}: {error}", file=sys.stderr)
        if log is not None:
            log.write(str(error), warn=True)
        return 1
    return 0


def _outside(root: Path, node: Node, commands: str) -> Backend:
    if commands == "simulated":
        from wizard.apply.simulated_backend import SimulatedBackend

        return SimulatedBackend(root)
    return LiveBackend(LiveNode()) if commands == "live" else NoBackend(node)


def _carry_out(root: Path, run: str, directory: Path, options: dict[str, Any], journal: Journal, asked: Asked) -> None:
    node = DirectoryNode(root)
    boot = node.text("/proc/sys/kernel/random/boot_id") or ""
    try:
        plan = plans.load(directory / "plan.json")
        record = fold(read(directory / "journal.jsonl"))
        refuse_if_used(node, plan, record)
        refuse_if_stale(node, plan, record, live=options["commands"] == "live")
        refuse_overtaken(node, run, plan, begun=record.begun is not None)
        refuse_beside_leftovers(node, boot)
        journal.reserve(frugal=plan.undoes is not None)
    except WizardError as error:
        journal.write("end", result="refused", why=str(error))
        return
    journal.write(
        "begin",
        format=JOURNAL_FORMAT,
        run=run,
        steps=len(plan.steps),
        plan_sha256=hashing.digest(plan.to_json().encode()),
        boot_id=boot,
        undoes=plan.undoes,
        resumed=record.begun is not None,
    )
    carrier = StepExecutor(Tree(root), _outside(root, node, options["commands"]), directory, journal)
    carrier.backups, carrier.directories = dict(record.backups), list(record.directories)
    carrier.left = {number: list(left) for number, left in record.left.items()}
    carrier.expected = {each.path: each.attributes for each in plan.expects if isinstance(each, ExpectFile)}
    carrier.failed = set(record.ended_badly)
    carrier.goals = {step.path: step.after for step in plan.steps if isinstance(step, WriteSysfs)}
    undone = _undone(directory.parent, plan)
    for path in _paths(plan, undone.plan if undone else None):
        carrier.tree.sweep(path)
    done = _done(plan, record, boot, node)
    result, why = _steps(plan, carrier, journal, asked, done), ""
    if result == "done" and options.get("confirm_minutes") and not record.confirmed:
        seconds = confirm.patience(float(options["confirm_minutes"]), plan)
        result, why = _confirmed(confirm.wait(directory, journal, seconds, lambda: asked.signalled), journal)
    if result == "unconfirmed" or (result == "failed" and options["on_failure"] == "rollback"):
        standing = set(record.touched) - record.taken_back  # of runners before this one, too
        result = _rollback(plan, carrier, journal, sorted((standing | done | {*carrier.started}) - carrier.skipped))
    if result == "done" and undone is not None:
        result = _without(undone.record.directories, carrier, journal) or result
    if result == "done" and options["commands"] != "none":
        _notice(node, directory.parent.parent, run, plan, boot, journal)
    journal.write("end", result=result, **({"why": why} if why else {}))


def _confirmed(answer: confirm.Answer, journal: Journal) -> tuple[str, str]:
    """What becomes of a run that waited: its result, and what is to be said of it."""
    if answer == "kept":
        journal.write("confirmed")
        return "done", ""
    if answer == "ended":
        return "done", "kept: the runner was told to end, as at a shutdown, before the confirmation came"
    return "unconfirmed", "not confirmed in time" if answer == "too late" else "not confirmed: asked to be taken back"


def _notice(node: Node, state: Path, run: str, plan: Plan, boot: str, journal: Journal) -> None:
    """Have the next login say what is due: of a run that was taken back no more, but of one that stands. The run does not
    depend on it."""
    try:
        waits = [run] if plan.needs_reboot else []
        if plan.undoes is not None:
            runs = [each for each in history.read(node).runs if each.id not in (run, plan.undoes) and not each.undoes]
            waits = [
                each.id
                for each in runs
                if each.state is RunState.DONE and each.reboot_chapters and each.boot_id == boot
            ]
        if waits:
            verify_due.due(state, waits[-1], boot or "-")
        elif plan.undoes is not None:
            verify_due.forget(state)
    except (WizardError, OSError) as error:
        journal.write("note", text=f"the next login will not say that verify is due: {reason(error)}")


def _without(directories: list[str], carrier: StepExecutor, journal: Journal) -> str:
    """Remove directories that a run made, where they are empty again; "failed" where one could not be removed."""
    result = ""
    for path in reversed(directories):
        try:
            carrier.tree.remove_directory(path)
        except (NodeError, OSError) as error:
            journal.write("note", text=f"a directory that the run made is left: {reason(error)}")
            result = "failed"
    return result


@dataclass(frozen=True, slots=True)
class _Undone:
    """The run that a plan takes back."""

    plan: Plan
    record: Record


def _undone(runs: Path, plan: Plan) -> _Undone | None:
    if plan.undoes is None:
        return None
    place = runs / plan.undoes
    return _Undone(plans.load(place / "plan.json"), fold(read(place / "journal.jsonl")))


def _paths(*of: Plan | None) -> set[str]:
    """The files of these plans: beside each there may be a new one that a killed runner left unfinished."""
    return {step.path for plan in of if plan for step in plan.steps if isinstance(step, WriteFile | RemoveFile)}


def _done(plan: Plan, record: Record, boot: str, node: Node) -> set[int]:
    """Steps that need not be done again. What was done to the running kernel is gone after a reboot."""
    lost = {n for n in record.held if plan.steps[n - 1].phase == "live" and record.boots.get(n) != boot}
    past = remaining_steps.done(plan, record)
    gone = {n for n in past - record.held.keys() - record.skipped if not node.exists(_words(plan, n)[-1])}  # copies
    return past - lost - gone


def _words(plan: Plan, number: int) -> tuple[str, ...]:
    step = plan.steps[number - 1]
    return step.argv if isinstance(step, RunCommand) else ("",)


def _steps(plan: Plan, carrier: StepExecutor, journal: Journal, asked: Asked, done: set[int]) -> str:
    for number, step in enumerate(plan.steps, 1):
        if number in done:
            continue
        if asked:
            return "stopped"
        journal.write("step", n=number, title=step_text.title(step), **({"id": step.id} if step.id else {}))
        carrier.started.append(number)
        try:
            carrier.carry(number, step)
        except JournalLost:
            raise
        except Exception as error:  # whatever it is, a defect of ours too: the step did not come to its end
            code = Reason.EXIT_STATUS if isinstance(error, EndedBadly) else Reason.OTHER
            journal.write("failed", n=number, why=reason(error), reason=code.value)
            return "failed"
    return "done"


def reason(error: Exception) -> str:
    """What a step failed with, as it may be written down: what a command or a file says may hold a secret."""
    return safe_text(str(error) if isinstance(error, WizardError) else f"{type(error).__name__}: {error}")


def _rollback(plan: Plan, carrier: StepExecutor, journal: Journal, numbers: list[int]) -> str:
    """Back through what was begun, in the order of every undo."""
    journal.write("rollback")
    result = "rolled_back"
    needed: set[int] = set()
    for undo in filter(carrier.can_undo, undo_order(plan.steps, numbers)):
        if undo.kind == "last" and result != "rolled_back":
            break
        if undo.kind == "file" and needed & {*undo.numbers}:
            why = "stays: a command that could not be taken back needs it"
            journal.write("rollback_failed", n=undo.numbers[0], why=why)
            continue
        try:
            carrier.undo(undo, plan.steps)
        except JournalLost:
            raise
        except Exception as error:
            for number in undo.numbers:
                journal.write("rollback_failed", n=number, why=reason(error))
            result = "failed"
            needed |= needed_by(undo.step, plan.steps, numbers)
        else:
            for number in undo.numbers:
                journal.write("rollback_held", n=number)
    return _without(carrier.directories, carrier, journal) or result


if __name__ == "__main__":
    os.umask(0o022)  # commands inherit it: an initramfs or a unit link is to have the modes that it always has
    sys.exit(main(sys.argv[1:]))
