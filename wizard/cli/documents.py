"""Commands that need no node: the schemas of documents, and a look at a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wizard import user_files
from wizard.answers import files as answer_files
from wizard.answers import schema as answers_schema
from wizard.errors import Exit, UsageError, WizardError
from wizard.export import ansible
from wizard.model import plan as plans
from wizard.report import documents
from wizard.report import text as report
from wizard.safe_text import safe_text


def schema(options: argparse.Namespace) -> int:
    """Print, or write, a JSON Schema; of the answers also as a page."""
    if options.markdown and options.what != "answers":
        raise UsageError("--markdown is for answers alone")
    text = answers_schema.reference() if options.markdown else report.as_json(documents.schema(options.what))
    if options.out in (None, user_files.STANDARD):
        sys.stdout.write(text)
    else:
        user_files.write_private(Path(options.out), text.encode(), mode=0o644)
    return Exit.DONE


def validate(options: argparse.Namespace) -> int:
    """Whether a file is an answers file or a saved plan of this version. Raises InputError where it is not."""
    text = user_files.text(Path(options.file), plans.LIMIT)
    where = "standard input" if options.file == user_files.STANDARD else options.file
    kind, chapters, notes = _plan(text, where) if text.lstrip()[:1] == "{" else _answers(text, where)
    if options.json:
        found = {"file": options.file, "kind": kind, "chapters": chapters, "notes": notes}
        sys.stdout.write(report.as_json({"format": "compute-wizard.validation/1", **found}))
        return Exit.DONE
    sys.stdout.write(safe_text(f"{where}: valid {kind}: {', '.join(chapters) or 'nothing is asked for'}\n"))
    sys.stdout.write("".join(safe_text(f"note: {each}\n") for each in notes))
    return Exit.DONE


def _answers(text: str, where: str) -> tuple[str, list[str], list[str]]:
    if len(text.encode()) > answer_files.LIMIT:
        mib = answer_files.LIMIT // user_files.MIB
        raise WizardError(f"is larger than {mib} MiB: it cannot be answers", where=where, code="FILE-TOO-LARGE")
    answers = answer_files.from_text(text, where)
    notes = [f"{name} fits one node alone" for name in ansible.of_one_node(answers)]
    return "answers", list(answers.names()), notes


def _plan(text: str, where: str) -> tuple[str, list[str], list[str]]:
    plan = plans.from_json(text, where)
    notes = [] if plan.complete else ["secrets are masked in it: it cannot be applied"]
    chapters = list(dict.fromkeys(name for step in plan.steps for name in step.chapters))
    return "plan", chapters, notes
