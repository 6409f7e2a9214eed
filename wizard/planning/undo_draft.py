"""A plan to take a run back while it is made: what becomes of files and attributes, and what stands in the way."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from wizard.dataclass import dataclass
from wizard.errors import NotThere
from wizard.facts.facts import Facts
from wizard.hashing import digest
from wizard.model import plan as plans
from wizard.model.findings import Finding
from wizard.model.plan import LaterWork, Plan
from wizard.model.steps import FileContent, FileState, RemoveFile, RunCommand, Step, WriteFile, WriteSysfs
from wizard.node.node import Node
from wizard.planning import later_changes as later_work
from wizard.planning.diff import unified
from wizard.planning.later_changes import Choice, Version, Versions, choice_for
from wizard.runs import records as run_records
from wizard.runs.history import RUNS, PastRun, Unread
from wizard.runs.records import Backup, Record
from wizard.runs.run_state import RunState

WHY = ("as it was before the run",)


@dataclass(slots=True)
class Draft:
    """A plan to take a run back, while it is being made."""

    facts: Facts
    node: Node
    past: PastRun
    done: Plan
    record: Record
    numbers: list[int]
    said: Mapping[str, Choice]
    findings: list[Finding] = field(default_factory=list)
    later_work: list[LaterWork] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)  # attributes whose turn has come

    @property
    def by_boot(self) -> list[int]:
        """Steps that did not come to their end in the run, and that a boot since has done in its stead: what was enabled by
        then applied the rule, or made the VFs."""
        boots = (self.record.last_boot, self.facts.system.boot_id)
        if not self.numbers or not all(boots) or boots[0] == boots[1]:
            return []
        come_to = self.record.held.keys() | self.record.skipped
        left = [(n, s) for n, s in enumerate(self.done.steps, 1) if n not in come_to and s.phase == "live"]
        return [n for n, s in left if self._by_boot(s)]

    def _by_boot(self, step: Step) -> bool:
        if isinstance(step, WriteSysfs):
            return self.node.text(step.path) == step.after
        return isinstance(step, RunCommand) and self._there(step.undo) and self._files_named_exist(step)

    @property
    def was_changed(self) -> bool:
        """Whether a file or attribute may still be the run's."""
        return any(isinstance(self.done.steps[n - 1], WriteFile | RemoveFile | WriteSysfs) for n in self.numbers)

    def _there(self, argv: tuple[str, ...] | None) -> bool:
        """Whether a command can be run: the script that the run was to write may not have been written."""
        return argv is not None and (not argv[0].startswith("/") or self.node.exists(argv[0]))

    def needless(self, number: int) -> bool:
        """Whether a command need not be taken back, and could not be: its program is gone, or an earlier undo of this run took
        it back and removed the file that it names."""
        step = self.done.steps[number - 1]
        if not isinstance(step, RunCommand) or step.undo is None:
            return False
        if not self._there(step.undo):
            return True
        return not self._files_named_exist(step) and step.undo in self._taken_back_before()

    def _files_named_exist(self, step: RunCommand) -> bool:
        """Whether all files of the run that the command's undo names are there: its script, its unit."""
        undo = step.undo or ()
        named = [each.path for each in self.done.steps if isinstance(each, WriteFile) and _names(undo, each.path)]
        return all(self.node.exists(path) for path in named)

    def _taken_back_before(self) -> set[tuple[str, ...]]:
        """Commands that earlier undos of this run ran."""
        found: set[tuple[str, ...]] = set()
        for run in self.facts.history.runs:
            record = run_records.read_record(self.node, run.id) if run.undoes == self.past.id else None
            if record is not None:
                steps = plan_of(self.node, run.id).steps
                ran = [steps[n - 1] for n in record.held.keys() - record.skipped - record.taken_back]
                found |= {step.argv for step in ran if isinstance(step, RunCommand)}
        return found

    def stand_in_the_way(self) -> None:
        """Later runs that stand and changed the same things come first; their names are in findings. So are those of which
        that is not known."""
        self.findings += [_not_known(each) for each in self.facts.history.unread_after(self.past.id)]
        mine = _touched(self.node, self.done, self.record)
        runs = self.facts.history.runs
        later = runs[[run.id for run in runs].index(self.past.id) + 1 :]
        for run in reversed(later):  # an undo that stands and what it took back are as if neither had been
            if run.undoes or run.undone_by or run.state is RunState.ROLLED_BACK:
                continue
            record = run_records.read_record(self.node, run.id)
            same = mine & _touched(self.node, plan_of(self.node, run.id), record) if record else set()
            for path in sorted(same - self.blocked):
                self.findings.append(_stands_in_the_way(path, run))
            self.blocked |= same

    def file(self, number: int) -> Iterable[WriteFile | RemoveFile]:
        """The file of a step as it was before the run; one that was changed since as it was chosen. None where it is so already."""
        step = self.done.steps[number - 1]
        backup = self.record.backups.get(number) if number in self.numbers else None
        if backup is None or not isinstance(step, WriteFile | RemoveFile) or step.path in self.blocked:
            return
        versions = self._versions(number, step, backup)
        if versions.same:
            return
        wanted = versions.before if versions.untouched else self._chosen(versions)
        if wanted == versions.now or (wanted is None and versions.now is None):
            return
        yield _back(step, versions.now, wanted, backup)

    def _versions(self, number: int, step: WriteFile | RemoveFile, backup: Backup) -> Versions:
        content = run_records.read_backup(self.node, self.past.id, backup)
        before = None
        if content is not None and backup.before is not None:
            before = Version(content, FileState(**backup.before), _decoded(backup.attributes))
        left, written = (
            None,
            [
                each
                for each in self.record.left.get(number, [])
                if isinstance(step, WriteFile) and each.sha256 == step.after.sha256  # a rollback may have written, too
            ],
        )
        if isinstance(step, WriteFile) and written:
            newest = written[-1]
            state = FileState(sha256=newest.sha256, mode=newest.mode, owner=newest.owner)
            left = Version(step.after.data(), state, _decoded(newest.attributes))
        elif isinstance(step, WriteFile):  # of an older version: a file's own attributes stayed
            state = FileState(**step.after.model_dump(include={"sha256", "mode", "owner"}))
            left = Version(step.after.data(), state, before.attributes if before else None)
        return Versions(step.path, before, left, _now(self.node, step.path), step.secret, exact=bool(written))

    def _chosen(self, versions: Versions) -> Version | None:
        """What becomes of a file that was changed since; as it is now while nothing was chosen."""
        choice = choice_for(versions.path, self.said)
        merge = versions.merge()
        self.later_work.append(versions.shown(choice))
        self.findings.append(later_work.finding(versions.path, choice, merge is not None))
        if choice == "restore":
            return versions.before
        if choice == "merge" and merge is not None:
            return merge if merge.content or versions.before is not None else None
        return versions.now

    def attribute(self, numbers: Iterable[int]) -> Iterable[Step]:
        """The attribute of a step back to what it was first: once, where its path comes up first."""
        path = _path(self.done.steps[min(numbers) - 1])
        if path in self.seen:
            return
        self.seen.add(path)
        by_boot = set(self.by_boot)
        steps = [
            step
            for number in sorted({*self.numbers, *by_boot})
            if isinstance(step := self.done.steps[number - 1], WriteSysfs) and step.path == path
            if number in by_boot or _was_set(self.node, self.record, number, step)
        ]
        if steps:
            yield from self._back_to_first(steps[0], steps[-1])

    def _back_to_first(self, first: WriteSysfs, last: WriteSysfs) -> Iterable[Step]:
        """sriov_numvfs goes through 0: the kernel refuses any other way."""
        path, before = first.path, first.before
        now = self.node.text(path)
        if now is None or now == before or path in self.blocked:  # gone with its device, or as it was already
            return
        ours = {last.after, *self._on_the_way_back(path)}
        if now not in ours and not self._attribute_may_change(path, before, last.after, now):
            return
        self.findings += _in_use(path, self.facts)
        through = ["0", before] if path.endswith("/sriov_numvfs") and "0" not in (now, before) else [before]
        for value in through:
            yield first.model_copy(update={"before": now, "after": value, "why": WHY})
            now = value

    def _on_the_way_back(self, path: str) -> Iterable[str]:
        """Values that a rollback or an undo of the run which was cut may have left: it leads through others."""
        cut = [(self.done, self.record)] if self.record.rolling_back else []
        related = {self.past.id}
        for run in self.facts.history.runs:
            if run.undoes not in related:
                continue
            related.add(run.id)
            record = run_records.read_record(self.node, run.id)
            if record is not None and run.state.resumable:
                cut.append((plan_of(self.node, run.id), record))
        for plan, record in cut:
            for number in record.touched:
                step = plan.steps[number - 1]
                if isinstance(step, WriteSysfs) and step.path == path:
                    yield from (step.before, step.after)

    def _attribute_may_change(self, path: str, before: str, left: str, now: str) -> bool:
        choice = choice_for(path, self.said)
        shown = LaterWork(
            path=path, run_changed=f"{before} -> {left}\n", changed_since=f"{left} -> {now}\n", choice=choice
        )
        self.later_work.append(shown)
        self.findings.append(later_work.finding(path, choice, mergeable=False))
        return choice == "restore"


