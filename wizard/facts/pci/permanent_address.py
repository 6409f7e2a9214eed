"""The address that a network interface came with, which is not always the one that it has.

A bond gives its ports the address of one of them (drivers/net/bonding/bond_main.c, bond_enslave), a team does so too, and anybody can
set one by hand. A bridge and Open vSwitch leave the addresses of their ports alone. The kernel tells the true one by netlink alone
(5.6 and newer, shown by `ip`), and a bond what its ports had when it took them in; of all else, sysfs only says that an address was
set: then the own one is not known.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from wizard.node import best_effort
from wizard.node.node import Node

BONDS = "/proc/net/bonding"
_OWN = "0"  # NET_ADDR_PERM in addr_assign_type (linux/netdevice.h); 1 random, 2 taken from another, 3 set


class OwnAddresses:
    """The own addresses of the interfaces of a node; what says them is asked once, and only where it is needed."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def of(self, place: str, name: str, now: str) -> str:
        """The own address of the interface whose directory in sysfs this is; empty where it is not known."""
        kind = self._node.text(f"{place}/addr_assign_type")
        if kind == _OWN:
            return now
        before = self._node.text(f"{place}/bonding_slave/perm_hwaddr") or ""  # 3.14 and newer
        told = self._by_ip.get(name) or before.lower() or self._by_bonds.get(name)
        if told or kind is not None:
            # where ip knows of such addresses, it leaves out those that are in use
            return told or (now if self._by_ip else "")
        master = self._node.link_name(f"{place}/master") or ""  # a recording may lack the file; every kernel has it
        return "" if master and best_effort.is_directory(self._node, f"/sys/class/net/{master}/bonding") else now

    @cached_property
    def _by_ip(self) -> dict[str, str]:
        """Where the address is another one than now, as `ip` says it (newer iproute2, on such a kernel)."""
        said = best_effort.ask(self._node, ("ip", "-j", "addr"))
        try:
            links: Any = json.loads(said.stdout) if said is not None and said.status == 0 else []
            return {str(link["ifname"]): str(link["permaddr"]).lower() for link in links if "permaddr" in link}
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}

    @cached_property
    def _by_bonds(self) -> dict[str, str]:
        """What the bonds' own files say, which older kernels have too."""
        found: dict[str, str] = {}
        for bond in best_effort.names(self._node, BONDS):
            port = ""
            for line in (self._node.text(f"{BONDS}/{bond}") or "").splitlines():
                key, _, value = line.partition(": ")
                if key == "Slave Interface":
                    port = value.strip()
                elif key == "Permanent HW addr" and port:
                    found[port] = value.strip().lower()
        return found
