"""Nodes with a nova of some release, by hand."""

from __future__ import annotations

from wizard.errors import Denied
from wizard.node.recorded import MemoryNode

COMPUTE = ("/usr/bin/python", "/usr/bin/nova-compute")


def run(node: MemoryNode, pid: int, *argv: str, cgroup: str = "0::/", ticks: int = 1000) -> None:
    node.write(f"/proc/{pid}/cmdline", "\0".join(argv) + "\0")
    node.write(f"/proc/{pid}/cgroup", cgroup + "\n")
    node.write(f"/proc/{pid}/stat", f"{pid} (a (b) c) S 1 " + "0 " * 17 + f"{ticks} 0 0\n")
    node.write("/proc/stat", "cpu  1 2 3\nbtime 1700000000\n")


def install(
    node: MemoryNode, version: str, package: str = "nova-compute", status: str = "install ok installed"
) -> None:
    node.write(
        "/var/lib/dpkg/status",
        "Package: bash\nStatus: install ok installed\nVersion: 5.1\n\n"
        f"Package: {package}\nStatus: {status}\nArchitecture: all\nVersion: {version}\nDescription: x\n y\n\n",
    )


def ubuntu(version: str = "1:2015.1.4-0ubuntu2", conf: str = "[DEFAULT]\n") -> MemoryNode:
    node = MemoryNode()
    install(node, version)
    node.write("/etc/nova/nova.conf", conf, 0o640, "root:nova")
    return node


class Hidden(MemoryNode):
    """A node seen without root rights."""

    privileged = False
    closed = ("/etc/nova/nova.conf", "/var/lib/nova/networks", "/var/lib/puppet/state/classes.txt")

    def _read(self, path: str) -> bytes:
        self._check(path)
        return super()._read(path)

    def _names(self, path: str) -> list[str]:
        self._check(path)
        return super()._names(path)

    def _check(self, path: str) -> None:
        if path in self.closed:
            raise Denied("may not be read without root rights", where=path)
