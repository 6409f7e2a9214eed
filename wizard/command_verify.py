"""verify: what the facts say, and the proofs that are given only when they are asked for."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from pydantic import TypeAdapter

from wizard import answer_files, command_apply, notice, report, store
from wizard.answers import AllAnswers
from wizard.errors import Exit
from wizard.node import facts as fact_reader
from wizard.node.facts import Facts
from wizard.node.live import open_node
from wizard.node.recorded import DirectoryNode
from wizard.printable import printable
from wizard.proof import proofs
from wizard.questions import Check
from wizard.verify import exit_code
from wizard.verify import verify as verified


def verify(options: argparse.Namespace) -> int:
    """Look; then say what the proofs that are asked for would do, ask, and give them."""
    node = open_node(options.root)
    facts = fact_reader.read(node)
    answers = _answers(options, facts)
    wanted = [(proof, str(only)) for proof in proofs() if (only := getattr(options, proof.NAME)) is not None]
    announced = [line for proof, only in wanted for line in proof.announce(node, facts, answers, only)]
    if announced:
        _announce("To prove it, this would be done:\n" + "".join(f"  {line}\n" for line in announced), options)
        command_apply.ask(bool(options.yes))
    found = verified(facts, answers)
    limits = []
    for proof, only in wanted:
        proven = proof.prove(node, facts, answers, only, lambda line: _say(f"{line} ...\n", options))
        found += proven
        if any(check.state != "unknown" for check in proven):
            limits.append(proof.LIMITS)
    _print(found, limits, options)
    if exit_code(found) == Exit.DONE and options.answers is None and isinstance(node, DirectoryNode):
        with contextlib.suppress(OSError):  # without root rights, or on a disk that cannot be written to, it stays
            notice.forget(store.state_directory(node.directory))
    return exit_code(found)


def _answers(options: argparse.Namespace, facts: Facts) -> AllAnswers:
    """What the last run was asked for, where no answers are given: that is what has to be so now."""
    if options.answers is not None:
        return answer_files.load(Path(options.answers))
    last = facts.history.last
    return answer_files.from_data(last.answers, f"run {last.id}") if last else answer_files.suggest(facts)


def _announce(text: str, options: argparse.Namespace) -> None:
    """What would be done: a part of the question where stdout is for the result alone."""
    if options.json and not options.yes and sys.stderr is not None:
        print(printable(text), end="", file=sys.stderr)
    _say(text, options)


def _say(text: str, options: argparse.Namespace) -> None:
    if not options.json:
        sys.stdout.write(printable(text))
        sys.stdout.flush()


def _print(found: list[Check], limits: list[str], options: argparse.Namespace) -> None:
    if options.json:
        checks = TypeAdapter(list[Check]).dump_python(found, mode="json")
        data = {"format": "compute-wizard.checks/1", "checks": checks, **({"limits": limits} if limits else {})}
        sys.stdout.write(report.as_json(data))
    else:
        sys.stdout.write(report.checks(found, limits))
