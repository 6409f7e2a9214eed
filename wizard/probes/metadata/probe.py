"""Metadata without a guest: on each bridge a port of our own asks DHCP for the router, and fetches from 169.254.169.254.

Nothing of the node's own tables is changed. A guest's address is borrowed for seconds, one that no guest should have and
that nobody answers for; it is forgotten afterwards.
"""

from __future__ import annotations

from contextlib import suppress

from wizard.chapters.metadata import chapter
from wizard.chapters.metadata import service as metadata_service
from wizard.errors import NodeError
from wizard.facts.facts import Facts
from wizard.facts.network import bridge_firewall
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.node.node import Node
from wizard.probes.base import Tell
from wizard.probes.lock import only_one
from wizard.probes.metadata import arp, bridges, neutron
from wizard.probes.metadata import verdicts as readings
from wizard.probes.metadata.bridges import Bridge
from wizard.probes.metadata.client import DHCP_ATTEMPTS, DHCP_PATIENCE, FETCH_LIMIT
from wizard.probes.metadata.namespace import COMMAND_LIMIT, Port, ip, port
from wizard.probes.metadata.verdicts import Seen

NAME = "metadata"
TITLE = "Fetch metadata as a guest would"
LIMITS = (
    "What was proven of metadata is the path: what DHCP tells, and that a request comes to this node's service. Which instance "
    "asks (nova goes by its address) and libvirt's filters on an instance's own port were not asked for."
)

NO_ROUTER = ("192.0.2.1", "02:00:5e:00:00:01")  # TEST-NET-1, and a MAC of nobody's: the rule is met all the same
NEEDED = ("ip", "unshare")


def announce(node: Node, facts: Facts, answers: AllAnswers, only: str = "") -> list[str]:
    """What would be done on each bridge; empty where nothing can be asked."""
    if why_not(node):
        return []
    if facts.nova.networking == "neutron":
        return neutron.announce(facts, only)
    found = [each for each in _bridges(node, facts, answers, only) if not each.why_not]
    return [
        f"on {each.name}: a port of its own for some seconds, that borrows {each.spare[0]} of {each.own.network}"
        for each in found
    ]


def why_not(node: Node) -> str:
    """Why nothing can be asked on this node; empty where it can."""
    if node.simulated or not node.live:
        return "only a live node can be asked"
    if not node.privileged:
        return "a port on a bridge needs root rights"
    missing = [name for name in NEEDED if node.command(name) is None]
    return f"the command {missing[0]} is not on this node" if missing else ""


def prove(node: Node, facts: Facts, answers: AllAnswers, only: str = "", tell: Tell = lambda line: None) -> list[Check]:
    """Ask on every bridge, or on one alone, one after the other, some seconds each."""
    if facts.nova.networking == "neutron":
        return neutron.prove(facts, why_not(node), only)
    found = _bridges(node, facts, answers, only)
    if not found:
        why = f"no network with the bridge {only} is answered or found" if only else "no network is answered or found"
        return [Check(chapter.NAME, "A guest gets metadata from this node", "unknown", why)]
    refusal = why_not(node)
    checks: list[Check] = []
    for bridge in found:
        if refusal or bridge.why_not:
            checks += readings.unknown(bridge.name, refusal or bridge.why_not)
            continue
        tell(f"asking on {bridge.name}")
        try:
            with only_one():
                checks += _on(node, facts, bridge)
        except NodeError as error:
            checks += readings.unknown(bridge.name, str(error))
    return checks


def _bridges(node: Node, facts: Facts, answers: AllAnswers, only: str) -> list[Bridge]:
    names = [name for name in chapter.bridges(facts, answers) if only in ("", name)]
    return [bridges.bridge(facts, answers, name, _guests(node, facts, name)) for name in names]


def _guests(node: Node, facts: Facts, bridge: str) -> frozenset[str]:
    """The addresses of this node's guests on a bridge."""
    return bridges.guest_addresses(node.text(f"{facts.nova.networks_path}/nova-{bridge}.conf") or "")


