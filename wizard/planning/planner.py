"""One plan of what all chapters want: one write a path, each product once, in the order of the phases.

A pure function of Facts and Answers: nothing is read here but through the facts, nothing is changed at all.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace

from wizard.answers import suggestion
from wizard.boot import next_command_line
from wizard.chapters.base import Chapter
from wizard.chapters.registry import chapters
from wizard.dataclass import dataclass
from wizard.errors import Denied, FormatError, NodeError
from wizard.facts.facts import Facts
from wizard.hashing import digest
from wizard.model.answers import AllAnswers
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.expectations import Expect
from wizard.model.findings import Finding
from wizard.model.plan import ControllerStep, KernelLine, NodeName, Plan
from wizard.model.steps import PHASES, FileContent, FileState, RemoveFile, RunCommand, Step, WriteFile, WriteSysfs
from wizard.node.files import WITHOUT_SECRETS, Snapshot
from wizard.planning import guest_findings, login_notice, reboot_findings
from wizard.planning.diff import unified
from wizard.planning.preconditions import expected

_MOST_FILES = 1_000_000  # of one plan: numbers of a kind stay below those of the next kind


@dataclass(slots=True)
class _File:
    """One path and everything that is to be done to it."""

    before: Snapshot | None
    content: bytes | None
    edits: list[tuple[str, FileEdit]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.content != (self.before.content if self.before else None)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A step with what decides its turn: the phase, the order in it, and of what has the same order the number."""

    phase: int  # its place in PHASES
    order: int
    number: int
    step: Step

    @property
    def turn(self) -> tuple[int, int, int]:
        return self.phase, self.order, self.number


@dataclass(slots=True)
class _Draft:
    """A plan while it is being made."""

    files: dict[str, _File] = field(default_factory=dict)
    changes: list[tuple[str, Changes]] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)

    def changed(self, paths: Iterable[str]) -> bool:
        return any(path in self.files and self.files[path].changed for path in paths)

    def overlay(self) -> dict[str, bytes | None]:
        return {path: file.content for path, file in self.files.items()}


def make_plan(facts: Facts, answers: AllAnswers) -> Plan:
    """The plan. Chapters that a finding blocks, and those that need them, are left out and named in `blocked`."""
    found = [finding for chapter in chapters() for finding in chapter.findings(facts, answers)]
    found += _not_suggested(facts, answers)
    blocked = _blocked(found)
    draft = _collect(facts, answers, blocked)
    while draft.problems:  # a file that cannot be edited blocks its chapters: the others are planned without them
        found += draft.problems
        blocked = _blocked(found)
        draft = _collect(facts, answers, blocked)
    steps = _steps(facts, draft)
    pending = reboot_findings.findings(facts, answers, steps, draft.overlay())
    found += pending
    if any(finding.severity == "blocks" for finding in pending):
        blocked = _blocked(found)
        draft = _collect(facts, answers, blocked)
        steps = _steps(facts, draft)
    answered = answers.to_data()
    found += guest_findings.findings(facts, steps)
    return Plan(
        node=NodeName(hostname=facts.system.hostname, os=facts.system.label, nova=facts.nova.release),
        answers={each.NAME: answered[each.NAME] for each in chapters() if each.NAME in answered},  # however they came
        expects=_expects(facts, draft, steps),
        steps=tuple(steps),
        kernel_command_line=kernel_lines(facts, draft.overlay(), steps),
        controller=_controller(draft),
        findings=tuple(found),
        blocked=tuple(name for name in blocked if answers.get(name) is not None),
    )


def _not_suggested(facts: Facts, answers: AllAnswers) -> list[Finding]:
    """Chapters that are left alone for no reason of theirs: else a plan without them would look whole."""
    return [
        Finding(
            code="NODE-VALUE-REFUSED",
            severity="warns",
            chapter=name,
            seen=refused.what,
            why="What this node has now cannot be said as an answer, so nothing is suggested here, and nothing of it is changed.",
            do="Answer this chapter yourself, in the wizard or in an answers file; or fix that value on the node.",
        )
        for name, refused in suggestion.left_out(facts, answers).items()
    ]


def kernel_lines(facts: Facts, overlay: Mapping[str, bytes | None], steps: Iterable[Step]) -> KernelLine:
    """The kernel's command line now, and after the reboot with these files in place and these steps done."""
    after = next_command_line.next_boot(facts, overlay, [step.argv for step in steps if isinstance(step, RunCommand)])
    return KernelLine(now=facts.iommu.command_line or None, after_reboot=next_command_line.whole(facts, after))


