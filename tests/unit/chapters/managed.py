"""Nodes whose nova.conf somebody else writes."""

from __future__ import annotations

from wizard.node.recorded import MemoryNode


def kolla(node: MemoryNode) -> None:
    node.write("/etc/kolla/nova-compute/nova.conf", "[DEFAULT]\n")
    node.write("/proc/2211/cgroup", f"4:memory:/docker/{'0123456789abcdef' * 4}\n")


def juju(node: MemoryNode) -> None:
    node.write("/var/lib/juju/agents/unit-nova-compute-0/agent.conf", "tag: unit-nova-compute-0\n")


def puppet(node: MemoryNode) -> None:
    node.entries["/etc/nova/nova.conf"].content = (
        b"# This file is managed by Puppet\n" + node.entries["/etc/nova/nova.conf"].content
    )
