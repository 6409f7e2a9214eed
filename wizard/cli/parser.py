"""The command line's words: what is understood, and what is said about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from wizard.cli.help_text import EXAMPLES
from wizard.errors import UsageError
from wizard.integers import MOST_MINUTES, parse_int
from wizard.version import PUBLIC_ADDRESS, origin, version

EXIT_CODES = """\
exit codes: 0 done, nothing to change, all held; 1 error; 2 changes, warnings, something failed or waits for a reboot;
3 a finding blocks; 4 refused, nothing was touched: something changed since the plan was made, another run is under way, or
rights, a word or an option are lacking; 5 failed and rolled back; 6 failed or interrupted, not rolled back;
7 something could not be seen; 64 wrong usage; 130 interrupted
"""


BUILT_IN = ("demo", "origin", "today")  # known here, since what reads them takes long to load


def _named(text: str) -> str:
    """A place that was really named: an empty variable in a script must not become this directory."""
    if not text:
        raise argparse.ArgumentTypeError("is empty")
    return text


class Parser(argparse.ArgumentParser):
    """argparse with our exit code and our kind of message; options are written out, so that new ones break no script."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, do=f"See `{self.prog} --help`.")


class ShowVersion(argparse.Action):
    """Says the version, and the commit where it is known; both are looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        made_from = origin()
        print(f"compute-wizard {version()}" + (f" ({made_from})" if made_from else ""))
        parser.exit()


def minutes(text: str) -> int:
    """A time to wait for a confirmation. Raises ArgumentTypeError for what is none."""
    number = parse_int(text)
    if number is None or not 1 <= number <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes from 1 to {MOST_MINUTES}")
    return number


def _inspect_ways(inspect: argparse.ArgumentParser) -> None:
    """What `inspect` shows in place of all of it."""
    inspect.add_argument(
        "--nova", action="store_true", help="what nova would hand out now, and after the plan of these answers"
    )
    inspect.add_argument("--tree", action="store_true", help="cards, PFs and VFs, and networks, as trees")
    inspect.add_argument("--svg", metavar="FILE", type=_named, help="the trees as a picture, for a ticket")


def _common() -> Parser:
    """What every command takes, before its name or behind it."""
    common = Parser(add_help=False)
    common.add_argument(
        "--root",
        metavar="NODE",
        type=_named,
        default=argparse.SUPPRESS,
        help="a directory or a tar that stands for a node, - for a tar on standard input (default: /)",
    )
    common.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=argparse.SUPPRESS,
        help="no report on stdout: the exit code says it; what is asked for as a document, errors and questions stay",
    )
    common.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        default=argparse.SUPPRESS,
        help="on stderr: each command that the node is asked with, times, and the code of an error",
    )
    return common


def parser() -> Parser:
    """All subcommands of the outside contract."""
    common = _common()
    main = Parser(
        prog="compute-wizard",
        description="Set up an OpenStack compute node: preview, apply, prove, take back. Without a command: the wizard.",
        epilog=EXIT_CODES + (f"\n\n{PUBLIC_ADDRESS}" if PUBLIC_ADDRESS else ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    main.add_argument("--version", action=ShowVersion, nargs=0, help="say the version of this tool")
    main.add_argument(
        "--ui", choices=("auto", "full", "console", "plain"), default="auto", help="which face the wizard shows"
    )
    commands = main.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    def add(name: str, text: str, *, json: bool = False, answers: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=text,
            description=text[:1].upper() + text[1:] + ("" if text.endswith("?") else "."),
            parents=[common],
            epilog=EXAMPLES[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if answers:
            command.add_argument(
                "--answers",
                metavar="FILE",
                type=_named,
                help="an answers file, - for standard input; without it what suggest would say",
            )
        if json:
            command.add_argument("--json", action="store_true", help="the result as JSON on stdout")
        return command

    demo = add("demo", "the wizard on a built-in node, in a throw-away copy: no root, no hardware")
    demo.add_argument("--ui", choices=("auto", "full", "console", "plain"), default=argparse.SUPPRESS)
    demo.add_argument("--node", choices=BUILT_IN, default="demo", help="which built-in node")
    inspect = add("inspect", "what this node is and has, and what could not be seen", json=True, answers=True)
    _inspect_ways(inspect)
    add("check", "what is wrong or will go wrong", json=True, answers=True)
    suggest = add("suggest", "an answers file that fits this node as it is now")
    suggest.add_argument(
        "--portable", action="store_true", help="name cards by vendor and product, so that it fits every node of a kind"
    )
    plan = add("plan", "the preview: every file, every command", json=True, answers=True)
    plan.add_argument(
        "--out", metavar="PLAN", type=_named, help="save the whole plan there, 0600, for apply; - prints it"
    )
    apply = add("apply", "do what a plan says", json=True, answers=True)
    apply.add_argument(
        "plan", nargs="?", metavar="PLAN", type=_named, help="a plan saved with plan --out; - for standard input"
    )
    apply.add_argument("--yes", action="store_true", help="do not ask")
    _accepts(apply)
    apply.add_argument(
        "--on-failure", choices=("rollback", "stop"), default="rollback", help="what to do when a step fails"
    )
    apply.add_argument("--files-only", action="store_true", help="write files, list the commands without running them")
    apply.add_argument(
        "--confirm",
        type=minutes,
        metavar="MINUTES",
        help="take the run back by itself unless `compute-wizard confirm` comes within these minutes after its end",
    )
    confirm = add("confirm", "keep a run that was applied with --confirm and waits", json=True)
    confirm.add_argument("run", nargs="?", metavar="RUN")
    confirm.add_argument("--no", action="store_true", help="take it back now")
    resume = add("resume", "go on with a run that was interrupted")
    resume.add_argument("run", nargs="?", metavar="RUN")
    resume.add_argument("--yes", action="store_true", help="do not ask")
    _accepts(resume)
    _verify(add)
    history = add("history", "past runs, or one of them", json=True)
    history.add_argument("run", nargs="?", metavar="RUN")
    history.add_argument("--follow", action="store_true", help="go on until the run has ended")
    undo = add("undo", "take a run back, the last one by default", json=True)
    undo.add_argument("run", nargs="?", metavar="RUN")
    undo.add_argument("--yes", action="store_true", help="do not ask")
    undo.add_argument(
        "--changed",
        action="append",
        default=[],
        metavar="[PATH=]keep|restore|merge",
        help="what becomes of files that were changed after the run: stay as they are, become what they were before the "
        "run, or lose only what the run put in; for one file or for all others",
    )
    _what_is_handed_on(add)
    return main


def _verify(add: Callable[..., argparse.ArgumentParser]) -> None:
    verify = add("verify", "is it so now, and will it be so after the next boot?", json=True, answers=True)
    verify.add_argument(
        "--metadata",
        nargs="?",
        const="",
        metavar="BRIDGE",
        help="prove it too: ask DHCP and fetch metadata as a guest would, on every bridge or on one",
    )
    verify.add_argument(
        "--guest",
        nargs="?",
        const="",
        metavar="VF",
        help="prove it too: boot a throw-away guest with an idle VF, or this one, and look for it from inside",
    )
    verify.add_argument(
        "--acknowledge",
        action="store_true",
        help="where all has held, remove the line at login that says verify is due",
    )
    verify.add_argument("--yes", action="store_true", help="do not ask before a proof")
    verify.add_argument(
        "--format",
        choices=("text", "json", "nagios", "prometheus"),
        help="nagios: a plugin's line, and exit codes 0 to 3; prometheus: metrics for node_exporter's textfile collector",
    )
    verify.add_argument(
        "--out", metavar="FILE", type=_named, help="write the metrics there, for all to read (0644); - prints them"
    )


def _accepts(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--accept", action="append", default=[], choices=("one-way",), help="allow steps that cannot be taken back"
    )


def _what_is_handed_on(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Commands that make something for another machine, or for somebody else."""
    export = add(
        "export",
        "the plan as a POSIX script; the answers as an Ansible playbook, or as files of who owns nova.conf; units for monitoring",
        answers=True,
    )
    export.add_argument("what", choices=("script", "ansible", "override", "timer"))
    export.add_argument(
        "--out",
        metavar="PATH",
        type=_named,
        required=True,
        help="where to write it, a directory for ansible and timer; - prints it, ansible as a tar",
    )
    export.add_argument(
        "--textfile",
        metavar="FILE",
        type=_named,
        default="/var/lib/prometheus/node-exporter/compute-wizard.prom",
        help="timer: where node_exporter reads metrics (default: %(default)s)",
    )
    bundle = add("bundle", "one file for whoever helps: facts, plans, journals, kernel log, versions, without secrets")
    bundle.add_argument("run", nargs="?", metavar="RUN", help="this run alone; without it the newest ones")
    bundle.add_argument(
        "--out",
        metavar="FILE",
        type=_named,
        help="where to write it: a tar.gz, 0600; - prints it (default: a name with the time)",
    )
    add("recorder", "print a POSIX script that records a node into a tar")
    record = add("record", "record this node into a tar, as the script of recorder does")
    record.add_argument("out", metavar="OUT", type=_named, help="a tar that is not there yet; - prints it")
    record.add_argument("--with-secrets", action="store_true", help="record everything as it is, passwords too")
    compare = add(
        "compare",
        "recordings beside each other: which nodes differ by hardware, answers or state, and what each matcher selects",
        json=True,
        answers=True,
    )
    compare.add_argument("nodes", nargs="+", metavar="NODE", type=_named, help="a tar or a directory; at least two")
    schema = add("schema", "the JSON Schema of a document")
    schema.add_argument("what", choices=("answers", "plan", "verify", "check", "error"))
    schema.add_argument("--out", metavar="FILE", type=_named, help="write it there; - prints it")
    schema.add_argument("--markdown", action="store_true", help="answers: every key as a page of reference")
    validate = add("validate", "is this a valid answers file, or saved plan? Looks at no node", json=True)
    validate.add_argument("file", metavar="FILE", type=_named, help="an answers file or a plan; - for standard input")