def _blocked(findings: Iterable[Finding]) -> list[str]:
    names = {finding.chapter for finding in findings if finding.severity == "blocks"}
    result: list[str] = []
    for chapter in chapters():  # the order of the chapters: what is needed comes first
        if chapter.NAME in names or any(need in result for need in chapter.NEEDS):
            result.append(chapter.NAME)
    return result


def _collect(facts: Facts, answers: AllAnswers, blocked: list[str]) -> _Draft:
    draft = _Draft()
    for chapter in chapters():
        if answers.get(chapter.NAME) is None or chapter.NAME in blocked:
            continue
        try:
            changes = chapter.changes(facts, answers)
        except FormatError as error:
            draft.problems.append(_not_editable(chapter, error))
            continue
        draft.changes.append((chapter.NAME, changes))
        for edit in changes.edits:
            problem = _apply(facts, draft, chapter, edit)
            if problem is not None:
                draft.problems.append(problem)
    return draft


def _apply(facts: Facts, draft: _Draft, chapter: Chapter, edit: FileEdit) -> Finding | None:
    """Put an edit on top of those before it; a finding where the file cannot be read or edited."""
    if edit.path not in draft.files:
        try:
            before = facts.files.get(edit.path)
        except NodeError as error:
            return _hidden(chapter, edit.path, error)
        draft.files[edit.path] = _File(before, before.content if before else None)
    file = draft.files[edit.path]
    try:
        content = edit.change(file.content)
    except FormatError as error:
        return _not_editable(chapter, error.at(edit.path))
    if content != file.content and file.before is not None and file.before.masked:
        return _hidden(chapter, edit.path, Denied(WITHOUT_SECRETS, where=edit.path))
    if content != file.content:
        file.content = content
        file.edits.append((chapter.NAME, edit))
    return None


def _hidden(chapter: Chapter, path: str, error: NodeError) -> Finding:
    return Finding(
        code="FILE-HIDDEN",
        severity="blocks",
        chapter=chapter.NAME,
        seen=f"{path} {error.what}",
        why="What is not known cannot be changed without losing something.",
        do="Run as root, or give a recording that was made as root."
        if isinstance(error, Denied)
        else "Look what stands there, and put it right or name another file in the answers.",
    )


def _not_editable(chapter: Chapter, error: FormatError) -> Finding:
    return Finding(
        code="FILE-NOT-EDITABLE",
        severity="blocks",
        chapter=chapter.NAME,
        seen=f"{error.where}: {error.what}" if error.where else error.what,
        why="Its own reader would refuse the file, or the change would do something else than is meant.",
        do=error.do or "Fix the file by hand, then plan again.",
    )


def _steps(facts: Facts, draft: _Draft) -> list[Step]:
    """The steps in their order; where they end in a reboot, with the file that says at the next login that verify is due."""
    runs = facts.history.runs

    def left(step: Step) -> bool:
        """Whether it is a command that an earlier run was to run and did not: then it is due."""
        return any(run.left(step) for run in runs)

    scheduled = [*_files(draft), *_actions(draft, left)]
    scheduled = sorted([*scheduled, *_made(draft, left, scheduled)], key=lambda each: each.turn)
    notice = _notice(facts, draft, [each.step for each in scheduled])
    if notice is not None:
        bisect.insort(scheduled, notice, key=lambda each: each.turn)
    return [each.step for each in scheduled]


def _files(draft: _Draft) -> list[Scheduled]:
    changed = [(path, file) for path, file in sorted(draft.files.items(), key=_newness) if file.changed]
    return [_scheduled_file(draft, path, file) for path, file in changed]


def _scheduled_file(draft: _Draft, path: str, file: _File) -> Scheduled:
    """New files first, then changes, then removals: nothing ever names a file that is not there."""
    number = _newness((path, file)) * _MOST_FILES + list(draft.files).index(path)
    return Scheduled(PHASES.index("files"), 50, number, _file_step(path, file))


def _actions(draft: _Draft, left: Callable[[Step], bool]) -> list[Scheduled]:
    actions = [action for _, changes in draft.changes for action in changes.actions]
    return [
        Scheduled(PHASES.index(action.step.phase), action.order, number, action.step)
        for number, action in enumerate(actions)
        if action.inputs is None or draft.changed(action.inputs) or left(action.step)
    ]


def _made(draft: _Draft, left: Callable[[Step], bool], others: Iterable[Scheduled]) -> list[Scheduled]:
    """The products that have to be made; not those that a reboot makes anyway, where one of these steps or products needs it."""
    due = [
        (number, product, step)
        for number, (product, step) in enumerate(_products(draft))
        if product.due or draft.changed(product.inputs) or left(step)
    ]
    reboot = any({"reboot", "power-cycle"} & set(each.step.labels) for each in others)
    reboot = reboot or any("reboot" in product.labels for _, product, _ in due)
    return [
        Scheduled(PHASES.index(product.phase), product.order, number, step)
        for number, product, step in due
        if not (product.covered_by_reboot and reboot)
    ]


