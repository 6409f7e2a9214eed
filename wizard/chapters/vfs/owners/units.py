"""Units of others that systemd starts at boot, with what is added to them and the scripts that they run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from wizard.chapters.vfs.owners import ini, scripts, shell
from wizard.chapters.vfs.owners.model import NO, RUNS, UNKNOWN, YES, Owner, Runs, Verdict
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.view import OURS, UNITS, View
from wizard.dataclass import dataclass

_STARTS = ("ExecStartPre", "ExecStart", "ExecStartPost", "ExecCondition")
_PULLS = ("Wants", "Requires", "BindsTo", "Upholds", "Requisite")


@dataclass(frozen=True, slots=True)
class _Line:
    path: str
    number: int
    command: str


def read(view: View) -> Iterator[Owner]:
    if not view.facts.system.init_system.may_run_units:
        return
    started = view.started_by()
    for name, path in _services(view).items():
        drop_ins = view.layered([f"{units}/{name}.d" for units in UNITS], ".conf")
        texts = [(path, view.text(path) or ""), *((each, view.text(each) or "") for each in drop_ins)]
        lines = _commands(texts)
        if not any(shell.worth(line.command) for line in lines):
            continue
        whole = [section for _, text in texts for section in ini.sections(text)]
        stem, template, _ = name.removesuffix(".service").partition("@")
        names = [each for each in started if template and each.startswith(f"{stem}@")] if template else [name]
        for each in names:
            found = _writes(view, each, lines)
            if found:
                runs = _runs(view, each, whole, started)
                yield from scripts.owners(view, scripts.Source(each, lines[0].path, runs), found)


def _services(view: View) -> dict[str, str]:
    """Each service by its name: a file of an earlier directory goes before those of later ones, /dev/null masks it."""
    found: dict[str, str] = {}
    for units in UNITS:
        for name in view.names(units):
            path = f"{units}/{name}"
            if name.endswith(".service") and not name.startswith(OURS):
                found.setdefault(name, path)
            elif name.endswith(".service.d"):
                found.setdefault(
                    name.removesuffix(".d"), next((f"{each}/{name.removesuffix('.d')}" for each in UNITS), path)
                )
    return {name: path for name, path in found.items() if not view.is_masked(path)}


def _commands(texts: list[tuple[str, str]]) -> list[_Line]:
    """What is started, in its order; an empty ExecStart= takes those before it away."""
    found: list[tuple[str, _Line]] = []
    for path, text in texts:
        for section in ini.sections(text):
            for key, value, line in section.entries if section.name == "Service" else ():
                if key in _STARTS and not value:
                    found = [each for each in found if each[0] != key]
                elif key in _STARTS:
                    found.append((key, _Line(path, line, value)))
    return [line for _, line in found]


def _runs(view: View, name: str, whole: list[ini.Section], started: dict[str, None]) -> Runs:
    conditions = [
        entry
        for section in whole
        if section.name == "Unit"
        for entry in section.entries
        if entry[0].startswith(("Condition", "Assert"))
    ]
    doubtful = next((key for key, value, _ in conditions if value and _holds(view, key, value) is not YES), "")
    if name in started or name.replace(".service", ".timer") in started or _pulled(view, name, started):
        return (
            Runs(UNKNOWN, f"{name} is started under a condition ({doubtful}) that cannot be determined")
            if doubtful
            else RUNS
        )
    if any(section.name == "Install" for section in whole):
        return Runs(NO, f"{name} is not enabled, so that nothing starts it")
    return Runs(UNKNOWN, f"nothing that was looked into starts {name}")


def _holds(view: View, key: str, value: str) -> Verdict:
    """A condition about a file of the card's is one about the card; others depend on the moment."""
    if key.endswith("PathExists") and not value.startswith(("!", "|")):
        if value.rsplit("/", 1)[-1] in ("sriov_numvfs", "sriov_totalvfs"):
            return YES if YES in view.cards.target(value).values() else UNKNOWN
        return YES if view.exists(value) else UNKNOWN
    return UNKNOWN


def _pulled(view: View, name: str, started: dict[str, None]) -> bool:
    """Whether a unit that is started asks for it."""
    for each in started:
        path = view.unit(each)
        text = view.text(path) if path else None
        if text and name in text:
            for section in ini.sections(text):
                if section.name == "Unit" and any(
                    name in value.split() for key, value, _ in section.entries if key in _PULLS
                ):
                    return True
    return False


def _writes(view: View, name: str, lines: list[_Line]) -> list[shell.Write]:
    instance = name.removesuffix(".service").partition("@")[2]
    found: list[shell.Write] = []
    for line in lines:
        text = re.sub(r"%([iIjJnN%])", lambda match: _specifier(match[1], name, instance), line.command)
        found += shell.command(view, _argv(text), line.path, line.number)
    return shell.settled(found)


def _specifier(letter: str, name: str, instance: str) -> str:
    if letter == "I":
        return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), instance.replace("-", "/"))
    return {"i": instance, "j": instance, "J": instance, "n": name, "N": name.rpartition(".")[0], "%": "%"}[letter]


def _argv(command: str) -> list[Value]:
    """The words as systemd cuts them: $$ is a dollar, and ${NAME} of the environment is not known here."""
    text = command.lstrip("-@:+!|")
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return [Value(re.sub(r"\$(\{\w+\}|[A-Za-z_]\w*)", r"$\1", word).replace("$$", "$")) for word in words]
