"""Which run is meant where a command names one, or none: the one to be shown, confirmed, or gone on with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wizard.errors import InputError, Refused, WizardError
from wizard.runs.history import RESCUE, History, PastRun, Unread
from wizard.runs.records import is_meant
from wizard.runs.run_state import RESUMABLE, RunState


def named(seen: History, word: str) -> PastRun | None:
    """The run that a user meant who wrote `word`; None where there is none that can be read."""
    return next((run for run in seen.runs if is_meant(run.id, word)), None)


def chosen(seen: History, word: str | None, states: Iterable[str], unseen: type[WizardError] = Refused) -> PastRun:
    """The run that was named, or the newest one in one of these states. Raises `unseen` where it may be one that cannot be
    read, InputError where there is none."""
    states = tuple(states)
    if word is not None:
        found = named(seen, word)
        if found is not None:
            return found
        hidden = seen.unread_named(word)
        if hidden is not None:
            raise unseen(f"{hidden.what} cannot be read: {hidden.why}", do=hidden.do)
        raise InputError(f"there is no run {word}", do="`compute-wizard history` lists them.", code="NO-RUN")
    # an undo that was cut, and made again, has no more to do
    taken_back = {run.id for run in seen.runs if run.undone_by}
    fitting = [run for run in seen.runs if not states or (run.state in states and run.undoes not in taken_back)]
    refuse_unread(seen.unread_after(fitting[-1].id if fitting else ""), unseen)
    if not fitting:
        what = f" that is {' or '.join(states)}" if states else ""
        raise InputError(f"there is no run{what} on this node", do="`compute-wizard history` lists all.", code="NO-RUN")
    return fitting[-1]


def refuse_unread(later: Sequence[Unread], error: type[WizardError] = Refused) -> None:
    """Raises where the run that is meant may be one of these."""
    if later:
        first = later[-1]
        name = " Or name the run that you mean; `compute-wizard history` lists them." if first.id else ""
        raise error(
            f"{first.what} cannot be read, and may be what is meant: {first.why}", do=f"{first.do}{name}".strip()
        )


def to_go_on(seen: History, word: str | None) -> PastRun:
    """The run that resume goes on with. Raises Refused for one that is in no state for that, saying what would be right."""
    run = chosen(seen, word, RESUMABLE)
    refuse_cut_undo(seen, run)
    other = next((each for each in seen.runs if each.id == run.undoes and each.undone_by), None)
    if run.state.resumable and other is not None and other.undone_by != run.id:
        raise Refused(
            f"run {run.id} was to take back run {other.id}, which was taken back by {other.undone_by} since",
            do="Nothing of it is left to be done.",
            code="RUN-OVERTAKEN",
        )
    if not run.state.resumable:
        what, do = _no_way_on(run)
        raise Refused(f"run {run.id} {what}: there is nothing to go on with", do=do, code="RUN-NOT-OPEN")
    return run


def refuse_cut_undo(seen: History, run: PastRun) -> None:
    """Raises Refused where an undo of this run, or of its undo, was cut: that is the one to go on with."""
    cut = _cut_undo(seen, run)
    if cut is not None:
        raise Refused(
            f"run {run.id} is not what was cut: run {cut.id}, which takes back {cut.undoes}, is {cut.state}",
            do=f"`compute-wizard resume {cut.id}` goes on with that; `compute-wizard undo` shows what it would take back.",
            code="RUN-NOT-OPEN",
        )


def _cut_undo(seen: History, run: PastRun) -> PastRun | None:
    """The run that takes this one back, or puts it back, and was cut, where that is the one to go on with."""
    undoes = {each.id: each.undoes for each in seen.runs}
    taken_back = {each.id for each in seen.runs if each.undone_by}

    def about(name: str) -> str:
        while undoes.get(name):
            name = undoes[name]
        return name

    found = None
    for each in seen.runs:
        if not each.state.resumable or not each.undoes or each.undoes in taken_back:
            continue
        of_it = each.undoes == run.id and not run.state.resumable
        of_its_undo = each.undoes != run.id and about(each.id) == run.id
        found = each if of_it or of_its_undo else found
    return found


def _no_way_on(run: PastRun) -> tuple[str, str]:
    """What a run is instead of cut, and what would be right."""
    anew = "`compute-wizard plan` shows what is to be done now."
    match run.state:
        case RunState.RUNNING:
            return "is under way", "See it with `compute-wizard history --follow`."
        case RunState.WAITING:
            return (
                "waits for its confirmation",
                "`compute-wizard confirm` keeps it, `compute-wizard confirm --no` takes it back.",
            )
        case RunState.DONE if run.unfinished:
            return "is done, for files only", f"What was not run stays in the plan: {anew}"
        case RunState.DONE:
            return "is done", "`compute-wizard verify` says whether it is so now."
        case RunState.ROLLED_BACK:
            return "was rolled back, so nothing of it stands", f"Make a plan anew: {anew}"
        case _:
            again = f"`compute-wizard undo {run.undone_by}` does it again, shown first."
            return (
                f"was taken back{f' by {run.undone_by}' if run.undone_by else ''}",
                f"Make a plan anew: {anew}" if run.undone_by in ("", RESCUE) else again,
            )
