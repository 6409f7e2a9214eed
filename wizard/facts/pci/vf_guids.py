"""The GUIDs that an InfiniBand PF's VFs have: from the driver's own files, where it has them, else from ip."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.facts.pci.directory import Place
from wizard.node import best_effort
from wizard.node.node import Node
from wizard.regex import regex

# iproute2's print_vfinfo, since 5.5: "vf 0 link/infiniband ..., NODE_GUID 02:.., PORT_GUID 02:.., link-state auto, trust off"
_VF = regex(r"^\s*vf (\d+) .*?NODE_GUID ([0-9a-f:]{23}), PORT_GUID ([0-9a-f:]{23})", re.IGNORECASE | re.MULTILINE)


def command(interface: str) -> list[str]:
    """What ip is asked; recordings hold its answer."""
    return ["ip", "link", "show", "dev", interface]


def read(node: Node, place: Place, interfaces: Sequence[str], count: int) -> tuple[str, ...] | None:
    """The node GUID of each VF by its number, sixteen digits; "" where its port's is another one. None where nothing says it."""
    own = [_own(place, number) for number in range(count)] if "sriov" in place.names else []
    if own and all(each is not None for each in own):
        return tuple(each or "" for each in own)
    for interface in interfaces:
        said = best_effort.ask(node, command(interface))
        found = {int(n): _same(a, b) for n, a, b in _VF.findall(said.stdout)} if said and not said.status else {}
        if found.keys() >= {*range(count)}:
            return tuple(found[number] for number in range(count))
    return None


def _own(place: Place, number: int) -> str | None:
    where = place.inside("sriov", str(number))
    said = [place.node.text_at(where, name) if where else None for name in ("node", "port")]
    return None if None in said else _same(said[0] or "", said[1] or "")


def _same(node_guid: str, port_guid: str) -> str:
    one, other = (re.sub(r"[^0-9a-f]", "", each.lower()) for each in (node_guid, port_guid))
    return one if one == other else ""
