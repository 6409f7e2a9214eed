"""The GUIDs and states that an InfiniBand PF's VFs have: from the driver's own files, where it has them, else from ip."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.dataclass import dataclass
from wizard.facts.pci.directory import Place
from wizard.node import best_effort
from wizard.regex import regex

# iproute2's print_vfinfo, since 5.5: "vf 0 link/infiniband ..., NODE_GUID 02:.., PORT_GUID 02:.., link-state auto, trust off"
_VF = regex(
    r"^\s*vf (\d+) .*?NODE_GUID ([0-9a-f:]{23}), PORT_GUID ([0-9a-f:]{23})(?:.*?link-state (\w+))?",
    re.IGNORECASE | re.MULTILINE,
)
_STATES = {"auto": "follow", "enable": "up", "disable": "down"}  # ip's words for the driver's


@dataclass(frozen=True, slots=True)
class VfPort:
    """`guid` has sixteen digits; "" where node and port have not the same. `policy` is follow, up or down; "" where nothing says it."""

    guid: str
    policy: str


def command(interface: str) -> list[str]:
    """What ip is asked; recordings hold its answer."""
    return ["ip", "link", "show", "dev", interface]


def read(place: Place, interfaces: Sequence[str], count: int) -> tuple[VfPort, ...] | None:
    """Each VF's of a PF by its number; None where nothing says them."""
    own = [_own(place, number) for number in range(count)]
    found = [each for each in own if each is not None]
    if count and len(found) == count:
        return tuple(found)
    for interface in interfaces:
        said = best_effort.ask(place.node, command(interface))
        listed = _VF.findall(said.stdout) if said is not None and not said.status else []
        by_ip = {int(number): VfPort(_same(one, other), _STATES.get(state, "")) for number, one, other, state in listed}
        if by_ip.keys() >= {*range(count)}:
            return tuple(by_ip[number] for number in range(count))
    return None


def _own(place: Place, number: int) -> VfPort | None:
    where = place.inside("sriov", str(number))
    node_guid, port_guid, policy = (
        place.node.text_at(where, name) if where else None for name in ("node", "port", "policy")
    )
    if node_guid is None or port_guid is None:
        return None
    return VfPort(_same(node_guid, port_guid), (policy or "").lower())


def _same(node_guid: str, port_guid: str) -> str:
    one, other = (re.sub(r"[^0-9a-f]", "", each.lower()) for each in (node_guid, port_guid))
    return one if one == other else ""