def _notice(facts: Facts, draft: _Draft, steps: Iterable[Step]) -> Scheduled | None:
    """The file that says at login what waits for the reboot; None where nothing does, or it is there."""
    waiting = list(dict.fromkeys(name for step in steps if "reboot" in step.labels for name in step.chapters))
    edit = login_notice.wanted(facts)
    if not waiting or edit is None:
        return None
    first = next(each for each in chapters() if waiting[0] == each.NAME)
    if _apply(facts, draft, first, edit) is not None or not draft.changed([edit.path]):
        return None  # left as it is: nothing needs it
    file = draft.files[edit.path]
    file.edits += [(name, edit) for name in waiting[1:]]
    return _scheduled_file(draft, edit.path, file)


def _newness(item: tuple[str, _File]) -> int:
    _, file = item
    if file.content is None:
        return 2
    return 0 if file.before is None else 1


def _file_step(path: str, file: _File) -> WriteFile | RemoveFile:
    first = file.edits[0][1]
    secret = any(edit.secret for _, edit in file.edits)
    names = tuple(dict.fromkeys(name for name, _ in file.edits))
    why = tuple(dict.fromkeys(edit.why for _, edit in file.edits))
    labels = tuple(dict.fromkeys(label for _, edit in file.edits for label in edit.labels))
    diff = unified(path, file.before.content if file.before else None, file.content, secret)
    before = _state(file.before) if file.before else None
    if file.content is None:
        assert before is not None  # a file that was never there and is not to be there is not changed
        return RemoveFile(
            chapters=names,
            phase="files",
            why=why,
            labels=labels,
            id=f"file:{path}",
            path=path,
            before=before,
            diff=diff,
            secret=secret,
        )
    mode = file.before.mode if file.before else first.mode
    owner = file.before.owner if file.before else first.owner
    return WriteFile(
        chapters=names,
        phase="files",
        why=why,
        labels=labels,
        id=f"file:{path}",
        path=path,
        before=before,
        after=FileContent.of(file.content, mode, owner),
        diff=diff,
        secret=secret,
    )


def _state(snapshot: Snapshot) -> FileState:
    return FileState(sha256=digest(snapshot.content), mode=f"{snapshot.mode:04o}", owner=snapshot.owner)


def _products(draft: _Draft) -> list[tuple[Artifact, RunCommand]]:
    """Products of all chapters, those with the same key made into one, each with the step that makes it."""
    asked: dict[str, list[tuple[str, Artifact]]] = {}
    for name, changes in draft.changes:
        for product in changes.products:
            asked.setdefault(product.key, []).append((name, product))
    found = []
    for several in asked.values():
        names = tuple(dict.fromkeys(name for name, _ in several))
        whys = dict.fromkeys(product.why for _, product in several)
        product = replace(functools.reduce(_joined, (product for _, product in several)), why="; ".join(whys))
        found.append((product, _product_step(names, product)))
    return found


def _joined(one: Artifact, other: Artifact) -> Artifact:
    return replace(
        one,
        inputs=tuple(dict.fromkeys(one.inputs + other.inputs)),
        due=one.due or other.due,
        labels=tuple(dict.fromkeys(one.labels + other.labels)),
        proves=tuple(dict.fromkeys(one.proves + other.proves)),
        covered_by_reboot=one.covered_by_reboot and other.covered_by_reboot,
    )


def _product_step(names: tuple[str, ...], product: Artifact) -> RunCommand:
    return RunCommand(
        chapters=names,
        phase=product.phase,
        argv=product.argv,
        why=(product.why,),
        labels=product.labels,
        undo=product.undo,
        undo_when=product.undo_when if product.undo else None,
        deadline_s=900,
        proves=product.proves,
        id=f"made:{product.key}",
    )


def _expects(facts: Facts, draft: _Draft, steps: list[Step]) -> tuple[Expect, ...]:
    """Everything that the plan starts from and that must not change before it runs."""
    paths = [*draft.files]
    for _, changes in draft.changes:
        paths += [*changes.reads, *(path for action in changes.actions for path in action.reads)]
    attributes = {step.path: step.before for step in reversed(steps) if isinstance(step, WriteSysfs)}
    attributes |= {path: value for _, changes in draft.changes for path, value in changes.attributes}
    return expected(facts, paths, steps, attributes)


def _controller(draft: _Draft) -> tuple[ControllerStep, ...]:
    steps = [step for _, changes in draft.changes for step in changes.controller]
    return tuple(step.model_copy(update={"order": number}) for number, step in enumerate(steps, 1))
