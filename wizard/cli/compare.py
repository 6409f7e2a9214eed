"""compare: recordings of nodes beside each other."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wizard.answers import files as answer_files
from wizard.errors import Exit, UsageError
from wizard.facts import facts as fact_reader
from wizard.node.live import open_node
from wizard.report import comparison
from wizard.report import text as report
from wizard.report.comparison import Compared


def compare(options: argparse.Namespace) -> int:
    """Whether the nodes are of one kind, asked for the same, and in the same state: 0 where they are, 2 where they differ."""
    if len(options.nodes) < 2:
        raise UsageError("one node has nothing to be compared with", do="Name two recordings or more.")
    answers = answer_files.load(Path(options.answers)) if options.answers is not None else None
    facts = [fact_reader.read(open_node(source)) for source in options.nodes]
    names = comparison.names(options.nodes, [each.system.hostname for each in facts])
    nodes = [
        Compared.of(name, source, each, answers) for name, source, each in zip(names, options.nodes, facts, strict=True)
    ]
    found = comparison.data(nodes)
    sys.stdout.write(report.as_json(found) if options.json else comparison.text(found))
    same = all(len(found[kind]["groups"]) == 1 for kind in ("hardware", "answers", "state"))
    return Exit.DONE if same and not found["duplicates"] else Exit.CHANGES
