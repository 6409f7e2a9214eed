"""The commands: options in, results on stdout, exit code out. Raises WizardError for a mistake."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wizard import user_config
from wizard.answers import alternatives, suggestion
from wizard.answers import files as answer_files
from wizard.cli import looks
from wizard.errors import Blocked, Exit, UsageError
from wizard.facts import facts as fact_reader
from wizard.facts.facts import Facts
from wizard.model import findings
from wizard.model import plan as plans
from wizard.model.answers import AllAnswers
from wizard.model.findings import Finding
from wizard.model.plan import Plan
from wizard.node import trace
from wizard.node.live import open_node
from wizard.node.node import Node
from wizard.planning.planner import make_plan
from wizard.report import text as report
from wizard.safe_text import safe_text
from wizard.user_files import STANDARD, write_private


def _print(text: str) -> None:
    sys.stdout.write(text)


def _print_json(data: Any) -> None:
    _print(report.as_json(data))


def _look(options: argparse.Namespace) -> tuple[Node, Facts]:
    node = open_node(options.root)
    return node, fact_reader.read(node)


def _answers(options: argparse.Namespace, facts: Facts) -> AllAnswers:
    """The answers that were given; else what fits the node as it is now."""
    if options.answers is not None:
        return answer_files.load(Path(options.answers))
    return suggestion.suggest(facts)


def _inspect(options: argparse.Namespace) -> int:
    if options.answers is not None and not options.nova:
        raise UsageError(
            "inspect takes --answers with --nova alone", do="`compute-wizard check --answers FILE` judges answers."
        )
    ways = [name for name in ("nova", "tree", "svg") if getattr(options, name)]
    if len(ways) > 1 or (options.json and ways not in ([], ["nova"])):
        raise UsageError(
            "inspect shows one thing at a time", do="Leave --nova, --tree, --svg and --json but one of them away."
        )
    _, facts = _look(options)
    if options.svg is not None:
        return _picture(facts, options.svg)
    if options.tree:
        from wizard.report import node_tree

        _print(node_tree.text(facts, "utf" in (sys.stdout.encoding or "").lower()))
        return Exit.DONE
    if options.nova:
        from wizard.chapters.passthrough import shown as nova_report

        answers = _answers(options, facts)
        if options.json:
            _print_json(nova_report.data(facts, answers))
        else:
            _print(report.nova(facts, answers))
        return Exit.DONE
    if options.json:
        _print_json({"format": "compute-wizard.facts/1", **facts.to_data()})
    else:
        _print(report.inspect(facts))
    return Exit.DONE


def _picture(facts: Facts, path: str) -> int:
    """Write the trees as an SVG document, for its owner only."""
    if looks.load is None:
        raise UsageError("pictures need the wizard's own entry point", do="Run `compute-wizard inspect --svg FILE`.")
    name = facts.system.hostname or "unnamed node"
    from wizard.report import node_tree

    write_private(Path(path), looks.load().picture(node_tree.text(facts, True), safe_text(name)).encode())
    _print(safe_text(f"Wrote {path}.\n"))
    return Exit.DONE


def _check(options: argparse.Namespace) -> int:
    _, facts = _look(options)
    found = list(make_plan(facts, _answers(options, facts)).findings)
    if options.json:
        _print_json({"format": "compute-wizard.findings/1", "findings": _plain(list[Finding], found)})
    else:
        _print(report.findings(found))
    worst = findings.worst(found)
    return {"blocks": Exit.BLOCKED, "warns": Exit.CHANGES}.get(worst or "", Exit.DONE)


def _plain(kind: Any, value: object) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind).dump_python(value, mode="json")


def _suggest(options: argparse.Namespace) -> int:
    _print(_suggested(_look(options)[1], portable=options.portable))
    return Exit.DONE


def _suggested(facts: Facts, *, portable: bool = False) -> str:
    """An answers file, commented."""
    answers = suggestion.suggest(facts)
    above, left_out = report.suggested(facts, answers), suggestion.left_out(facts, answers)
    if portable:
        answers, lost = alternatives.portable(facts, answers)
        above = {name: "\n".join([text, *lost.get(name, ())]).strip("\n") for name, text in above.items()}
    text = answer_files.to_toml(answers, above, alternatives.commented(facts))
    return text + report.not_suggested(answers, left_out)


def _plan(options: argparse.Namespace) -> int:
    _, facts = _look(options)
    plan = make_plan(facts, _answers(options, facts))
    if options.out == STANDARD:
        _print(plan.to_json())
        return _plan_code(plan)
    if options.out is not None:
        write_private(Path(options.out), plan.to_json().encode())
    _print(plan.masked().to_json() if options.json else report.plan(plan))
    if options.out is not None and not options.json:
        _print(f"\n{safe_text(_what_becomes_of(plan, options.out))}\n")
    return _plan_code(plan)


def _what_becomes_of(plan: Plan, out: str) -> str:
    """What can be done with a plan that was saved."""
    if plan.stopped:
        return f"Saved as {out}, to be read: a finding blocks, and apply refuses it. Do what the finding says, then plan again."
    return f"Saved as {out}; run it with: compute-wizard apply {shlex.quote(out)}"


def _plan_code(plan: Plan) -> Exit:
    if plan.blocked:
        return Exit.BLOCKED
    return Exit.CHANGES if plan.steps else Exit.DONE


def _apply(options: argparse.Namespace) -> int:
    from wizard.cli import apply as command_apply

    if (options.plan is None) == (options.answers is None):
        raise UsageError(
            "give either a PLAN or --answers FILE", do="A plan is made with `compute-wizard plan --out PLAN`."
        )
    node = open_node(options.root)
    if options.plan is not None:
        plan = plans.load(Path(options.plan))
    else:
        plan = make_plan(facts := fact_reader.read(node), _answers(options, facts))
    return command_apply.apply(node, plan, options, shown=options.plan is not None)


def _undo(options: argparse.Namespace) -> int:
    from wizard.cli import apply as command_apply
    from wizard.planning.later_changes import choices
    from wizard.planning.undo import undo_plan

    changed = choices(options.changed)
    node, facts = _look(options)
    plan = undo_plan(facts, node, options.run, options.root, changed)
    if not options.json:
        _print(report.takes_back(facts.history.runs, plan))
    return command_apply.apply(node, plan, options, shown=False)


def _export(options: argparse.Namespace) -> int:
    kinds = {
        "ansible": _export_ansible,
        "override": _export_override,
        "script": _export_script,
        "timer": _export_timer,
    }
    return kinds[options.what](options)


def _export_override(options: argparse.Namespace) -> int:
    """The settings of this node as files for the tools that own them: one after the other, each with its place in its first line."""
    from wizard.export import override

    _, facts = _look(options)
    answers = _answers(options, facts)
    named = override.owners(facts, answers) or ["plain"]
    found = [each for owner in named for each in override.files(facts, answers, owner)]
    text = (
        "\n".join(each.text for each in found)
        or "# nothing of these answers belongs into files that another tool owns\n"
    )
    if options.out == STANDARD:
        _print(text)
        return Exit.DONE
    write_private(Path(options.out), text.encode())
    _print(f"Wrote {options.out}: {'; '.join(f'{each.owner}: {each.place}' for each in found) or 'nothing'}\n")
    return Exit.DONE


def _export_timer(options: argparse.Namespace) -> int:
    """Units that have `verify` look once an hour. Nothing is enabled."""
    from wizard.export import timer

    units = timer.units(options.textfile)
    if options.out == STANDARD:
        _print("\n".join(f"# --- {name}\n{text}" for name, text in units.items()))
        return Exit.DONE
    for name, text in units.items():
        write_private(Path(options.out) / name, text.encode(), mode=0o644)
    _print(f"Wrote {', '.join(units)} into {options.out}. To start it: systemctl enable --now {timer.TIMER}\n")
    return Exit.DONE


def _export_script(options: argparse.Namespace) -> int:
    from wizard.export import script as shell
    from wizard.export import script_permission

    _, facts = _look(options)
    plan = make_plan(facts, _answers(options, facts))
    if plan.blocked:
        _print(report.findings(plan.findings))
        codes = sorted({finding.code for finding in plan.findings if finding.severity == "blocks"})
        older = " What lies there was there before." if Path(options.out).exists() else ""
        raise Blocked(
            f"a finding blocks {', '.join(plan.blocked)}: {', '.join(codes)}; no script was written to {options.out}",
            do=f"Each finding says how to go on, or leave that chapter out of the answers.{older}",
        )
    if options.out == STANDARD:
        _print(shell.script(facts, plan))
        return Exit.DONE
    write_private(Path(options.out), shell.script(facts, plan).encode("utf-8", "surrogateescape"), mode=0o700)
    node = safe_text(plan.node.hostname) or "the node"
    if not plan.steps:
        _print(
            f"Nothing is to be changed on {node}: {options.out} looks whether it is still as it was, and changes nothing.\n"
        )
        return Exit.DONE
    _print(
        f"Wrote {options.out}: run it as root on {node} with `sh {options.out}`; with --dry-run it only looks first.\n"
    )
    for line in script_permission.of_guests(plan) if script_permission.guests(plan) else ():
        _print(
            f"note: step {line.strip()} may interrupt guests: while one runs there, it wants --accept guests, or refuses\n"
        )
    for line in script_permission.one_way(plan):
        _print(f"note: step {line.strip()} cannot be taken back: the script is run with --accept one-way, or refuses\n")
    return Exit.DONE


def _export_ansible(options: argparse.Namespace) -> int:
    """With an answers file no node is looked at: it is meant for others."""
    from wizard.export import ansible

    text = answer_files.read(Path(options.answers)) if options.answers is not None else _suggested(_look(options)[1])
    answers = answer_files.from_text(text, options.answers or "")
    if options.out == STANDARD:
        _print_bytes(ansible.packed(text), "A tar")
        return Exit.DONE
    ansible.write(Path(options.out), text)
    playbook = shlex.quote(f"{options.out}/{ansible.PLAYBOOK}")
    _print(f"Wrote {options.out}. The plans of all nodes: ansible-playbook -i INVENTORY --check {playbook}\n")
    for note in ansible.notes(answers):
        _print(safe_text(f"note: {note}\n"))
    return Exit.DONE


def _bundle(options: argparse.Namespace) -> int:
    from wizard.export import support_bundle

    node, facts = _look(options)
    found = support_bundle.parts(node, facts, options.run)
    content, readme = support_bundle.packed(found, facts.system.hostname)
    if options.out == STANDARD:
        _print_bytes(content, "A tar.gz")
        return Exit.DONE
    out = options.out or str(
        user_config.output() / f"compute-wizard-bundle-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.tar.gz"
    )
    write_private(Path(out), content)
    _print(f"{readme}\nWrote {out}, readable for you alone. Look into it before you send it: tar -xzf {out}\n")
    return Exit.DONE


def _print_bytes(content: bytes, what: str) -> None:
    if sys.stdout.isatty():
        raise UsageError(f"{what.lower()} is not written to a terminal", do="Send it into a file or a pipe.")
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _recorder(options: argparse.Namespace) -> int:
    from wizard.cli import record

    _print(record.script())
    return Exit.DONE


def run(options: argparse.Namespace) -> int:
    """Run one command; with --verbose it is told on stderr what the node is asked with, and how long all of it takes."""
    if not options.verbose:
        return COMMANDS[options.command](options)
    began = time.monotonic()
    trace.listener = lambda text: print(f"[{time.monotonic() - began:7.3f} s] {safe_text(text)}", file=sys.stderr)
    try:
        return COMMANDS[options.command](options)
    finally:
        trace.note(f"{options.command} ended")
        trace.listener = None


def _confirm(options: argparse.Namespace) -> int:
    from wizard.cli import confirm

    return confirm.confirm(options)


def _resume(options: argparse.Namespace) -> int:
    from wizard.cli import apply

    return apply.resume(options)


def _verify(options: argparse.Namespace) -> int:
    from wizard.cli import verify

    return verify.verify(options)


def _history(options: argparse.Namespace) -> int:
    from wizard.cli import history

    return history.history(options)


def _record(options: argparse.Namespace) -> int:
    from wizard.cli import record

    return record.record(options)


def _compare(options: argparse.Namespace) -> int:
    from wizard.cli import compare

    return compare.compare(options)


def _schema(options: argparse.Namespace) -> int:
    from wizard.cli import documents

    return documents.schema(options)


def _validate(options: argparse.Namespace) -> int:
    from wizard.cli import documents

    return documents.validate(options)


# Each loads what it needs when it is called: `plan` needs half of what all of them do.
COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "inspect": _inspect,
    "check": _check,
    "suggest": _suggest,
    "plan": _plan,
    "apply": _apply,
    "confirm": _confirm,
    "resume": _resume,
    "verify": _verify,
    "history": _history,
    "undo": _undo,
    "export": _export,
    "bundle": _bundle,
    "recorder": _recorder,
    "record": _record,
    "compare": _compare,
    "schema": _schema,
    "validate": _validate,
}
