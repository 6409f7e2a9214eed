"""A node's files, as the readers of this package look at them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from wizard.chapters.vfs.owners.cards import Cards
from wizard.chapters.vfs.owners.model import NO, RUNS, UNKNOWN, Runs
from wizard.errors import NodeError
from wizard.facts.facts import Facts

OURS = "compute-wizard-"
MOST_FILES = 500  # of one directory; more are no configuration
LONGEST = 64 * 1024  # bytes of a file that is looked into; what is larger is a program
UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_SCRIPT_SHELLS = ("sh", "bash", "dash", "ksh", "busybox")


class View:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.cards = Cards(facts)

    def names(self, directory: str) -> list[str]:
        return sorted(self.facts.files.names(directory))[:MOST_FILES]

    def text(self, path: str) -> str | None:
        """A small text file; None where there is none, or it is a program or may not be read."""
        if not self.facts.files.is_small(path, LONGEST):
            return None
        content = self.facts.content(path)
        if content is None or b"\0" in content:
            return None
        return content.decode("utf-8", "replace")

    def exists(self, path: str) -> bool:
        """Whether there is a file, a directory or a device."""
        real = self.facts.files.destination(path)
        if real is None:
            return False
        return posixpath.basename(real) in self.facts.files.names(posixpath.dirname(real))

    def mode(self, path: str) -> int | None:
        """The permission bits of a small file, all links followed."""
        if not self.facts.files.is_small(path, LONGEST):
            return None
        try:
            found = self.facts.files.get(path)
        except NodeError:
            return None
        return found.mode if found is not None else None

    def owner(self, path: str) -> str:
        try:
            found = self.facts.files.get(path)
        except NodeError:
            return ""
        return found.owner if found is not None else ""

    def layered(self, directories: Sequence[str], *endings: str) -> list[str]:
        """Files of several directories by name: one of an earlier directory hides those of the same name, as /dev/null masks them."""
        first: dict[str, str] = {}
        for directory in directories:
            for name in self.names(directory):
                if name.endswith(endings):
                    first.setdefault(name, f"{directory}/{name}")
        return [path for _, path in sorted(first.items()) if not self.is_masked(path)]

    def is_masked(self, path: str) -> bool:
        return self.facts.files.destination(path) == "/dev/null"

    def executable(self, path: str) -> Runs:
        """For a script that its reader starts as a program."""
        mode = self.mode(path)
        if mode is not None and not mode & 0o111:
            return Runs(NO, f"{path} is not executable, so that nothing runs it")
        return RUNS

    def has_program(self, *names: str) -> Runs:
        """Whether one of these commands is there. Only a live node proves an absence: a recording holds few."""
        if not self.facts.live or any(self.facts.files.command(name) for name in names):
            return RUNS
        return Runs(NO, f"{names[0]} is not installed, so that nothing reads it")

    def unit(self, name: str) -> str | None:
        """Where systemd finds a unit, or None."""
        stem, at, rest = name.partition("@")
        wanted = [name, *([f"{stem}@.{rest.rpartition('.')[2]}"] if at else [])]
        return next((f"{each}/{one}" for one in wanted for each in UNITS if self.exists_name(each, one)), None)

    def exists_name(self, directory: str, name: str) -> bool:
        return name in self.facts.files.names(directory)

    def started_by(self) -> dict[str, None]:
        """The names of units that a target starts at boot: links in the directories .wants and .requires."""
        return dict.fromkeys(
            link
            for units in UNITS
            for name in self.names(units)
            if name.endswith((".wants", ".requires"))
            for link in self.names(f"{units}/{name}")
        )

    def unit_masked(self, name: str) -> bool:
        path = self.unit(name)
        return path is not None and self.is_masked(path)

    def service(self, *names: str) -> Runs:
        """For a service that reads a file: masked, or there and not enabled, it reads nothing."""
        if not self.facts.system.init_system.runs_units:
            return RUNS
        there = [name for name in names if self.unit(name)]
        if not there:  # only a live node proves an absence, and even there the reader may go by another name
            missing = bool(names) and self.facts.live
            return Runs(UNKNOWN, f"there is no {names[0]}, which would read it") if missing else RUNS
        if all(self.unit_masked(name) for name in there):
            return Runs(NO, f"{there[0]} is masked, so that nothing reads it")
        if not self.started_by().keys() & set(there) and any(self._installs(name) for name in there):
            return Runs(NO, f"{there[0]} is not enabled, so that nothing reads it")
        return RUNS

    def _installs(self, name: str) -> bool:
        return "[Install]" in (self.text(self.unit(name) or "") or "")

    def shell_of(self, text: str) -> bool:
        """Whether a script is one of a shell; without a first line that says so, its starter takes it for one."""
        first = text.split("\n", 1)[0]
        if not first.startswith("#!"):
            return True
        words = [posixpath.basename(word) for word in first[2:].split()]
        return any(word in _SCRIPT_SHELLS for word in words)
