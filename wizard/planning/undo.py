"""Taking a run back: a plan of its own, made from the run's plan, its journal and its backups, and shown before it runs.

The order is that of every undo (wizard/model/undo_order.py). In the plan the steps stand in the phases check, files, live and
those of the run's own commands, so that the list reads in the order in which it is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wizard.boot import postconditions
from wizard.errors import InputError, Refused
from wizard.facts.facts import Facts
from wizard.model.expectations import ExpectRun
from wizard.model.plan import NodeName, Plan
from wizard.model.steps import Phase, RemoveFile, RunCommand, Step, UndoWhen, WriteFile, WriteSysfs
from wizard.model.undo_order import Kind, Undo, undo_order
from wizard.node.node import Node
from wizard.planning import guest_findings
from wizard.planning.later_changes import Choice
from wizard.planning.planner import kernel_lines
from wizard.planning.preconditions import expected
from wizard.planning.undo_draft import Draft, plan_of
from wizard.runs import records as run_records
from wizard.runs.history import RESCUE, RUNS, PastRun, Unread
from wizard.runs.overtaken import story
from wizard.runs.records import Event
from wizard.runs.run_state import RunState

_PHASE: dict[Kind, Phase] = {"before": "check", "last": "last"}


def undo_plan(
    facts: Facts, node: Node, run: str | None, root: str | Path, changed: Mapping[str, Choice] | None = None
) -> Plan:
    """The plan that takes a run back; the newest standing one by default. Raises InputError where there is none.

    `changed` says what becomes of files that were changed since, by path; "" stands for all others. What is not said blocks.
    """
    past = _chosen(facts, run)
    done = plan_of(node, past.id)
    events = _events(node, past.id)
    told, record = story(events), run_records.fold(events)  # of one reading: what is planned is what is expected
    if record.begun is None:
        raise InputError(f"run {past.id} never began: there is nothing to be taken back", code="NO-RUN")
    numbers = [number for number in record.touched if number not in record.taken_back]
    draft = Draft(facts, node, past, done, record, numbers, changed or {})
    draft.stand_in_the_way()
    steps = list(_steps(draft))
    overlay = _overlay(steps)
    return Plan(
        node=NodeName(hostname=facts.system.hostname, os=facts.system.label, nova=facts.nova.release),
        answers=_answers_afterwards(facts, past),
        expects=(
            *_expected_runs(facts, node, past, told),
            *expected(facts, list(overlay), steps, _values(steps)),
        ),
        steps=tuple(steps),
        kernel_command_line=kernel_lines(facts, overlay, steps),
        findings=(*draft.findings, *guest_findings.findings(facts, steps, "undo")),
        undoes=past.id,
        later_work=tuple(draft.later_work),
    )


def _events(node: Node, run: str) -> list[Event]:
    where = f"{RUNS}/{run}/journal.jsonl"
    return run_records.parse(node.read(where), where)


def _expected_runs(facts: Facts, node: Node, past: PastRun, told: str) -> Iterable[ExpectRun]:
    """The run, and all that are about it: each undo of it, of that undo, and so on."""
    newest = max(run_records.run_ids(node), key=run_records.age)
    yield ExpectRun(run=past.id, sha256=told, newest=newest)
    related = {past.id}
    for run in facts.history.runs:
        if run.undoes in related:
            related.add(run.id)
            yield ExpectRun(run=run.id, sha256=story(_events(node, run.id)), newest=newest)


def _values(steps: Iterable[Step]) -> dict[str, str]:
    """What each kernel attribute is before the first step that sets it."""
    found: dict[str, str] = {}
    for step in steps:
        if isinstance(step, WriteSysfs):
            found.setdefault(step.path, step.before)
    return found


def _chosen(facts: Facts, run: str | None) -> PastRun:
    seen = facts.history
    if run is None:
        _refuse_unread(seen.unread_after(seen.last.id if seen.last else ""))
        if seen.last is None:
            raise InputError("there is no run of this tool to be taken back on this node", code="NO-RUN")
        return _not_waiting(seen.last)
    named = [each for each in seen.runs if run_records.is_meant(each.id, run)]
    if not named:
        hidden = seen.unread_named(run)
        if hidden is not None:
            raise Refused(f"{hidden.what} cannot be read: {hidden.why}", do=_way_back(hidden), code="RUN-UNREAD")
        raise InputError(f"there is no run {run}", do="`compute-wizard history` lists them.", code="NO-RUN")
    past = named[0]
    if past.undone_by:
        raise InputError(f"run {past.id} was taken back already, by {past.undone_by}", code="RUN-UNDONE")
    if past.state in (RunState.ROLLED_BACK, RunState.RUNNING):
        raise InputError(f"run {past.id} is {past.state}: it cannot be taken back", code="RUN-UNDONE")
    return _not_waiting(past)


def _refuse_unread(later: Sequence[Unread]) -> None:
    """Raises Refused where the last run is one that cannot be read: an older one may rest under it, and is not meant."""
    if later:
        last = later[-1]
        other = " Or name the run that is to be taken back: `compute-wizard undo RUN`." if last.id else ""
        raise Refused(
            f"{last.what} cannot be read, so what the last run did is not known: {last.why}",
            do=_way_back(last) + other,
            code="RUN-UNREAD",
        )


def _way_back(run: Unread) -> str:
    script = f"Its own {RUNS}/{run.id}/{RESCUE} takes it back without this tool." if run.id else ""
    return f"{run.do} {script}".strip()


def _not_waiting(past: PastRun) -> PastRun:
    if past.state is not RunState.WAITING:
        return past
    raise InputError(
        f"run {past.id} waits for its confirmation: it is taken back by itself",
        do="`compute-wizard confirm --no` takes it back now, `compute-wizard confirm` keeps it.",
        code="RUN-WAITS",
    )


def _answers_afterwards(facts: Facts, past: PastRun) -> dict[str, Any]:
    """What the newest run that stands then was asked for: that is what has to be so afterwards."""
    standing = [
        run
        for run in facts.history.runs
        if run.id == past.undoes or (run.id != past.id and run.state is RunState.DONE and not run.undoes)
    ]
    return standing[-1].answers if standing else {}


def _steps(draft: Draft) -> Iterable[Step]:
    again = sorted({*draft.numbers, *draft.by_boot})
    # what a rollback made while something was still the run's has to be made once more
    made = sorted({*again, *draft.record.touched}) if draft.was_changed else again
    due: dict[str, set[int]] = {
        "before": {n for n in again if not draft.needless(n)},
        "after": set(made),
        "last": set(draft.numbers),
    }
    files: list[Step] = []
    for undo in undo_order(draft.done.steps, made):
        if undo.kind == "file":
            back = list(draft.file(undo.numbers[0]))
            files += back
            yield from back
        elif undo.kind == "attribute":
            yield from draft.attribute(undo.numbers)
        elif due[undo.kind] & {*undo.numbers}:
            step = _command(undo)
            yield _proven(draft, _failed_before(draft, step), _overlay(files)) if undo.kind == "after" else step


def _command(undo: Undo) -> Step:
    step = undo.step
    if not isinstance(step, RunCommand) or step.undo is None:
        return step
    return step.model_copy(
        update={
            "phase": _PHASE.get(undo.kind, step.phase),
            "argv": step.undo,
            "undo": step.argv if undo.kind != "last" else None,
            "undo_when": _again(step, undo.kind),
            "proves": (),
            "why": (f"takes back: {' '.join(step.argv)}",),
            "id": step.id if step.argv == step.undo else _other_way(step.id),
        }
    )


def _other_way(name: str) -> str:
    """The id of what takes a step back; of what takes that back again, the step's own."""
    return name.removeprefix("undo:") if name.startswith("undo:") else name and f"undo:{name}"


