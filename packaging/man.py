"""The man page and the completions, from the parser that reads the command line: into the directory that is named.

    compute-wizard.8  compute-wizard.bash  _compute-wizard (zsh)  compute-wizard.fish

Needs argparse-manpage and shtab (the extra `dist`); the tool itself needs neither. fish has no printer in shtab: its own is here.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

from wizard.cli.help_text import EXAMPLES
from wizard.cli.parser import parser
from wizard.errors import Exit
from wizard.version import version

FILES = ("PLAN", "FILE", "PATH", "NODE", "OUT")  # metavars that are completed as files

MEANING = {
    Exit.DONE: "Done; nothing to change; all held.",
    Exit.ERROR: "An error; the message says what, and what to do.",
    Exit.CHANGES: "plan: there are changes. check: warnings. verify: something failed or waits for a reboot.",
    Exit.BLOCKED: "A finding blocks.",
    Exit.REFUSED: "Refused, and nothing was touched.",
    Exit.ROLLED_BACK: "An apply failed and was rolled back.",
    Exit.NOT_ROLLED_BACK: "An apply failed or was interrupted and is not rolled back.",
    Exit.UNSEEN: "verify: nothing failed, but something could not be seen. history: a run could not be read.",
    Exit.USAGE: "Wrong usage of the command line.",
    Exit.INTERRUPTED: "Interrupted from the keyboard.",
}
PLACES = {
    "/var/lib/compute-wizard": "Journals, backups and locks of runs; readable for root alone.",
    "/etc/xdg/compute-wizard/config.toml": "Settings for everybody; ~/.config/compute-wizard/config.toml for one user.",
}


def subcommands(main: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, by its name."""
    (found,) = (each for each in main._actions if isinstance(each, argparse._SubParsersAction))
    return dict(found.choices)


def man() -> str:
    """The page as troff. Its date is SOURCE_DATE_EPOCH, so that twice gives the same bytes."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    date = time.strftime("%Y-%m-%d", time.gmtime(epoch))
    main = parser()
    for each in (main, *subcommands(main).values()):
        each.epilog = None  # examples and exit codes have sections of their own
    data = {
        "prog": "compute-wizard",
        "project_name": "compute-wizard",
        "description": "set up an OpenStack compute node for PCI passthrough",
        "long_description": main.description,
        "version": version(),
        "date": date,
        "manual_section": 8,
        "manual_title": "compute-wizard",
    }
    page = Manpage(main, format="pretty", _data=data)
    examples = "".join(
        f".SS {name}\n.nf\n" + "".join(f"{_plain(line.strip())}\n" for line in _examples(name)) + ".fi\n"
        for name in EXAMPLES
    )
    codes = "".join(f".TP\n.B {int(code)}\n{_plain(text)}\n" for code, text in MEANING.items())
    files = "".join(f".TP\n.I {_plain(place)}\n{_plain(text)}\n" for place, text in PLACES.items())
    return f"{page}\n.SH EXAMPLES\n{examples}.SH EXIT STATUS\n{codes}.SH FILES\n{files}"


def _examples(name: str) -> list[str]:
    return EXAMPLES[name].split("examples:\n")[1].split("\n\nexit codes:")[0].splitlines()


def _plain(text: str) -> str:
    """A text in which troff sees no request and no hyphen to break at."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in ".'" else text


def completions() -> dict[str, str]:
    """The completion of each shell, by its file's name."""
    main = parser()
    for each in (main, *subcommands(main).values()):
        each.epilog = None
        for action in each._actions:
            if action.metavar in FILES or (action.metavar or "").startswith("[PATH="):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return {
        "compute-wizard.bash": shtab.complete(main, shell="bash"),
        "_compute-wizard": shtab.complete(main, shell="zsh"),
        "compute-wizard.fish": fish(main),
    }


def fish(main: argparse.ArgumentParser) -> str:
    """fish's completion: each command, and each of its options where that command stands on the line."""
    lines = ["# Made from the command line's parser.", "complete -c compute-wizard -f"]
    every = subcommands(main)
    told = next(each for each in main._actions if isinstance(each, argparse._SubParsersAction))._choices_actions
    for choice in told:
        lines.append(
            f"complete -c compute-wizard -n __fish_use_subcommand -a {choice.dest} -d {_quoted(choice.help or '')}"
        )
    lines += [_fish_option("__fish_use_subcommand", action) for action in main._actions if action.option_strings]
    for name, command in every.items():
        where = f"'__fish_seen_subcommand_from {name}'"
        for action in command._actions:
            if action.option_strings:
                lines.append(_fish_option(where, action))
            elif action.choices:
                words = " ".join(map(str, action.choices))
                lines.append(f"complete -c compute-wizard -n {where} -a {_quoted(words)}")
            elif action.metavar in FILES:
                lines.append(f"complete -c compute-wizard -n {where} -F")
    return "\n".join(lines) + "\n"


def _fish_option(where: str, action: argparse.Action) -> str:
    words = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in action.option_strings]
    takes = action.nargs != 0
    if takes and action.choices:
        words.append(f"-x -a {_quoted(' '.join(map(str, action.choices)))}")
    elif takes and action.metavar in FILES:
        words.append("-r -F")
    elif takes and action.nargs != "?":
        words.append("-x")
    text = re.sub(r"%\(default\)s", str(action.default), action.help or "")
    return f"complete -c compute-wizard -n {where} {' '.join(words)} -d {_quoted(text)}"


def _quoted(text: str) -> str:
    r"""A word in single quotes, where fish knows \\ and \' alone."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write(place: Path) -> list[Path]:
    """Write all of them; gives their paths."""
    place.mkdir(parents=True, exist_ok=True)
    found = {"compute-wizard.8": man(), **completions()}
    for name, text in found.items():
        (place / name).write_text(text, encoding="utf-8")
    return [place / name for name in found]


if __name__ == "__main__":
    for path in write(Path(sys.argv[1] if len(sys.argv) > 1 else "build/man")):
        print(path)