def _on(node: Node, facts: Facts, bridge: Bridge) -> list[Check]:
    mac, mtu = _shape(node, bridge.name)
    borrowed = _free(bridge, mac)
    try:
        with port(node, bridge.name, bridge.port_prefix) as made:
            seen = _ask(node, facts, bridge, made, borrowed, mac)
    finally:
        with suppress(NodeError):  # a guest that gets this address later is not to be looked for at our port
            ip("-4", "neigh", "flush", "to", borrowed, "dev", bridge.name)
    checks = readings.checks(bridge, seen)
    if (mac, mtu) != _shape(node, bridge.name):
        now = _shape(node, bridge.name)
        what = f"{bridge.name} is as it was before the proof"
        checks.append(Check(chapter.NAME, what, "failed", f"MAC {mac}, MTU {mtu} became MAC {now[0]}, MTU {now[1]}"))
    return checks


def _shape(node: Node, bridge: str) -> tuple[str, str]:
    place = f"/sys/class/net/{bridge}"
    return node.text(f"{place}/address") or "", node.text(f"{place}/mtu") or ""


def _free(bridge: Bridge, mac: str) -> str:
    """The first address to spare that nobody answers for. Raises NodeError."""
    for address in bridge.spare:
        if arp.ask(bridge.name, mac, address) is None:
            return address
    raise NodeError(f"all of {', '.join(bridge.spare)} are taken: no address of {bridge.own.network} could be borrowed")


def _ask(node: Node, facts: Facts, bridge: Bridge, made: Port, borrowed: str, mac: str) -> Seen:
    service = metadata_service.service(facts)
    own = str(bridge.own.ip)
    with_prefix = f"{borrowed}/{bridge.own.network.prefixlen}"
    up = {"do": "up", "name": made.other, "address": with_prefix, "neighbour": own, "mac": mac}
    made.child.ask(up, 3 * COMMAND_LIMIT)
    made.wait(node)
    asked = {"do": "dhcp", "name": made.other, "mac": made.mac, "address": borrowed, "bridge_mac": mac}
    told = made.child.ask(asked, DHCP_ATTEMPTS * DHCP_PATIENCE + COMMAND_LIMIT)
    routers = None if told["routers"] is None else tuple(told["routers"])
    via, via_mac, answers = _router(bridge, routers, mac)
    before = _hits(node, facts, bridge.name)
    fetch = {"do": "fetch", "name": made.other, "router": via, "mac": via_mac}
    fetched = made.child.ask(fetch, 2 * FETCH_LIMIT + 2 * COMMAND_LIMIT)
    after = _hits(node, facts, bridge.name)
    return Seen(
        borrowed=borrowed,
        routers=routers,
        via="" if via == NO_ROUTER[0] else via,
        router_answers=answers,
        outcome=fetched["outcome"],
        status=fetched["status"],
        hits=None if before is None or after is None else max(0, after - before),
        bridge_firewall=node.text("/proc/sys/net/bridge/bridge-nf-call-iptables") == "1",
        listens={"listens": True, "nothing": False}.get(service.state),
        port=service.port,
    )


def _router(bridge: Bridge, routers: tuple[str, ...] | None, mac: str) -> tuple[str, str, bool]:
    """The router that a guest would use, its MAC address, and whether it was this node that gave it or the router itself.

    It is this node that asks by ARP, by its own name. Where DHCP tells no router, the answered one is used, else nobody's.
    """
    router = (routers or (bridge.router,))[0]
    if not router:
        return (*NO_ROUTER, False)
    if router == str(bridge.own.ip):
        return router, mac, True
    found = arp.ask(bridge.name, mac, router, sender=str(bridge.own.ip))
    return router, found or NO_ROUTER[1], found is not None


def _hits(node: Node, facts: Facts, bridge: str) -> int | None:
    """Of every variant of ebtables that is there: their rules do not see each other, yet all are in force."""
    counted = [0]
    for number, variant in enumerate(facts.network.ebtables):
        chains, _ = bridge_firewall.read(node, variant, "ebtables" if number == 0 else f"ebtables-{variant}")
        counted.append(bridges.hits(chains, bridge) or 0)
        if chains is None and number == 0:
            return None
    return sum(counted)
