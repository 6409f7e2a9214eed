"""/etc/network/interfaces and the scripts that ifupdown runs for each interface that it brings up."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from wizard.chapters.vfs.owners import scripts, shell
from wizard.chapters.vfs.owners.model import NO, RUNS, UNKNOWN, YES, Owner, Runs
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.view import View
from wizard.dataclass import dataclass
from wizard.regex import regex

INTERFACES = "/etc/network/interfaces"
_STARTS = ("pre-up", "up", "post-up")
_NAME = regex(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class _Command:
    interface: str
    path: str
    line: int
    text: str


def read(view: View) -> Iterator[Owner]:
    runs = view.has_program("ifup")
    if runs.verdict is YES:
        runs = view.service("networking.service")
    commands, started = _interfaces(view)
    for each in commands:
        if not shell.worth(each.text):
            continue
        own = runs
        if runs is RUNS and each.interface not in started:
            own = Runs(UNKNOWN, f"no line `auto {each.interface}` has ifupdown bring it up at boot")
        found = shell.writes(view, each.text, each.path, first=each.line, variables=_variables(each.interface))
        yield from scripts.owners(view, scripts.Source("ifupdown", each.path, own), found)
    names = sorted(started) or scripts.interfaces(view)
    for directory in ("/etc/network/if-pre-up.d", "/etc/network/if-up.d"):
        for name in view.names(directory):
            path = f"{directory}/{name}"
            own = runs if runs.verdict is not YES else view.executable(path)
            if own.verdict is YES and not _NAME.fullmatch(name):
                own = Runs(NO, f"run-parts passes over a file with such a name as {name}")
            situations = [(_variables(each), ()) for each in names]
            yield from scripts.of_file(view, scripts.Source("ifupdown", path, own), situations)


def _variables(interface: str) -> dict[str, Value]:
    return {"IFACE": Value(interface), "LOGICAL": Value(interface), "MODE": Value("start")}


def _interfaces(view: View) -> tuple[list[_Command], set[str]]:
    """The commands of each stanza that run when its interface comes up, and the interfaces that come up at boot."""
    commands: list[_Command] = []
    started: set[str] = set()
    todo = [INTERFACES]
    seen: set[str] = set()
    if INTERFACES.rsplit("/", 1)[1] not in view.names("/etc/network"):
        todo += [f"{INTERFACES}.d/{name}" for name in view.names(f"{INTERFACES}.d")]
    while todo:
        path = todo.pop(0)
        if path in seen:
            continue
        seen.add(path)
        interface = ""
        for number, line in _logical(view.text(path) or ""):
            word, _, rest = line.partition(" ")
            if word in ("iface", "mapping"):
                interface = rest.split()[0] if word == "iface" and rest.split() else ""
            elif word == "auto" or word.startswith("allow-"):
                interface = ""
                started |= {name for each in rest.split() for name in _plain(view, each)}
            elif word in ("source", "source-directory"):
                todo += _sourced(view, path, word, rest.strip())
            elif word in _STARTS and interface:
                commands.append(_Command(interface, path, number, rest))
    return commands, started


def _plain(view: View, name: str) -> list[str]:
    """`auto /ens*` names interfaces by a pattern (ifupdown2 and ifupdown from 0.8.36 on)."""
    if not name.startswith("/"):
        return [name.partition("=")[0]]
    pattern = re.compile(re.escape(name.strip("/").partition("=")[0]).replace(r"\*", ".*"))
    return [each for each in scripts.interfaces(view) if pattern.fullmatch(each)]


def _sourced(view: View, path: str, word: str, argument: str) -> list[str]:
    place = posixpath.join(posixpath.dirname(path), argument)
    if word == "source-directory" or not re.search(r"[*?\[]", place):
        if place.rsplit("/", 1)[-1] in view.names(posixpath.dirname(place)) and view.text(place) is not None:
            return [place]
        return [f"{place}/{name}" for name in view.names(place) if _NAME.fullmatch(name)]
    directory, _, pattern = place.rpartition("/")
    wanted = re.compile(re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]"))
    return [f"{directory}/{name}" for name in view.names(directory) if wanted.fullmatch(name)]


def _logical(text: str) -> Iterator[tuple[int, str]]:
    kept, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        start = start or number
        if line.endswith("\\"):
            kept += line[:-1] + " "
            continue
        line = re.sub(r"^(\S+)\s+", r"\1 ", (kept + line).strip())
        if line and not line.startswith("#"):
            yield start, line
        kept, start = "", 0
