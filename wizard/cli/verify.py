"""verify: what the facts say, and the proofs that are given only when they are asked for."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.cli import apply as command_apply
from wizard.dataclass import dataclass
from wizard.errors import Exit, UsageError, WizardError
from wizard.facts import facts as fact_reader
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check, Remedy
from wizard.node.live import open_node
from wizard.node.recorded import DirectoryNode
from wizard.planning.verification import exit_code, to_be, undone
from wizard.planning.verification import verify as verified
from wizard.probes.registry import proofs
from wizard.report import monitoring
from wizard.report import text as report
from wizard.runs import store, verify_due
from wizard.safe_text import safe_text
from wizard.user_files import STANDARD, write_private

MONITORED = ("nagios", "prometheus")


def verify(options: argparse.Namespace) -> int:
    """Verify, in the form that is asked for. A plugin that cannot look says that, too, in a plugin's way."""
    if options.out is not None and options.format != "prometheus":
        raise UsageError("--out is for --format prometheus alone")
    if options.json and options.format not in (None, "json"):
        raise UsageError(f"--json and --format {options.format} exclude each other")
    options.json = options.json or options.format == "json"
    try:
        return _verify(options)
    except WizardError as error:
        if options.format != "nagios":
            raise
        sys.stdout.write(monitoring.failed_to_look(str(error)))
        return monitoring.Nagios.UNKNOWN


def _monitored(options: argparse.Namespace, found: list[Check]) -> int:
    if options.format == "nagios":
        sys.stdout.write(monitoring.nagios(found))
        return monitoring.status(found)
    text = monitoring.prometheus(found, time.time())
    if options.out in (None, STANDARD):
        sys.stdout.write(text)
    else:
        write_private(Path(options.out), text.encode(), mode=0o644)
    return Exit.DONE


def _verify(options: argparse.Namespace) -> int:
    """Look; then say what the proofs that are asked for would do, ask, and give them."""
    node = open_node(options.root)
    facts = fact_reader.read(node)
    basis = _basis(options, facts)
    answers = basis.answers
    wanted = [(proof, str(only)) for proof in proofs() if (only := getattr(options, proof.NAME)) is not None]
    announced = [line for proof, only in wanted for line in proof.announce(node, facts, answers, only)]
    if announced:
        _announce("To prove it, this would be done:\n" + "".join(f"  {line}\n" for line in announced), options)
        command_apply.ask(bool(options.yes))
    found = [*(verified(facts, answers) if basis.undone is None else [basis.undone]), *basis.unseen]
    limits = []
    for proof, only in wanted:
        proven = proof.prove(node, facts, answers, only, lambda line: _say(f"{line} ...\n", options))
        found += proven
        if any(check.state != "unknown" for check in proven):
            limits.append(proof.LIMITS)
    if options.format in MONITORED:
        return _monitored(options, found)
    _print(basis, found, limits, options)
    if isinstance(node, DirectoryNode):
        _notice(options, facts, found, store.state_directory(node.directory))
    return exit_code(found)


def _notice(options: argparse.Namespace, facts: Facts, found: list[Check], state: Path) -> None:
    """The line at login: named where it is due, and removed only where that is asked for and all has held."""
    if not verify_due.is_due(state):
        return
    held = verify_due.may_be_forgotten(
        exit_code(found) == Exit.DONE and options.answers is None,
        bool(facts.history.waiting(facts.system.boot_id or "")),
    )
    if not options.acknowledge:
        if held:
            _say("The notice at login stays until `compute-wizard verify --acknowledge` removes it.\n", options)
        return
    if not held:
        _say("The notice at login stays: not all that the runs were asked for is verified yet.\n", options)
        return
    with contextlib.suppress(OSError):  # without root rights, or on a disk that cannot be written to, it stays
        verify_due.forget(state)
    stays = verify_due.is_due(state)
    _say(
        "The notice at login cannot be removed: run this as root.\n" if stays else "The notice at login is removed.\n",
        options,
    )


@dataclass(frozen=True, slots=True)
class _Basis:
    """What the node is compared with: the answers, and where they come from, for people and as data."""

    answers: AllAnswers
    told: str
    data: dict[str, Any]
    unseen: tuple[Check, ...] = ()
    undone: Check | None = None  # said in place of a comparison, where all that was asked for was undone


def _basis(options: argparse.Namespace, facts: Facts) -> _Basis:
    """What the runs that stand were asked for, where no answers are given: that is what has to be so now."""
    if options.answers is not None:
        told, data = f"Compared with {options.answers}.", {"kind": "answers", "file": options.answers}
        return _Basis(answer_files.load(Path(options.answers)), told, data)
    asked = to_be(facts)
    if asked.runs:
        told = f"Compared with what {report.these_runs(asked.runs)} asked for."
        return _Basis(asked.answers, told, {"kind": "runs", "runs": list(asked.runs)}, asked.unseen)
    gone = undone(facts)
    if gone is not None:
        told = f"{gone.what}. What an answers file asks for is compared with --answers FILE."
        return _Basis(suggestion.suggest(facts), told, {"kind": "undone"}, asked.unseen, gone)
    none = "No run of this tool stands on this node." if not asked.unseen else "No run that stands could be read."
    told = f"{none} Compared with what would be suggested: what failed is what applying that would set right."
    return _Basis(suggestion.suggest(facts), told, {"kind": "suggestion"}, asked.unseen)


def _announce(text: str, options: argparse.Namespace) -> None:
    """What would be done: a part of the question where stdout is for the result alone."""
    if (options.json or options.format in MONITORED) and not options.yes and sys.stderr is not None:
        print(safe_text(text), end="", file=sys.stderr)
    _say(text, options)


def _say(text: str, options: argparse.Namespace) -> None:
    if not options.json and options.format not in MONITORED:
        sys.stdout.write(safe_text(text))
        sys.stdout.flush()


def _print(basis: _Basis, found: list[Check], limits: list[str], options: argparse.Namespace) -> None:
    if options.json:
        checks = TypeAdapter(list[Check]).dump_python(found, mode="json")
        data = {"format": "compute-wizard.checks/1", "compared_with": basis.data, "checks": checks}
        sys.stdout.write(report.as_json({**data, **({"limits": limits} if limits else {})}))
        return
    if basis.data["kind"] == "suggestion":  # nobody asked for it, so nobody is told to do it
        found = [replace(check, do="" if check.do == Remedy.RUN_PLAN else check.do) for check in found]
    sys.stdout.write(report.compared(basis.told) + report.checks(found, limits))
