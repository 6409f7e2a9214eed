"""What this tool did to the node before: its runs, and which lines of which files are its own.

Read from the node's own state directory; a node that was never touched has an empty history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from wizard.dataclass import dataclass
from wizard.errors import Denied, InputError, NodeError, WizardError
from wizard.model import plan as plans
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, Step, WriteFile, command, found_by
from wizard.node.node import Node, Unseen
from wizard.node.paths import BOOT_ID
from wizard.runs import records as run_records
from wizard.runs.records import RUNS, STATE, Record
from wizard.runs.run_state import RunState

__all__ = ["RUNS", "STATE", "History", "OwnFile", "PastRun", "RunState", "Unread", "read"]

RESCUE = "undo.sh"  # in the place of a run: it was taken back without this tool


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run. `undoes` is the run that it took back, or ""; `undone_by` the one that took it back, or "".

    `interrupted`: its journal has no end and no process goes on with it; or it was taken back, and taking back its undo was cut.
    """

    id: str
    at: str  # ISO 8601, UTC
    state: RunState
    chapters: tuple[str, ...]
    answers: dict[str, Any]
    boot_id: str
    undoes: str
    undone_by: str
    steps: int
    steps_done: int
    needs_reboot: bool
    confirm_until: str
    """ISO 8601, UTC: when a run that waits for its confirmation is taken back; "" where it does not, or did not last."""
    reboot_chapters: tuple[str, ...]
    """Chapters with a step that was done and has its effect at the reboot."""
    ran: tuple[str, ...]
    """Commands that the run had run when it was last under way, in that boot, and that were not taken back since."""
    unfinished: tuple[str, ...]
    """Commands that the run was to run and did not, since it was cut short or was for files only, and that neither a later
    run nor a boot made good: the words joined by blanks, or `stop PIDFILE`."""
    ran_ids: tuple[str, ...] = ()
    unfinished_ids: tuple[str, ...] = ()
    """The same commands by the ids of their steps; of a plan without ids, by their words."""

    def has_run(self, step: Step) -> bool:
        """Whether the run had run this step of another plan, as in `ran`."""
        return not {step.id, command(step)}.isdisjoint(self.ran_ids)

    def left(self, step: Step) -> bool:
        """Whether this step of another plan is one that the run was to run and did not, as in `unfinished`."""
        return not {step.id, command(step)}.isdisjoint(self.unfinished_ids)


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What is ours in one file, over all runs that were not taken back: lines we added (without their end), and whether the
    whole file is ours because a run created it."""

    path: str
    created: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A run that is there and cannot be read, and why; `id` is "" where not even the names of the runs may be seen."""

    id: str
    why: str
    do: str = ""

    @property
    def what(self) -> str:
        return f"run {self.id}" if self.id else "the past runs of this tool"


