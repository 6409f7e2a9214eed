"""Open vSwitch as its own database tells it: mapped bridges and their physical ports, guests' ports, hardware offload.

The database is asked, never changed: `ovs-vsctl list` is a read, `--dry-run` keeps it from making a missing row, and nothing waits for
the switch. OVSDB's values in JSON are those of RFC 7047, 5.1: a map is ["map", [[key, value], ...]], a set ["set", [...]] or one value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from wizard.dataclass import dataclass
from wizard.facts.network.links import Link
from wizard.integers import parse_int
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

_ASK = ("ovs-vsctl", "--dry-run", "--no-wait", "--timeout=10", "--format=json")
OPEN_VSWITCH = (*_ASK, "--columns=external_ids,other_config,ovs_version", "list", "Open_vSwitch")
BRIDGES = (*_ASK, "--columns=name,ports", "list", "Bridge")
PORTS = (*_ASK, "--columns=_uuid,name,interfaces", "list", "Port")
INTERFACES = (*_ASK, "--columns=_uuid,name,type,ofport,external_ids,mac_in_use", "list", "Interface")
COMMANDS = (OPEN_VSWITCH, BRIDGES, PORTS, INTERFACES)
"""What is asked; recorder.sh asks the same."""
SHOWN = ("ovn-bridge-mappings", "ovn-cms-options", "ovn-bridge", "ovn-encap-type", "system-id", "ovn-monitor-all")
"""The external_ids that are kept: others may be anybody's."""
INTEGRATION = "br-int"


@dataclass(frozen=True, slots=True)
class GuestPort:
    """A port of the integration bridge that nova plugged a guest into."""

    name: str
    port_id: str  # Neutron's
    mac: str
    ofport: int | None


@dataclass(frozen=True, slots=True)
class Bridge:
    """`physical` are its ports that lead out of the node: links that are cards, bonds or VLANs, or are DPDK's."""

    name: str
    ports: tuple[str, ...]
    physical: tuple[str, ...]
    mtu: int | None = None  # the least of its physical ports; None where none says one


@dataclass(frozen=True, slots=True)
class Representor:
    """The host's end of a VF of a card in switchdev mode: its interface, and the port as the driver names it, such as pf0vf1."""

    name: str
    port: str


_VF_PORT = regex(r"(?:c\d+)?pf\d+vf\d+")


def representors(node: Node, links: Iterable[Link]) -> tuple[Representor, ...]:
    """Only in switchdev mode has such an interface a switch (drivers' phys_switch_id) and a VF's port name."""
    found = []
    for link in links:
        place = f"/sys/class/net/{link.name}"
        port = (node.text(f"{place}/phys_port_name") or "").strip()
        if _VF_PORT.fullmatch(port) and (node.text(f"{place}/phys_switch_id") or "").strip():
            found.append(Representor(link.name, port))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Switch:
    """Open vSwitch. `known` is False where its database could not be read: then nothing else says anything."""

    known: bool = False
    version: str = ""
    external_ids: tuple[tuple[str, str], ...] = ()  # of SHOWN, and those with the chassis' own name behind
    hw_offload: bool = False
    bridges: tuple[Bridge, ...] = ()
    guests: tuple[GuestPort, ...] = ()

    def setting(self, name: str) -> tuple[str, str] | None:
        """The key and value that ovn-controller takes: one with the chassis' own name behind comes first (ovn-controller(8))."""
        ids = dict(self.external_ids)
        own = f"{name}-{ids.get('system-id', '')}"
        return next(((key, ids[key]) for key in (own, name) if key in ids), None)

    @property
    def integration(self) -> str:
        return dict(self.external_ids).get("ovn-bridge", INTEGRATION)

    def bridge(self, name: str) -> Bridge | None:
        return next((bridge for bridge in self.bridges if bridge.name == name), None)


