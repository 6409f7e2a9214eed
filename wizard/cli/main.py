"""The command line: arguments in, exit code out. Results on stdout, errors on stderr, one clear message for a mistake.

The engine is loaded by what needs it: a wizard shows that it is there before it has read anything.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeAlias

from wizard import user_config
from wizard.cli import looks, parser, stdout
from wizard.errors import Exit, UsageError, WizardError

if TYPE_CHECKING:
    from wizard.cli.looks import Looks
    from wizard.node.live import Open
    from wizard.node.node import Node


COLOURED = ("inspect", "check", "plan", "verify", "history")
Face: TypeAlias = "Callable[[Open, str, bool], int]"
"""Starts the wizard: what opens the node, which face, whether the node is a simulation; gives the exit code."""


def main(argv: list[str] | None = None, face: Face | None = None) -> int:
    """Run one command. Never raises for a user's mistake; a traceback is a defect of this tool."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # no locale and no name on the node ends a command half way
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if argv is None else argv
    try:
        with stdout.results():  # --help and --version print
            options = parser.parser().parse_args(argv)
        for name, value in (("root", "/"), ("quiet", False), ("verbose", False)):
            setattr(options, name, getattr(options, name, value))
        return int(_dispatch(options, face))
    except WizardError as error:
        from wizard.cli import errors

        flags = words[: words.index("--")] if "--" in words else words  # also where they could not be understood
        errors.tell(error, as_json="--json" in flags, verbose=bool({"-v", "--verbose"} & set(flags)))
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)


def _dispatch(options: argparse.Namespace, face: Face | None) -> int:
    user_config.into()
    if options.command not in (None, "demo"):
        from wizard.cli import commands

        with stdout.results(quiet=stdout.may_be_quiet(options), looks=_colours(options)):
            return commands.run(options)
    if face is None:
        raise UsageError("no command was given", do="See `compute-wizard --help`.")
    with ExitStack() as kept:
        simulated = options.command == "demo"
        return face(lambda: _demo(options.node, kept) if simulated else _node(options.root), options.ui, simulated)


def _colours(options: argparse.Namespace) -> Looks | None:
    """Colours for the results that people read; none for JSON, for what goes into a file, and for pipes."""
    machine = getattr(options, "json", False) or getattr(options, "out", None) == "-"
    return None if machine or options.command not in COLOURED else looks.for_stream(sys.stdout)


def _demo(name: str, kept: ExitStack) -> tuple[Node, str]:
    """A built-in node that is gone with `kept`."""
    from wizard.simulator.built_in import demo_node

    node = kept.enter_context(demo_node(name))
    return node, str(node.directory)


def _node(root: str) -> tuple[Node, str]:
    from wizard.node.live import open_node

    return open_node(root), root