@dataclass(frozen=True, slots=True)
class History:
    runs: tuple[PastRun, ...]  # oldest first
    own: tuple[OwnFile, ...]
    unseen: tuple[Unseen, ...]  # those of `unread`, and what a run changed where its backup cannot be read
    unread: tuple[Unread, ...] = ()  # oldest first

    def file(self, path: str) -> OwnFile:
        return next((own for own in self.own if own.path == path), OwnFile(path, False, ()))

    def rebooted_since(self, chapter: str, boot_id: str) -> bool | None:
        """Whether the node was rebooted since the last run that made the chapter wait for a reboot; None where none did."""
        waiting = [run for run in self.runs if chapter in run.reboot_chapters]
        return waiting[-1].boot_id != boot_id if waiting and boot_id else None

    @property
    def standing(self) -> tuple[PastRun, ...]:
        """The runs that stand, oldest first: neither taken back nor themselves an undo."""
        return tuple(run for run in self.runs if not run.undoes and run.state.stands)

    @property
    def last(self) -> PastRun | None:
        """The newest run that stands."""
        return self.standing[-1] if self.standing else None

    def waiting(self, boot_id: str) -> list[PastRun]:
        """The runs that stand and have their effect at a reboot that has not come yet."""
        return [run for run in self.standing if run.reboot_chapters and boot_id and run.boot_id == boot_id]

    def unread_after(self, run: str) -> tuple[Unread, ...]:
        """Runs that cannot be read and came after this one; "" is before all."""
        return tuple(each for each in self.unread if not each.id or run_records.age(each.id) > run_records.age(run))

    def unread_named(self, word: str) -> Unread | None:
        """The run that a user meant who wrote `word`, if that is one that cannot be read."""
        return next((each for each in self.unread if not each.id or run_records.is_meant(each.id, word)), None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A run with what it was read from."""

    past: PastRun
    plan: Plan
    record: Record


def read(node: Node, asking: str = "") -> History:
    """The history of a node. Changes nothing, creates nothing; what cannot be read is in `unseen`.

    `asking` is a run that asks under its own lock: what it was when it took the lock, and not that it is under way."""
    unread: list[Unread] = []
    seen = _undone(_finished(list(_runs(node, unread, asking)), node.text(BOOT_ID) or ""))
    unseen = [
        Unseen(f"run {each.id} of this tool" if each.id else "past runs of this tool", each.why) for each in unread
    ]
    own = own_directory(node, seen, unseen)
    return History(tuple(each.past for each in seen), own, tuple(unseen), tuple(unread))


def _runs(node: Node, unread: list[Unread], asking: str) -> Iterable[_Seen]:
    try:
        names = run_records.run_ids(node)
    except NodeError as error:
        unread.append(_unread("", error))
        return
    under_way = run_records.holder(node) if names else None
    for name in names:
        try:
            record = run_records.read_record(node, name, damaged=True)
            if record is not None:
                where = f"{RUNS}/{name}/plan.json"
                plan = plans.from_json(node.read(where).decode("utf-8", "replace"), where)
                yield _Seen(_past(name, plan, record, name == under_way != asking), plan, record)
        except (NodeError, InputError) as error:
            unread.append(_unread(name, error))


def _unread(name: str, error: WizardError) -> Unread:
    where = f"{error.where.removeprefix(f'{RUNS}/{name}/')} " if name and error.where else ""
    do = "Read it as root." if isinstance(error, Denied) else error.do if isinstance(error, NodeError) else ""
    return Unread(name, f"{where}{error.what}", do)


def _past(name: str, plan: Plan, record: Record, under_way: bool) -> PastRun:
    begun = record.begun or {}
    return PastRun(
        id=name,
        at=str(begun.get("at", "")),
        state=_state(record, under_way),
        chapters=tuple(dict.fromkeys(chapter for step in plan.steps for chapter in step.chapters)),
        answers=plan.answers,
        boot_id=str((record.begun_last or begun).get("boot_id", "")),
        undoes=plan.undoes or "",
        undone_by=RESCUE if record.rescued else "",
        steps=len(plan.steps),
        steps_done=len(record.held.keys() - record.taken_back - record.skipped),
        needs_reboot=plan.needs_reboot,
        confirm_until=str(record.waiting.get("until", "")) if record.waiting else "",
        reboot_chapters=_reboot_chapters(plan, record),
        ran=tuple(command(step) for step in _ran(plan, record)),
        unfinished=(),
        ran_ids=tuple(found_by(step) for step in _ran(plan, record)),
    )


def _stands(record: Record, number: int) -> bool:
    return number in record.held and number not in record.taken_back


def _reboot_chapters(plan: Plan, record: Record) -> tuple[str, ...]:
    done = [step for number, step in enumerate(plan.steps, 1) if _stands(record, number) and "reboot" in step.labels]
    return tuple(dict.fromkeys(chapter for step in done for chapter in step.chapters))


def _ran(plan: Plan, record: Record) -> list[Step]:
    numbers = {n for n in record.held if record.boots.get(n) == record.last_boot} | record.stood
    return [plan.steps[n - 1] for n in sorted(numbers - record.taken_back)]


def _state(record: Record, under_way: bool) -> RunState:
    if under_way:
        return RunState.WAITING if record.waiting else RunState.RUNNING
    if record.rescued:
        return RunState.UNDONE
    ends = {
        "done": RunState.DONE,
        "undone": RunState.DONE,  # the undo itself is done; the run that it names is the one that is undone
        "failed": RunState.FAILED,
        "stopped": RunState.STOPPED,
        "rolled_back": RunState.ROLLED_BACK,
    }
    return ends.get(record.result, RunState.INTERRUPTED)


def _finished(seen: list[_Seen], boot_id: str) -> list[_Seen]:
    """With the commands that are left to be run. A command that a later run ran is left by none."""
    left: list[_Seen] = []
    later: list[Step] = []  # what later runs ran
    for each in reversed(seen):
        commands = {n: step for n, step in enumerate(each.plan.steps, 1) if command(step)}
        cut = (each.past.state.resumable or each.past.state is RunState.DONE) and not each.past.undoes
        same = each.past.boot_id == boot_id  # a boot starts every service anew, and reads what is on the disk
        ran_later = _Names(later)
        open_ = [
            step
            for number, step in commands.items()
            if cut and number not in each.record.held and (same or step.phase == "boot") and not ran_later.hold(step)
        ]
        past = replace(
            each.past,
            unfinished=tuple(dict.fromkeys(command(step) for step in open_)),
            unfinished_ids=tuple(dict.fromkeys(found_by(step) for step in open_)),
        )
        left.append(replace(each, past=past))
        later += [step for number, step in commands.items() if number in each.record.held]
    return left[::-1]


class _Names:
    """Commands by what they are found by: their ids; and by their words where one of the two has none, being of an older version."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._ids = {step.id for step in steps if step.id}
        self._words = {command(step): bool(step.id) for step in steps}
        self._words |= {command(step): False for step in steps if not step.id}

    def hold(self, step: Step) -> bool:
        words = command(step)
        return step.id in self._ids or (words in self._words and not (step.id and self._words[words]))


def _undone(seen: list[_Seen]) -> list[_Seen]:
    by: dict[str, str] = {}
    decided: dict[str, str] = {}  # the newest undo of each run
    for each in reversed(seen):  # an undo that was itself taken back has undone nothing
        if not each.past.undoes or each.past.state is not RunState.DONE:
            continue
        newest = decided.setdefault(each.past.undoes, each.past.id)
        if newest != each.past.id:  # taking it back was cut, and a newer undo made up for that
            by.setdefault(each.past.id, newest)
        elif each.past.id not in by:
            by[each.past.undoes] = each.past.id
    again = _begun_again(seen, by)
    return [replace(each, past=_told(each.past, by, again)) for each in seen]


def _told(past: PastRun, by: dict[str, str], again: set[str]) -> PastRun:
    if past.id in again:
        return replace(past, state=RunState.INTERRUPTED, unfinished=(), unfinished_ids=())
    if past.id not in by:
        return replace(past, state=RunState.UNDONE) if past.undoes in again and past.state is RunState.DONE else past
    return replace(past, state=RunState.UNDONE, undone_by=by[past.id], unfinished=(), unfinished_ids=())


def _begun_again(seen: list[_Seen], by: dict[str, str]) -> set[str]:
    """Runs that were taken back, and of which something is there again: an undo of their undo began, and was cut."""
    first: dict[str, str] = {}  # the run that all these undos are about
    again: set[str] = set()
    for each in seen:
        past = each.past
        first[past.id] = first.get(past.undoes, past.undoes) if past.undoes else past.id
        if past.undoes and past.state is RunState.DONE:
            again.discard(first[past.id])
        elif past.undoes and past.state.resumable and past.undoes != first[past.id]:
            again |= {first[past.id]} if set(each.record.touched) - each.record.taken_back else set()
    return again & by.keys()


@dataclass(slots=True)
class _Own:
    created: bool
    lines: list[str]


def own_directory(node: Node, seen: list[_Seen], unseen: list[Unseen]) -> tuple[OwnFile, ...]:
    """What the standing runs put into each file, one after the other."""
    own: dict[str, _Own] = {}
    for each in seen:
        if each.past.state in (RunState.UNDONE, RunState.ROLLED_BACK) or each.past.undoes:
            continue
        for number, step in enumerate(each.plan.steps, 1):
            if not isinstance(step, WriteFile | RemoveFile):
                continue
            if number not in each.record.backups or number in each.record.taken_back:
                continue
            try:
                if isinstance(step, RemoveFile):
                    own.pop(step.path, None)
                else:
                    before = run_records.read_backup(node, each.past.id, each.record.backups[number])
                    _put(own, step.path, before, step.after.data())
            except (NodeError, InputError) as error:
                unseen.append(Unseen(f"what run {each.past.id} changed in {step.path}", error.what))
    return tuple(OwnFile(path, kept.created, tuple(kept.lines)) for path, kept in sorted(own.items()))


def _put(own: dict[str, _Own], path: str, before: bytes | None, after: bytes) -> None:
    old, new = Counter(_lines(before or b"")), Counter(_lines(after))
    kept = own.setdefault(path, _Own(False, []))
    kept.created = kept.created or before is None
    gone = old - new
    lines = []
    for line in kept.lines:
        if gone[line]:
            gone[line] -= 1
        else:
            lines.append(line)
    added = new - old
    for line in _lines(after):
        if added[line]:
            added[line] -= 1
            lines.append(line)
    kept.lines = lines


def _lines(content: bytes) -> list[str]:
    """Lines without their end; empty ones say nothing about who put them there."""
    lines = (line.rstrip("\r") for line in content.decode("utf-8", "replace").split("\n"))
    return [line for line in lines if line.strip()]