def read(node: Node, links: Iterable[Link], expected: bool) -> tuple[Switch, tuple[Unseen, ...]]:
    """Open vSwitch; `expected` is whether it runs here, so that its silence is told."""
    rows = {argv[-1]: _asked(node, argv) for argv in COMMANDS} if expected else {}
    top = rows.get("Open_vSwitch")
    if not top:
        why = "ovs-vsctl gave no answer" if node.live else "what ovs-vsctl says was not recorded"
        if node.live and node.command("ovs-vsctl") is None:
            why = "there is no ovs-vsctl here: Open vSwitch is in a container, or of a snap"
        return Switch(), (Unseen("Open vSwitch's database", why),) if expected else ()
    ids = _map(top[0].get("external_ids"))
    other = _map(top[0].get("other_config"))
    interfaces = rows.get("Interface") or []
    switch = Switch(
        known=True,
        version=str(top[0].get("ovs_version") or ""),
        external_ids=tuple((key, ids[key]) for key in sorted(ids) if _is_shown(key)),
        hw_offload=other.get("hw-offload", "").lower() == "true",
        bridges=_bridges(node, rows, {link.name: link for link in links}),
        guests=tuple(sorted(filter(None, map(_guest, interfaces)), key=lambda each: each.name)),
    )
    missing = [table for table, found in rows.items() if found is None]
    return switch, tuple(Unseen(f"Open vSwitch's table {table}", "ovs-vsctl gave no answer") for table in missing)


def _is_shown(key: str) -> bool:
    return key in SHOWN or any(key.startswith(f"{name}-") for name in SHOWN[:2])


def _asked(node: Node, argv: tuple[str, ...]) -> list[dict[str, Any]] | None:
    """The rows of a table; None where there is no answer that can be read."""
    said = best_effort.ask(node, argv)
    if said is None or said.status != 0:
        return None
    try:
        data = json.loads(said.stdout)
        return [dict(zip(data["headings"], row, strict=True)) for row in data["data"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _map(value: Any) -> dict[str, str]:
    if isinstance(value, list) and len(value) == 2 and value[0] == "map" and isinstance(value[1], list):
        return {str(pair[0]): str(pair[1]) for pair in value[1] if isinstance(pair, list) and len(pair) == 2}
    return {}


def _set(value: Any) -> list[Any]:
    if isinstance(value, list) and len(value) == 2 and value[0] == "set" and isinstance(value[1], list):
        return value[1]
    return [] if value is None else [value]


def _uuids(value: Any) -> list[str]:
    return [str(each[1]) for each in _set(value) if isinstance(each, list) and len(each) == 2 and each[0] == "uuid"]


def _bridges(
    node: Node, rows: Mapping[str, list[dict[str, Any]] | None], links: Mapping[str, Link]
) -> tuple[Bridge, ...]:
    interfaces = {uuid: row for row in rows.get("Interface") or [] for uuid in _uuids(row.get("_uuid"))}
    ports = {uuid: row for row in rows.get("Port") or [] for uuid in _uuids(row.get("_uuid"))}
    found = []
    for row in rows.get("Bridge") or []:
        own = [ports[uuid] for uuid in _uuids(row.get("ports")) if uuid in ports]
        names = sorted(str(port.get("name")) for port in own)
        below = [interfaces[uuid] for port in own for uuid in _uuids(port.get("interfaces")) if uuid in interfaces]
        physical = sorted(str(each.get("name")) for each in below if _is_physical(each, links))
        sizes = [parse_int(node.text(f"/sys/class/net/{name}/mtu") or "") for name in physical if name in links]
        mtu = min((size for size in sizes if size is not None), default=None)
        found.append(Bridge(str(row.get("name")), tuple(names), tuple(physical), mtu))
    return tuple(sorted(found, key=lambda bridge: bridge.name))


def _is_physical(interface: Mapping[str, Any], links: Mapping[str, Link]) -> bool:
    kind = str(interface.get("type") or "")
    if kind.startswith("dpdk") and not kind.startswith("dpdkvhost"):
        return True
    if kind not in ("", "system", "afxdp") or "iface-id" in _map(interface.get("external_ids")):
        return False
    link = links.get(str(interface.get("name")))
    return link is not None and link.kind in ("physical", "vlan", "bond")


def _guest(interface: Mapping[str, Any]) -> GuestPort | None:
    """os-vif writes the guest's uuid beside Neutron's port (vif_plug_ovs/ovsdb/ovsdb_lib.py); agents' own ports have none."""
    ids = _map(interface.get("external_ids"))
    if not ids.get("iface-id") or not (ids.get("vm-uuid") or ids.get("vm-id")):
        return None
    ofport = interface.get("ofport")
    number = ofport if isinstance(ofport, int) and not isinstance(ofport, bool) else None
    return GuestPort(str(interface.get("name")), ids["iface-id"], ids.get("attached-mac", "").lower(), number)
