"""What carries a step out on a simulated node. Only a simulated run loads it: the runner of a live node has no use for a simulator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from wizard.apply.backends import Announce, Tell, is_running, process_of, quiet
from wizard.errors import NodeError
from wizard.simulator.simulated_node import SimulatedNode


class SimulatedBackend:
    """A node that obeys in its directory."""

    why_not = ""

    def __init__(self, directory: Path) -> None:
        self.node = SimulatedNode(directory)

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        said = self.node.obey(argv)
        for line in (said.stdout + said.stderr).splitlines():
            tell(line)
        return said.status

    def flush(self, written: Iterable[str]) -> None:
        """Nothing of it is on a disk of its own."""

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
        self.node.set_attribute(path, value)
        if self.node.text(path) != value:
            raise NodeError(f"{path} is {self.node.text(path)} after {value} was written to it")

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        pid = process_of(self.node, pidfile)
        if pid is None or not is_running(self.node, pid, must_contain):
            return f"no such process is running ({pidfile})"
        self.node.kill(pid)
        return f"process {pid} has ended"
