"""modprobe: install lines that write sriov_numvfs, and options by which a driver makes VFs of its own as it is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.boot import next_command_line
from wizard.chapters.vfs.owners import scripts, shell
from wizard.chapters.vfs.owners.model import RUNS, UNKNOWN, YES, Owner, Runs, Verdict
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.view import View
from wizard.formats import kernel_arguments, modprobe
from wizard.integers import parse_int

PARAMETERS = {
    "igb": "max_vfs",
    "ixgbe": "max_vfs",
    "be2net": "num_vfs",
    "bnx2x": "num_vfs",
    "sfc": "max_vfs",
    "cxgb4": "num_vf",
}
"""Drivers that make VFs by an option (drivers/net/ethernet/…; Intel's own igb and ixgbe know a list, a number for each port)."""


def files(view: View) -> list[str]:
    """All that modprobe reads, in its order."""
    return modprobe.order(f"{directory}/{name}" for directory in modprobe.DIRECTORIES for name in view.names(directory))


def logical(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines, joined where a backslash ends them, as their words and with the number of their first."""
    kept, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\"):
            kept += line[:-1] + " "
            continue
        words = (kept + line).split()
        if words and not words[0].startswith("#"):
            yield start, words
        kept, start = "", 0


def options(view: View) -> Iterator[Owner]:
    """Of a list each port gets its own number, by the order of the bus; a single one counts for all, but for Intel's own driver."""
    for module, parameter in PARAMETERS.items():
        ports = sorted((each for each in view.cards.functions if each.driver == module), key=lambda each: each.address)
        found = _given(view, module, parameter) if ports else None
        if found is None:
            continue
        path, line, value, text = found
        numbers = value.split(",")
        for index, function in enumerate(ports):
            runs = RUNS
            if len(numbers) == 1:
                count = parse_int(numbers[0])
                if index and view.facts.content(f"/sys/module/{module}/version") is not None:
                    runs = Runs(
                        UNKNOWN, f"whether one number counts for all ports depends on where {module} comes from"
                    )
            else:
                count = parse_int(numbers[index]) if index < len(numbers) else 0
            if count:
                yield Owner(
                    f"the driver {module}",
                    path,
                    line,
                    text,
                    count,
                    view.cards.only(function.address),
                    f"{parameter}={{count}}",
                    runs=runs,
                )


def _given(view: View, module: str, parameter: str) -> tuple[str, int, str, str] | None:
    """Where the parameter is given last: on the kernel's line, which goes before every file, else in a file."""
    name = f"{module}.{parameter}"
    line = next_command_line.next_boot(view.facts).arguments
    words = [word for word in kernel_arguments.split(line or "") if kernel_arguments.key(word) == name]
    if words:
        layers = next_command_line.next_boot(view.facts).layers
        place = next(
            ((path, number) for path, number, _, text in layers if words[-1] in text.split()),
            ("the kernel's command line", 0),
        )
        return place[0], place[1], words[-1].partition("=")[2], words[-1]
    contents = [(path, content) for path in files(view) if (content := view.facts.content(path)) is not None]
    places = modprobe.places(contents, module, parameter)
    if not places:
        return None
    path, number, word = places[-1]
    return path, number, word.partition("=")[2].strip("\"'"), f"options {module} {word}"


def installs(view: View) -> Iterator[Owner]:
    """`install MODULE COMMAND`: modprobe runs the command, by a shell, in place of loading the module."""
    for path in files(view):
        for number, words in logical(view.text(path) or ""):
            if words[0] not in ("install", "softdep") or len(words) < 3 or words[0] == "softdep":
                continue
            command = " ".join(words[2:])
            if not shell.worth(command):
                continue
            runs = RUNS
            if _loaded(view, words[1]) is not YES:
                runs = Runs(UNKNOWN, f"whether {words[1]} is loaded at boot cannot be determined")
            found = shell.writes(view, command, path, first=number, variables={"CMDLINE_OPTS": Value("")})
            yield from scripts.owners(view, scripts.Source("modprobe", path, runs), found)


def _loaded(view: View, module: str) -> Verdict:
    name = module.replace("-", "_")
    drivers = {(function.driver or "").replace("-", "_") for function in view.facts.pci.functions}
    loaded = {line.split()[0] for line in (view.text("/proc/modules") or "").splitlines() if line.split()}
    return YES if name in drivers | loaded else UNKNOWN
