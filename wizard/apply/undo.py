"""Taking a run back: a plan of its own, made from the run's plan, its journal and its backups, and shown before it runs.

Order: commands that need the new files, attributes and files, then what is made of them, in forward order. In the plan they
stand in the phases check, files and live, services - so that the list reads in the order in which it is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wizard import plan as plans
from wizard.diff import unified
from wizard.errors import InputError, NodeError
from wizard.merge import kernel_lines
from wizard.node import run_records
from wizard.node.facts import Facts
from wizard.node.history import RUNS, PastRun
from wizard.node.node import Node
from wizard.node.run_records import Record
from wizard.plan import (
    Expect,
    ExpectFile,
    ExpectValue,
    FileContent,
    FileState,
    Finding,
    NodeName,
    Plan,
    RemoveFile,
    Run,
    SetAttribute,
    Step,
    StopByPidfile,
    WriteFile,
    digest,
)
from wizard.version import VERSION

WHY = ("as it was before the run",)


def undo_plan(facts: Facts, node: Node, run: str | None, root: str | Path) -> Plan:
    """The plan that takes a run back; the newest standing one by default. Raises InputError where there is none."""
    past = _chosen(facts, run)
    where = f"{RUNS}/{past.id}/plan.json"
    done = plans.from_json(node.read(where).decode("utf-8", "replace"), where)
    record = run_records.read_record(node, past.id)
    if record is None:
        raise InputError(f"run {past.id} never began: there is nothing to be taken back")
    findings: list[Finding] = []
    numbers = [number for number in record.touched if number not in record.taken_back]
    steps = [
        *_commands(done, reversed(numbers), "before_files", "check"),
        *_files(node, past.id, done, record, numbers, findings),
        *_attributes(done, record, numbers, facts, findings),
        *_commands(done, numbers, "after_files", None),
    ]
    return Plan(
        node=NodeName(hostname=facts.system.hostname, os=facts.system.label, nova=facts.nova.release),
        answers=_answers_before(facts, past),
        expects=tuple(_expects(facts, steps)),
        steps=tuple(steps),
        kernel_command_line=kernel_lines(
            facts, {s.path: _content(s) for s in steps if isinstance(s, WriteFile | RemoveFile)}
        ),
        findings=tuple(findings),
        undoes=past.id,
    )


def _chosen(facts: Facts, run: str | None) -> PastRun:
    runs = facts.history.runs
    if run is None:
        if facts.history.last is None:
            raise InputError("there is no run of this tool to be taken back on this node")
        return facts.history.last
    named = [each for each in runs if each.id == run or each.id.startswith(f"{run}-")]
    if not named:
        raise InputError(f"there is no run {run}", do="`compute-wizard history` lists them.")
    past = named[0]
    if past.undone_by:
        raise InputError(f"run {past.id} was taken back already, by {past.undone_by}")
    if past.state in ("rolled_back", "running"):
        raise InputError(f"run {past.id} is {past.state}: it cannot be taken back")
    return past


def _answers_before(facts: Facts, past: PastRun) -> dict[str, Any]:
    """What the run before this one was asked for: that is what has to be so afterwards."""
    earlier = [run for run in facts.history.runs if run.id < past.id and not run.undoes and run.state == "done"]
    return earlier[-1].answers if earlier else {}


def _commands(done: Plan, numbers: Iterable[int], when: str, phase: Any) -> Iterable[Step]:
    """Commands that take the run's commands back, each once."""
    seen: set[tuple[str, ...]] = set()
    for number in numbers:
        step = done.steps[number - 1]
        if isinstance(step, Run) and step.undo is not None and step.undo_when == when and step.undo not in seen:
            seen.add(step.undo)
            yield step.model_copy(
                update={
                    "phase": phase or step.phase,
                    "argv": step.undo,
                    "undo": step.argv,
                    "undo_when": "after_files" if when == "before_files" or step.argv == step.undo else "before_files",
                    "why": (f"takes back: {' '.join(step.argv)}",),
                }
            )
        elif isinstance(step, StopByPidfile) and step.undo_when == when:
            yield step


