"""What other runs did meanwhile to the run that is about to begin, or to go on.

A command may wait at its prompt while another one resumes, confirms or undoes the same run. Whoever is late is refused: else two
runs would each undo, or redo, what the other one did, and the history would tell only one half of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from wizard.errors import Refused
from wizard.hashing import digest
from wizard.model.expectations import ExpectRun
from wizard.model.plan import Plan
from wizard.node.node import Node
from wizard.runs import history, selection
from wizard.runs import records as run_records
from wizard.runs.history import PastRun
from wizard.runs.records import Event
from wizard.runs.run_state import RunState


def story(events: Iterable[Event]) -> str:
    """The sha256 of what a journal tells of its run. An attempt that was refused did nothing, and is left out."""
    told = [event for event in events if not (event["event"] == "end" and event.get("result") == "refused")]
    return digest("".join(json.dumps(event, sort_keys=True) + "\n" for event in told).encode())


def refuse_overtaken(node: Node, run: str, plan: Plan, *, begun: bool) -> None:
    """Raises Refused where another run undid this one, or the run that this one undoes. To be asked under the lock: nothing can
    come in between then. `begun`: this run goes on, and does not begin."""
    seen = history.read(node, asking=run)
    runs = {each.id: each for each in seen.runs}
    if begun and run in runs:
        _own(seen, runs[run])
    elif not begun:
        _refuse_newer(node, plan, run)
    other = runs.get(plan.undoes or "")
    if other is None:
        return
    if other.undone_by not in ("", run):
        raise Refused(
            f"run {other.id} was undone by {other.undone_by} meanwhile",
            do="Nothing of it is left to be undone.",
            code="RUN-OVERTAKEN",
        )
    if other.state is RunState.ROLLED_BACK:
        raise Refused(
            f"run {other.id} was rolled back meanwhile", do="Nothing of it is left to be undone.", code="RUN-OVERTAKEN"
        )


def _refuse_newer(node: Node, plan: Plan, run: str) -> None:
    """What an undo was planned for is the history as it was then: a run that began since may rest on what is undone here."""
    newest = next((each.newest for each in plan.expects if isinstance(each, ExpectRun)), None)
    for name in run_records.run_ids(node) if newest is not None else ():
        if name != run and run_records.age(name) > run_records.age(str(newest)) and run_records.read_record(node, name):
            raise Refused(
                f"run {name} began after this undo was planned",
                do="Nothing was changed. `compute-wizard undo` shows what is to be undone now.",
                code="RUN-OVERTAKEN",
            )


def _own(seen: history.History, run: PastRun) -> None:
    if run.undone_by:
        raise Refused(
            f"run {run.id} was undone by {run.undone_by} meanwhile: there is nothing to go on with",
            do="`compute-wizard plan` shows what is to be done now.",
            code="RUN-OVERTAKEN",
        )
    selection.refuse_cut_undo(seen, run)
