"""Init systems: how each is recognized, and what it starts. The changing half is `wizard/chapters/shared/init_system.py`."""

from __future__ import annotations

from typing import Literal

from wizard.dataclass import dataclass
from wizard.node import best_effort
from wizard.node.node import Node

Init = Literal["systemd", "upstart", "sysvinit", "unknown"]


@dataclass(frozen=True, slots=True)
class InitSystem:
    """What follows from an init system, for whoever reads what it starts."""

    name: Init
    runs_units: bool = False  # starts units, and reads what systemd's helpers read
    may_run_units: bool = False  # the same, or it is not known
    runs_jobs: bool = False  # starts the jobs of /etc/init


INIT_SYSTEMS = (
    InitSystem("systemd", runs_units=True, may_run_units=True),
    InitSystem("upstart", runs_jobs=True),
    InitSystem("sysvinit"),
    InitSystem("unknown", may_run_units=True),
)
_BY_NAME = {each.name: each for each in INIT_SYSTEMS}


def init_system(name: Init) -> InitSystem:
    return _BY_NAME[name]


def recognized(node: Node) -> Init:
    """What runs as PID 1, or would after a boot."""
    if node.exists("/run/systemd/system"):
        return "systemd"
    first = (node.text("/proc/1/cmdline") or "").split("\0")[0] + " " + (node.text("/proc/1/comm") or "")
    target = best_effort.resolved(node, "/sbin/init")
    if "systemd" in first or target.endswith("/systemd"):
        return "systemd"
    if any(name.endswith(".conf") for name in best_effort.names(node, "/etc/init")) and not node.exists(
        "/lib/systemd/systemd"
    ):
        return "upstart"
    if node.exists("/lib/systemd/systemd") or node.exists("/usr/lib/systemd/systemd"):
        return "systemd"
    return "sysvinit" if node.exists("/etc/inittab") else "unknown"