def _path(step: Step) -> str:
    return step.path if isinstance(step, WriteFile | RemoveFile | WriteSysfs) else ""


def _names(argv: tuple[str, ...], path: str) -> bool:
    """Whether a command names a file: a script by its path, a unit by its name."""
    return path in argv or path.rpartition("/")[2] in argv


def _was_set(node: Node, record: Record, number: int, step: WriteSysfs) -> bool:
    """Whether a step that began set its attribute. Where the run was cut before it could say so, the attribute tells."""
    return number in record.held or node.text(step.path) not in (None, step.before)


def _touched(node: Node, plan: Plan, record: Record) -> set[str]:
    """Paths of the files and attributes that a run changed, or may have."""
    found: set[str] = set()
    for number in set(record.touched) - record.taken_back:
        step = plan.steps[number - 1]
        if isinstance(step, WriteFile | RemoveFile) and number in record.backups:
            found |= {step.path, record.backups[number].real}
        elif isinstance(step, WriteSysfs) and _was_set(node, record, number, step):
            found.add(step.path)
    return found


def _stands_in_the_way(path: str, run: PastRun) -> Finding:
    return Finding(
        code="UNDO-LATER-RUN",
        severity="blocks",
        chapter="undo",
        seen=f"{path} was changed by run {run.id}, too, which came later",
        why="What the later run did rests on what this one did.",
        do=f"Take the later one back first: `compute-wizard undo {run.id}`.",
    )


