"""What serves guests on this node: the namespaces of DHCP and metadata, the proxies in them, and what guests are told."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts.processes import Processes
from wizard.formats import ovn_dhcp
from wizard.formats.ovn_dhcp import Told
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

__all__ = ["Namespace", "Told", "flows_command", "namespaces", "told_by_dnsmasq", "told_by_flows"]

PLACES = ("/run/netns", "/var/run/netns")
STATE = "/var/lib/neutron"
_NAMESPACE = regex(r"(ovnmeta|qdhcp)-(.+)")
_PROXIES = {"ovnmeta": "ovn-metadata-proxy", "qdhcp": "ns-metadata-proxy"}


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace of Neutron's. `kind` is ovnmeta or qdhcp, `network` Neutron's id of the network; `proxy` says whether its
    haproxy is seen running, None where processes are not seen."""

    name: str
    kind: str
    network: str
    proxy: bool | None


def flows_command(bridge: str) -> tuple[str, ...]:
    """What asks for the flows of DHCP alone: a match lets through only flows that have it (ovs-ofctl(8), dump-flows)."""
    return ("ovs-ofctl", "--timeout=20", "dump-flows", bridge, "udp,tp_src=68,tp_dst=67")


def namespaces(node: Node, running: Processes) -> tuple[tuple[Namespace, ...], tuple[Unseen, ...]]:
    names: set[str] = set()
    for place in PLACES:
        try:
            names |= set(node.names(place))
        except NodeError as error:
            return (), (Unseen(place, error.what),)
    seen = not running.hidden
    proxies = {
        value
        for process in running.of("haproxy")
        for value in (*process.options("-f"), *(word for word in process.argv if word.endswith(".conf")))
    }
    found = []
    for name in sorted(names):
        match = _NAMESPACE.fullmatch(name)
        if match:
            runs = any(_is_proxy(path, match[1], match[2]) for path in proxies)
            found.append(Namespace(name, match[1], match[2], True if runs else False if seen else None))
    return tuple(found), ()


def _is_proxy(path: str, kind: str, network: str) -> bool:
    """haproxy's own file is STATE/ovn-metadata-proxy/NET.conf, or ns-metadata-proxy/NET.conf (neutron's driver_base.py)."""
    directory, name = posixpath.split(path)
    return name == f"{network}.conf" and posixpath.basename(directory) == _PROXIES[kind]


def told_by_flows(node: Node, bridge: str) -> tuple[tuple[Told, ...] | None, tuple[Unseen, ...]]:
    """What OVN tells guests on this chassis; None where the flows could not be read."""
    said = best_effort.ask(node, flows_command(bridge), timeout=30.0)
    if said is None or said.status != 0:
        why = (said.stderr.strip().splitlines() or ["no answer"])[-1] if said is not None else "no answer"
        why = f"ovs-ofctl: {why}" if node.live or said is not None else "what ovs-ofctl says was not recorded"
        return None, (Unseen(f"what guests are told by DHCP (flows of {bridge})", why),)
    return ovn_dhcp.of_flows(said.stdout), ()


def told_by_dnsmasq(node: Node, states: Iterable[str]) -> tuple[tuple[Told, ...], tuple[Unseen, ...]]:
    """What the DHCP agent's dnsmasq on this node tells guests, by its option files; `states` are values of state_path."""
    found: list[Told] = []
    unseen: list[Unseen] = []
    for state in dict.fromkeys([*states, STATE]):
        place = f"{state}/dhcp"
        try:
            networks = node.names(place)
        except NodeError as error:
            unseen.append(Unseen(place, error.what))
            continue
        for network in networks:
            path = f"{place}/{network}/opts"
            try:
                if node.exists(path):
                    found += ovn_dhcp.of_option_file(node.read(path).decode("utf-8", "replace"), network)
            except NodeError as error:
                unseen.append(Unseen(path, error.what))
    return tuple(found), tuple(unseen)
