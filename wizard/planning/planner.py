"""One plan of what all chapters want: one write a path, each product once, in the order of the phases.

A pure function of Facts and Answers: nothing is read here but through the facts, nothing is changed at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wizard.answers import suggestion
from wizard.boot import next_command_line
from wizard.chapters.base import Chapter
from wizard.chapters.registry import chapters
from wizard.errors import Denied, FormatError, NodeError
from wizard.facts.facts import Facts
from wizard.hashing import digest
from wizard.model.answers import AllAnswers
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.findings import Finding
from wizard.model.plan import (
    PHASES,
    ControllerStep,
    Expect,
    FileContent,
    FileState,
    KernelLine,
    NodeName,
    Plan,
    RemoveFile,
    RunCommand,
    WriteFile,
    WriteSysfs,
    command,
)
from wizard.node.files import WITHOUT_SECRETS, Snapshot
from wizard.planning import guest_findings, login_notice, reboot_findings
from wizard.planning.diff import unified
from wizard.planning.preconditions import expected


@dataclass(slots=True)
class _File:
    """One path and everything that is to be done to it."""

    before: Snapshot | None
    content: bytes | None
    edits: list[tuple[str, FileEdit]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.content != (self.before.content if self.before else None)


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
    steps = _with_notice(facts, draft)
    pending = reboot_findings.findings(facts, answers, steps, draft.overlay())
    found += pending
    if any(finding.severity == "blocks" for finding in pending):
        blocked = _blocked(found)
        draft = _collect(facts, answers, blocked)
        steps = _with_notice(facts, draft)
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
            do="Answer this chapter yourself, in the wizard or in an answers file; or mend that value on the node.",
        )
        for name, refused in suggestion.left_out(facts, answers).items()
    ]


def kernel_lines(facts: Facts, overlay: Mapping[str, bytes | None], steps: Iterable[Any]) -> KernelLine:
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
        do=error.do or "Mend the file by hand, then plan again.",
    )


def _steps(draft: _Draft, left: set[str]) -> list[Any]:
    """The steps in their order. `left` are commands that an earlier run was to run and did not: they are due."""
    files = [_file_step(path, file) for path, file in sorted(draft.files.items(), key=_newness) if file.changed]
    ordered: list[tuple[int, int, int, Any]] = [
        (PHASES.index("files"), 50, number, step) for number, step in enumerate(files)
    ]
    actions = [(name, action) for name, changes in draft.changes for action in changes.actions]
    for number, (_, action) in enumerate(actions):
        if action.inputs is None or draft.changed(action.inputs) or command(action.step) in left:
            ordered.append((PHASES.index(action.step.phase), action.order, number, action.step))
    reboot = any({"reboot", "power-cycle"} & set(step.labels) for _, _, _, step in ordered)
    for number, (names, product) in enumerate(_products(draft)):
        if not (product.due or draft.changed(product.inputs) or " ".join(product.argv) in left):
            continue
        reboot = reboot or "reboot" in product.labels
        ordered.append((PHASES.index(product.phase), product.order, number, (names, product)))
    done: list[Any] = []
    for _, _, _, step in sorted(ordered, key=lambda each: each[:3]):
        if isinstance(step, tuple):
            names, product = step
            if not (product.covered_by_reboot and reboot):
                done.append(_product_step(names, product))
        else:
            done.append(step)
    return done


def _with_notice(facts: Facts, draft: _Draft) -> list[Any]:
    """The steps; where they end in a reboot, with the file that says at the next login that verify is due."""
    left = {text for run in facts.history.runs for text in run.unfinished}
    steps = _steps(draft, left)
    waiting = list(dict.fromkeys(name for step in steps if "reboot" in step.labels for name in step.chapters))
    edit = login_notice.wanted(facts)
    if not waiting or edit is None:
        return steps
    first = next(each for each in chapters() if waiting[0] == each.NAME)
    if _apply(facts, draft, first, edit) is None and draft.changed(
        [edit.path]
    ):  # else it is left as it is: nothing needs it
        draft.files[edit.path].edits += [(name, edit) for name in waiting[1:]]
    return _steps(draft, left)


def _newness(item: tuple[str, _File]) -> int:
    """New files first, then changes, then removals: nothing ever names a file that is not there."""
    _, file = item
    if file.content is None:
        return 2
    return 0 if file.before is None else 1


def _file_step(path: str, file: _File) -> WriteFile | RemoveFile:
    first = file.edits[0][1]
    secret = any(edit.secret for _, edit in file.edits)
    common: dict[str, Any] = {
        "chapters": tuple(dict.fromkeys(name for name, _ in file.edits)),
        "phase": "files",
        "why": tuple(dict.fromkeys(edit.why for _, edit in file.edits)),
        "labels": tuple(dict.fromkeys(label for _, edit in file.edits for label in edit.labels)),
        "path": path,
        "secret": secret,
        "diff": unified(path, file.before.content if file.before else None, file.content, secret),
    }
    before = _state(file.before) if file.before else None
    if file.content is None:
        assert before is not None  # a file that was never there and is not to be there is not changed
        return RemoveFile(before=before, **common)
    mode = file.before.mode if file.before else first.mode
    owner = file.before.owner if file.before else first.owner
    return WriteFile(before=before, after=FileContent.of(file.content, mode, owner), **common)


def _state(snapshot: Snapshot) -> FileState:
    return FileState(sha256=digest(snapshot.content), mode=f"{snapshot.mode:04o}", owner=snapshot.owner)


def _products(draft: _Draft) -> list[tuple[tuple[str, ...], Artifact]]:
    """Products of all chapters, those with the same key made into one."""
    merged: dict[str, tuple[list[str], list[str], Artifact]] = {}
    for name, changes in draft.changes:
        for product in changes.products:
            names, whys, one = merged.setdefault(product.key, ([], [], product))
            names.append(name)
            whys.append(product.why)
            merged[product.key] = (names, whys, _joined(one, product))
    return [
        (tuple(dict.fromkeys(names)), _with_why(product, tuple(dict.fromkeys(whys))))
        for names, whys, product in merged.values()
    ]


def _joined(one: Artifact, other: Artifact) -> Artifact:
    return replace(
        one,
        inputs=tuple(dict.fromkeys(one.inputs + other.inputs)),
        due=one.due or other.due,
        labels=tuple(dict.fromkeys(one.labels + other.labels)),
        proves=tuple(dict.fromkeys(one.proves + other.proves)),
        covered_by_reboot=one.covered_by_reboot and other.covered_by_reboot,
    )


def _with_why(product: Artifact, whys: tuple[str, ...]) -> Artifact:
    return replace(product, why="; ".join(whys))


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
    )


def _expects(facts: Facts, draft: _Draft, steps: list[Any]) -> tuple[Expect, ...]:
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