def _files(
    node: Node, run: str, done: Plan, record: Record, numbers: list[int], findings: list[Finding]
) -> Iterable[Step]:
    for number in reversed(numbers):
        step = done.steps[number - 1]
        backup = record.backups.get(number)
        if backup is None or not isinstance(step, WriteFile | RemoveFile):
            continue
        written = step.after.sha256 if isinstance(step, WriteFile) else None
        now = _now(node, step.path)
        before = run_records.read_backup(node, run, backup)
        if now is None and before is None:
            continue
        if now is not None and before is not None and now.content == before and _same(now.state, backup.before):
            continue
        if (now.state.sha256 if now else None) != written:
            findings.append(_changed(step.path))
            continue
        yield _back(step, now, before, backup.before)


class _Now:
    def __init__(self, content: bytes, state: FileState) -> None:
        self.content, self.state = content, state


def _now(node: Node, path: str) -> _Now | None:
    try:
        content, status = node.read(path), node.status(path)
    except NodeError:
        return None
    if status is None:
        return None
    return _Now(content, FileState(sha256=digest(content), mode=f"{status.mode:04o}", owner=status.owner))


def _same(state: FileState, before: dict[str, str] | None) -> bool:
    return before is not None and state.model_dump() == before


def _back(step: WriteFile | RemoveFile, now: _Now | None, before: bytes | None, state: dict[str, str] | None) -> Step:
    common: dict[str, Any] = {
        "chapters": step.chapters,
        "phase": "files",
        "why": WHY,
        "labels": step.labels,
        "path": step.path,
        "secret": step.secret,
        "diff": unified(step.path, now.content if now else None, before, step.secret),
    }
    if before is None or state is None:
        assert now is not None  # neither there now nor before: left out by the caller
        return RemoveFile(before=now.state, **common)
    after = FileContent.of(before, int(state["mode"], 8), state["owner"])
    return WriteFile(before=now.state if now else None, after=after, **common)


def _changed(path: str) -> Finding:
    return Finding(
        code="UNDO-CHANGED-SINCE",
        severity="blocks",
        chapter="undo",
        seen=f"{path} is not as the run left it",
        why="Somebody changed it since: putting the old content back would take their work away.",
        do="Look at it, and put it by hand as you want it; or leave the run as it is.",
    )


def _attributes(
    done: Plan, record: Record, numbers: list[int], facts: Facts, findings: list[Finding]
) -> Iterable[Step]:
    """Attributes back to what they were first, in reverse; sriov_numvfs through 0, since the kernel refuses any other way."""
    first: dict[str, SetAttribute] = {}
    last: dict[str, SetAttribute] = {}
    for number in numbers:
        step = done.steps[number - 1]
        if isinstance(step, SetAttribute) and number in record.held:
            first.setdefault(step.path, step)
            last[step.path] = step
    for path in reversed(first):
        now, before = last[path].after, first[path].before
        if now == before:
            continue
        findings += _in_use(path, facts)
        through = ["0", before] if path.endswith("/sriov_numvfs") and "0" not in (now, before) else [before]
        for value in through:
            yield first[path].model_copy(update={"before": now, "after": value, "why": WHY})
            now = value


def _in_use(path: str, facts: Facts) -> list[Finding]:
    address = path.split("/")[-2]
    function = next((f for f in facts.pci.functions if f.address == address), None)
    uses = [use for vf in function.virtual_functions for use in facts.guests.uses_of(vf)] if function else []
    if not uses or not path.endswith("/sriov_numvfs"):
        return []
    return [
        Finding(
            code="UNDO-VF-IN-USE",
            severity="blocks",
            chapter="undo",
            seen="; ".join(f"{use.address}: {use.by}" for use in uses[:4]),
            why="The VFs would be taken away from whoever holds them.",
            do="Move the guests away first.",
        )
    ]


def _content(step: WriteFile | RemoveFile) -> bytes | None:
    return step.after.data() if isinstance(step, WriteFile) else None


def _expects(facts: Facts, steps: Iterable[Step]) -> Iterable[Expect]:
    for step in steps:
        if isinstance(step, WriteFile | RemoveFile):
            state = step.before
            if state is None:
                yield ExpectFile(path=step.path, sha256=None)
            else:
                yield ExpectFile(path=step.path, sha256=state.sha256, mode=state.mode, owner=state.owner)
    if facts.system.boot_id:
        yield ExpectValue(kind="boot_id", value=facts.system.boot_id)
    yield ExpectValue(kind="tool_version", value=VERSION)
