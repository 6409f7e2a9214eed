"""Running processes, from /proc. Recorded nodes may hold only those that matter."""

from __future__ import annotations

import posixpath
import re

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.integers import parse_int
from wizard.node import best_effort
from wizard.node.node import Node
from wizard.regex import regex

TICKS = 100  # USER_HZ: the unit of the times in /proc/PID/stat, the same on every architecture that runs nova-compute
_INTERPRETER = regex(r"python[\d.]*|pypy[\d.]*")
# setproctitle (neutron/agent/linux, neutron/cmd/agents): a title in place of the arguments, with these as one text in brackets
_TITLE = regex(r"[\w.-]+(?:: [^()]+)? \((/?[\w./-]+(?: .*)?)\)", re.DOTALL)
_START_TIME = 19  # field 22 of /proc/PID/stat, counted from the field after the closing bracket of the name


@dataclass(frozen=True, slots=True)
class Process:
    """A process with arguments. `cgroup` is /proc/PID/cgroup, or empty; `started` is in seconds since the epoch."""

    pid: int
    argv: tuple[str, ...]
    cgroup: str
    started: float | None

    @property
    def path(self) -> str:
        """What it runs: of a script, the script and not its interpreter."""
        first, rest = self.argv[0], list(self.argv[1:])
        if not _INTERPRETER.fullmatch(posixpath.basename(first)):
            return first
        while rest:
            word = rest.pop(0)
            if word == "-c":
                return first
            if word == "-m":
                return rest[0] if rest else first
            if word in ("-W", "-X"):
                del rest[:1]
            elif not word.startswith("-"):
                return word
        return first

    @property
    def program(self) -> str:
        """The base name of :attr:`path`: `nova-compute`, whatever interpreter runs it."""
        return posixpath.basename(self.path)

    def options(self, name: str) -> tuple[str, ...]:
        """Every value of an option, given as `--name=value` or `--name value`, in order."""
        found: list[str] = []
        for index, word in enumerate(self.argv[1:], start=1):
            if word.startswith(f"{name}="):
                found.append(word.partition("=")[2])
            elif word == name and index + 1 < len(self.argv):
                found.append(self.argv[index + 1])
        return tuple(found)

    def option(self, name: str) -> str:
        """The last value of an option, or empty."""
        found = self.options(name)
        return found[-1] if found else ""


@dataclass(frozen=True, slots=True)
class Processes:
    """All that could be seen, by pid. `hidden` says why there may be others; empty where there are none."""

    seen: tuple[Process, ...]
    hidden: str

    def of(self, *programs: str) -> tuple[Process, ...]:
        """The processes that run one of these programs."""
        return tuple(process for process in self.seen if process.program in programs)


def older(started: float | None, modified: float) -> bool:
    """Whether a process was surely started before a file was last written; both in seconds since the epoch.

    The kernel's boot time, from which starts are counted, is whole seconds and moves by one: two are let pass.
    """
    return started is not None and started + 2.0 < modified


def read(node: Node) -> Processes:
    """Every process with arguments; kernel threads have none."""
    boot = _boot_time(node)
    pids = sorted(pid for name in best_effort.names(node, "/proc") if (pid := parse_int(name)) is not None)
    seen = tuple(process for pid in pids if (process := _process(node, pid, boot)) is not None)
    return Processes(seen, _hidden(node, seen))


def _hidden(node: Node, seen: tuple[Process, ...]) -> str:
    if not seen:
        return "no process can be seen" if node.live else "no processes were recorded"
    if node.privileged:
        return ""
    first_unseen = node.live and all(process.pid != 1 for process in seen)
    if first_unseen or _mounted_hiding(node):
        return "/proc hides other users' processes (hidepid): root rights are needed"
    return ""


def _mounted_hiding(node: Node) -> bool:
    mounts = node.text("/proc/mounts") or node.text("/proc/self/mounts") or ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[1:3] == ["/proc", "proc"]:
            return any(
                option.startswith("hidepid=") and option[8:] not in ("0", "off") for option in fields[3].split(",")
            )
    return False


def _process(node: Node, pid: int, boot: float | None) -> Process | None:
    try:
        line = node.read(f"/proc/{pid}/cmdline")
    except NodeError:
        return None
    line = line.rstrip(b"\0\n")
    if not line:
        return None
    argv = _behind_title(tuple(line.decode("utf-8", "replace").split("\0")))
    return Process(pid, argv, node.text(f"/proc/{pid}/cgroup") or "", _started(node, pid, boot))


def _behind_title(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments of a process that shows a title of its own in their place; others as they are."""
    match = _TITLE.fullmatch(argv[0]) if len(argv) == 1 else None
    return tuple(match[1].split()) if match else argv


def _boot_time(node: Node) -> float | None:
    for line in (node.text("/proc/stat") or "").splitlines():
        word, _, value = line.partition(" ")
        if word == "btime" and value.strip().isdecimal():
            return float(value)
    return None


def _started(node: Node, pid: int, boot: float | None) -> float | None:
    fields = (node.text(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    if boot is None or len(fields) <= _START_TIME or not fields[_START_TIME].isdecimal():
        return None
    return boot + int(fields[_START_TIME]) / TICKS