def _failed_before(draft: Draft, step: Step) -> Step:
    """With a word that the same command failed in the run itself: where it fails once more, the files are back all the same."""
    same = {
        number
        for number, each in enumerate(draft.done.steps, 1)
        if isinstance(each, RunCommand) and isinstance(step, RunCommand) and each.argv == each.undo == step.argv
    }
    if not same or not same <= draft.record.ended_badly:
        return step
    return step.model_copy(update={"failed_before": True})


def _proven(draft: Draft, step: Step, overlay: Mapping[str, bytes | None]) -> Step:
    """With what the command has to have made: undone is what the boot menu says, not what update-grub's status is."""
    done = draft.done.steps
    argv = step.argv if isinstance(step, RunCommand) else None
    takes_back = [each for each in done if isinstance(each, RunCommand) and argv is not None and each.undo == argv]
    found = [proof for each in takes_back for proof in postconditions.proofs(draft.facts, each, overlay)]
    return step.model_copy(update={"proves": tuple(dict.fromkeys(found))}) if found else step


def _again(step: RunCommand, kind: Kind) -> UndoWhen | None:
    """When the undo of an undo has its turn."""
    if kind == "last":
        return None
    return "after_files" if kind == "before" or step.argv == step.undo else "before_files"


def _overlay(steps: Iterable[Step]) -> dict[str, bytes | None]:
    """What the files will hold, by path; None for those that go."""
    return {
        step.path: step.after.data() if isinstance(step, WriteFile) else None
        for step in steps
        if isinstance(step, WriteFile | RemoveFile)
    }
