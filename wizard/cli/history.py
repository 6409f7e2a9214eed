"""history: past runs, or one."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from wizard.apply import launch
from wizard.errors import Exit, NotSeen, WizardError
from wizard.node.live import open_node
from wizard.report import text as report
from wizard.runs import history as histories
from wizard.runs.history import History, PastRun
from wizard.runs.records import Event, age
from wizard.runs.run_state import RunState
from wizard.runs.selection import chosen, named
from wizard.safe_text import safe_text

FORMAT = "compute-wizard.run/1"


def history(options: argparse.Namespace) -> int:
    """Past runs; or one, with its journal."""
    seen = histories.read(open_node(options.root))
    if options.run is None and not options.follow:
        sys.stdout.write(report.as_json(_data(seen)) if options.json else report.history(seen.runs, seen.unseen))
        return Exit.UNSEEN if seen.unseen else Exit.DONE
    unread = seen.unread_named(options.run) if options.run is not None and not named(seen, options.run) else None
    if unread is not None and unread.id:
        with suppress(WizardError, OSError):  # as much of it as there is
            _show(options, unread.id)
    run = chosen(seen, options.run, (), NotSeen)
    _show(options, run.id)
    return Exit.DONE


def _show(options: argparse.Namespace, run: str) -> None:
    for event in launch.events(options.root, run, follow_it=options.follow):
        show(event, options.json)


def show(event: Event, as_json: bool) -> None:
    """One event of a journal, for people or as data."""
    if as_json:
        sys.stdout.write(report.as_json(event, indent=None))
    else:
        line = launch.line_for(event)
        if line:
            sys.stdout.write(safe_text(line) + "\n")
    sys.stdout.flush()


def _data(seen: History) -> list[dict[str, Any]]:
    """All runs, oldest first; one that cannot be read has the state "unseen". `unseen` says what, and why."""
    found = [
        {
            "format": FORMAT,
            **asdict(run),
            "unseen": [f"{each.what}: {each.why}" for each in seen.unseen if f"run {run.id} " in each.what],
        }
        for run in seen.runs
    ]
    nothing = PastRun("", "", RunState.INTERRUPTED, (), {}, "", "", "", 0, 0, False, "", (), (), ())
    hidden = [
        {"format": FORMAT, **asdict(nothing), "id": each.id, "state": "unseen", "unseen": [each.why]}
        for each in seen.unread
    ]
    return sorted([*found, *hidden], key=lambda each: age(str(each["id"])))