def _not_known(run: Unread) -> Finding:
    return Finding(
        code="UNDO-RUN-UNREAD",
        severity="warns",
        chapter="undo",
        seen=f"{run.what} cannot be read: {run.why}",
        why="It came later, and may rest on what is taken back here. A file or attribute that it changed is not as the run "
        "left it, and is not touched unless you say so; what else it did is not known.",
        do=run.do or f"Look at {RUNS}/{run.id} first.",
    )


def _now(node: Node, path: str) -> Version | None:
    try:
        content, status, attributes = node.read(path), node.status(path), node.attributes(path)
    except NotThere:
        return None
    if status is None:
        return None
    return Version(
        content, FileState(sha256=digest(content), mode=f"{status.mode:04o}", owner=status.owner), attributes
    )


def _decoded(attributes: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in attributes.items()}


def _back(
    step: WriteFile | RemoveFile, now: Version | None, wanted: Version | None, backup: Backup
) -> WriteFile | RemoveFile:
    common: dict[str, Any] = {
        "chapters": step.chapters,
        "phase": "files",
        "why": WHY,
        "labels": step.labels,
        "id": step.id,
        "path": step.path,
        "secret": step.secret,
        "diff": unified(step.path, now.content if now else None, wanted.content if wanted else None, step.secret),
    }
    if wanted is None:
        assert now is not None  # neither there now nor wanted: left out by the caller
        return RemoveFile(before=now.state, **common)
    after = FileContent.of(wanted.content, int(wanted.state.mode, 8), wanted.state.owner)
    as_before = wanted.attributes is not None and (now is None or wanted.attributes_differ(now))
    attributes = backup.attributes if as_before else None  # None: the file's own stay
    return WriteFile(before=now.state if now else None, after=after, attributes=attributes, **common)


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


def plan_of(node: Node, run: str) -> Plan:
    """The plan that a run carried out. Raises NodeError or InputError."""
    where = f"{RUNS}/{run}/plan.json"
    return plans.from_json(node.read(where).decode("utf-8", "replace"), where)
