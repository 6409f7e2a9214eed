"""The first SR-IOV card of a machine."""

from __future__ import annotations

from lab.machine import Machine

CARD = "0000:01:00.0"


def numvfs(machine: Machine, card: str = CARD) -> int:
    """How many VFs the kernel says that it has."""
    return int(machine.must(f"cat /sys/bus/pci/devices/{card}/sriov_numvfs"))
