"""One step after the other: what each kind does, what is kept of what was there, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from wizard.apply import file_state, rescue_script, vf_holders
from wizard.apply.backends import Announce, Backend
from wizard.apply.file_writer import Found, Tree
from wizard.boot import postconditions
from wizard.boot.postconditions import shortcomings
from wizard.errors import NodeError, Refused
from wizard.facts import facts
from wizard.model.steps import (
    FileState,
    Postcondition,
    RemoveFile,
    RunCommand,
    Step,
    StopByPidfile,
    WriteFile,
    WriteSysfs,
)
from wizard.model.undo_order import Kind, Undo
from wizard.runs.journal import Journal
from wizard.runs.records import Backup, Left, undamaged
from wizard.user_files import write_private


class EndedBadly(NodeError):
    """A command ended with an exit status that is not 0."""


class StepExecutor:
    """Carries steps out below a root, and writes down what it does."""

    def __init__(self, tree: Tree, outside: Backend, directory: Path, journal: Journal) -> None:
        self.tree, self.outside, self.directory, self.journal = tree, outside, directory, journal
        self.backups: dict[int, Backup] = {}
        self.directories: list[str] = []
        self.left: dict[int, list[Left]] = {}
        self.expected: dict[str, str | None] = {}
        """What the plan expects of the extended attributes of a file, as their sha256; None where that was not known."""
        self.started: list[int] = []
        self.skipped: set[int] = set()
        self.failed: set[int] = set()
        """Steps whose command ended with a failure."""
        self.goals: dict[str, str] = {}
        """What each attribute is to be in the end. One that is so already is not taken through 0: its VFs may be a guest's."""

    def carry(self, number: int, step: Step) -> None:
        """Do a step; a step that is as it should be already is just held. Raises NodeError where it fails."""
        if isinstance(step, WriteFile):
            self._write(number, step)
        elif isinstance(step, RemoveFile):
            self._remove(number, step)
        elif self.outside.why_not:
            self.skipped.add(number)
            self.journal.write("skipped", n=number, why=self.outside.why_not)
            return
        elif isinstance(step, WriteSysfs):
            if self.tree.node.text(step.path) != self.goals.get(step.path):
                self._attribute(number, step.path, step.after, step.deadline_s)
        elif isinstance(step, StopByPidfile):
            said = self.outside.stop(step.pidfile, step.must_contain, step.deadline_s)
            self.journal.output(number, said)
        else:
            vf_holders.refuse_command(self.tree.node, step, step.argv)
            self._carry_command(number, step)
        self.journal.write("held", n=number)

    def _run(self, number: int, argv: tuple[str, ...], deadline_s: int) -> None:
        status = self.outside.run(
            argv, deadline_s, lambda line: self.journal.output(number, line), self._announce(number)
        )
        if status:
            raise EndedBadly(f"{argv[0]} ended with exit status {status}")

    def _carry_command(self, number: int, step: RunCommand) -> None:
        try:
            self._run(number, step.argv, step.deadline_s)
        except NodeError as error:
            self.failed.add(number)
            if not (step.failed_before and self._as_before(number, step.argv[0], step.proves, error)):
                raise
            return
        self._flush(step)
        self._prove(number, step.argv[0], step.proves)

    def _as_before(self, number: int, command: str, proofs: Iterable[Postcondition], error: NodeError) -> bool:
        """Whether a rebuild that fails leaves all as it was before the run: it failed in the run, too, and what it makes holds
        nothing of the run."""
        wrong, unknown = shortcomings(self.outside.node, proofs)
        if wrong or unknown:  # an image that cannot be read may be half of one: the copy that was kept stays
            return False
        self.journal.write(
            "note",
            n=number,
            text=f"{error}, as it did in the run itself: the files are back as they were, and {command} made nothing of it",
        )
        return True

    def _flush(self, step: RunCommand) -> None:
        """A power cut seconds after update-grub returned left the old boot menu beside the new settings: so wait for the disk."""
        if step.phase == "boot":
            self.outside.flush(backup.real for backup in self.backups.values())

    def _prove(self, number: int, command: str, proofs: Iterable[Postcondition]) -> None:
        """Look whether the command made what it was to make."""
        wrong, unknown = shortcomings(self.outside.node, proofs)
        for sentence in unknown:
            self.journal.write("note", n=number, text=sentence)
        if wrong:
            raise NodeError(f"{command} ended well, but {'; '.join(wrong)}")

    def _attribute(self, number: int, path: str, value: str, deadline_s: int, taking_back: bool = False) -> None:
        if self.tree.node.text(path) != value:
            vf_holders.refuse(self.tree.node, path, guests_only=taking_back)
            self.outside.write_attribute(path, value, deadline_s, self._announce(number))

    def _announce(self, number: int) -> Announce:
        """The process itself says who it is before it does anything, so that none is ever unknown, even if we are killed."""
        return lambda pid: self.journal.write("process", n=number, pid=pid)

    def _write(self, number: int, step: WriteFile) -> None:
        content = step.after.data()
        found = self.tree.find(step.path)
        if found is not None and found.state == _state(step):
            self._keep(number, step, found)
            return
        self._as_planned(step, found)
        self._keep(number, step, found)
        for path in self.tree.missing_directories(step.path):
            self.journal.write("directory", n=number, path=path)
            self.directories.append(path)
            self.tree.make_directory(path)
        attributes = found.attributes if found is not None else None
        if step.attributes is not None:
            attributes = file_state.decoded(step.attributes)
        mode, owner, told = int(step.after.mode, 8), step.after.owner, self._leaves(number)
        notes = self.tree.write(step.path, content, mode, owner, attributes, found, told)
        for note in notes:
            self.journal.write("note", n=number, text=note)

    def _remove(self, number: int, step: RemoveFile) -> None:
        found = self.tree.find(step.path)
        if found is None:
            return
        self._as_planned(step, found)
        self._keep(number, step, found)
        self.tree.remove(step.path, found)

    def _leaves(self, number: int) -> Callable[[Found], None]:
        """Writes down what a file is about to be: so somebody's later change is known as such."""

        def told(found: Found) -> None:
            left = Left(**found.state.model_dump(), attributes=file_state.encoded(found.attributes))
            self.journal.write("written", n=number, **asdict(left))
            self.left.setdefault(number, []).append(left)

        return told

    def _as_planned(self, step: WriteFile | RemoveFile, found: Found | None) -> None:
        """A file that changed while the run was under way is not overwritten: its mode, owner and attributes count as much."""
        expected = file_state.expected(step.before, self.expected.get(step.path))
        if expected is None and found is None:
            return
        what = "it" if expected is None or found is None else " and ".join(expected.differences(found))
        if what:
            why = "was changed by somebody else while this run was under way"
            raise Refused(f"{step.path} {why}" + (f": {what}" if what != "it" else ""), code="CHANGED-MEANWHILE")

    def _keep(self, number: int, step: WriteFile | RemoveFile, found: Found | None) -> None:
        """Put what is there into the backup, before it is touched; once for each step."""
        if number in self.backups:
            return
        path = step.path
        name = f"{number:04}" if found is not None else None
        place = self.directory / "backup"
        place.mkdir(mode=0o700, exist_ok=True)
        if found is not None:
            write_private(place / f"{number:04}", found.content)
        before = found.state.model_dump() if found is not None else None
        attributes = file_state.encoded(found.attributes) if found is not None else {}
        real = found.real if found is not None else self.tree.resolve(path)
        made = self.tree.missing_directories(path)
        leaves = (step.after.mode, self.tree.ids(step.after.owner)) if isinstance(step, WriteFile) else ()
        state = rescue_script.state(found, real, made, *leaves)
        write_private(place / f"{number:04}.state", state)  # last: with it undo.sh acts
        self.journal.write("backup", n=number, path=path, real=real, file=name, before=before, attributes=attributes)
        self.backups[number] = Backup(path, real, name, before, attributes)

    # taking back

    def can_undo(self, undo: Undo) -> bool:
        """Whether this is undone here: without commands only files are."""
        return undo.kind == "file" or not self.outside.why_not

    def undo(self, undo: Undo, steps: Sequence[Step]) -> None:
        """Do one thing that undoes steps of a plan. Raises NodeError where that fails."""
        number, step = undo.numbers[0], undo.step
        if isinstance(step, RunCommand) and step.undo is not None:
            vf_holders.refuse_command(self.tree.node, step, step.undo)
            same = [steps[n - 1] for n in undo.numbers]
            if self._undo_command(undo, step, step.undo, same):
                for each in same:
                    self._flush_and_prove(number, each, undo.kind)
        elif isinstance(step, StopByPidfile):
            self.outside.stop(step.pidfile, step.must_contain, step.deadline_s)
        elif isinstance(step, WriteSysfs):
            self._attribute(number, step.path, step.before, step.deadline_s, taking_back=True)
        elif isinstance(step, WriteFile | RemoveFile) and number in self.backups:
            self._restore(number, step, self.backups[number])

    def _undo_command(self, undo: Undo, step: RunCommand, argv: tuple[str, ...], steps: Sequence[Step]) -> bool:
        """Run the command that undoes these steps; False where it failed as it did in the run, which left nothing."""
        number = undo.numbers[0]
        try:
            self._run(number, argv, step.deadline_s)
        except NodeError as error:
            again = undo.kind == "after" and argv == step.argv and self.failed >= {*undo.numbers}
            if not (again and self._as_before(number, argv[0], self._proofs(steps), error)):
                raise
            return False
        return True

    def _proofs(self, steps: Iterable[Step]) -> tuple[Postcondition, ...]:
        """What has to be so with the files as they are now."""
        proved = [step for step in steps if isinstance(step, RunCommand) and step.proves]
        seen = facts.read(self.outside.node) if proved else None
        return tuple(proof for step in proved if seen is not None for proof in postconditions.proofs(seen, step, {}))

    def _flush_and_prove(self, number: int, step: Step, kind: Kind) -> None:
        if isinstance(step, RunCommand) and step.undo is not None:
            self._flush(step)
            if step.proves and kind == "after":  # the files are back: it has to be made of them
                self._prove(number, step.undo[0], postconditions.proofs(facts.read(self.outside.node), step, {}))

    def _restore(self, number: int, step: WriteFile | RemoveFile, backup: Backup) -> None:
        """The file as it was; one that somebody else changed after this run wrote it stays as it is: Refused."""
        found = self.tree.find(backup.path)
        if found is not None and (what := self._changed(number, step, backup, found)):
            why = "was changed by somebody else after this run wrote it: it stays as it is now"
            raise Refused(f"{backup.path} {why} ({what})", code="CHANGED-MEANWHILE")
        if backup.before is None or backup.file is None:
            if found is not None:
                self.tree.remove(backup.path, found)
            return
        attributes = file_state.decoded(backup.attributes)
        if found is None or found.state.model_dump() != backup.before or found.attributes != attributes:
            mode, owner = int(backup.before["mode"], 8), backup.before["owner"]
            self.tree.write(backup.path, self._kept(backup), mode, owner, attributes, found, self._leaves(number))

    def _changed(self, number: int, step: WriteFile | RemoveFile, backup: Backup, found: Found) -> str:
        """What of a file is neither as this run found it nor as it left it, in words; empty where all is."""
        known = [file_state.as_left(left) for left in self.left.get(number, [])]
        if not known and isinstance(step, WriteFile):
            known.append(file_state.as_planned(step.after, backup))
        before = file_state.as_found(backup)
        seen = [each.differences(found) for each in (*known, *([before] if before else []))]
        if not all(seen):
            return ""
        return " and ".join(min(seen, key=lambda each: each == ["its content"])) if seen else "it was made anew"

    def _kept(self, backup: Backup) -> bytes:
        """The bytes of a backup, as they were when it was made. Raises NodeError."""
        place = self.directory / "backup" / str(backup.file)
        content: bytes | None = None
        with suppress(FileNotFoundError):
            content = place.read_bytes()
        return undamaged(content, backup, str(place))


def _state(step: WriteFile) -> FileState:
    return FileState(sha256=step.after.sha256, mode=step.after.mode, owner=step.after.owner)
