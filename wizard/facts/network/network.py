"""The node's own network: links, what carries ssh and the default route, bridges, and the bridge firewall."""

from __future__ import annotations

import re

from wizard.dataclass import dataclass
from wizard.facts.network import bridge_firewall, links, sockets
from wizard.facts.network.links import Link
from wizard.formats.ebtables import Chain
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

__all__ = ["Link", "NetworkFacts", "read"]

_SSHD = "/etc/ssh/sshd_config"
_SSH_PORT = regex(r"^\s*Port[\s=]+(\d{1,5})\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    links: tuple[Link, ...]
    default_route_links: tuple[str, ...]
    ssh_links: tuple[str, ...]  # that carry an established connection to port 22, or $SSH_CONNECTION's address
    addresses: tuple[tuple[str, str], ...]  # (link, "10.44.1.2/24")
    bridge_nf_call_iptables: int | None  # None: br_netfilter is not loaded
    listeners: tuple[str, ...] | None  # "0.0.0.0:8775" of every listening TCP socket; None where unknown
    ebtables: tuple[str, ...]  # variants there: "nft", "legacy"; in the order in which `ebtables` means them
    nat_chains: tuple[Chain, ...] | None  # of the nat table; None where it could not be read
    openvswitch: bool
    unseen: tuple[Unseen, ...]
    other_nat_chains: tuple[
        Chain, ...
    ] = ()  # of the variant that `ebtables` does not mean: invisible to it, yet in force
    forward_policy: str = (
        ""  # of iptables' FORWARD, which bridged packets pass while bridge-nf is 1; "" where it is not known
    )

    def link(self, name: str) -> Link | None:
        return next((link for link in self.links if link.name == name), None)

    def pci_below(self, name: str) -> tuple[str, ...]:
        """Addresses of the PCI functions that carry a link, through bridges, VLANs and bonds."""
        seen: set[str] = set()
        todo = [name]
        found: list[str] = []
        while todo:
            link = self.link(todo.pop())
            if link is None or link.name in seen:
                continue
            seen.add(link.name)
            if link.pci_address:
                found.append(link.pci_address)
            todo.extend(link.lower)
        return tuple(sorted(set(found)))

    def listens(self, port: int, address: str = "") -> bool | None:
        """Whether something listens on the port, at `address` or at every address; None where unknown."""
        if self.listeners is None:
            return None
        places = {f"0.0.0.0:{port}", f"[::]:{port}", f"*:{port}"} | ({f"{address}:{port}"} if address else set())
        if address:
            return any(listener in places for listener in self.listeners)
        return any(listener.endswith(f":{port}") for listener in self.listeners)


def read(node: Node) -> NetworkFacts:
    """Look at the network. Changes nothing, and never fails: what cannot be read is in `unseen`."""
    found, unseen_links = links.read(node)
    tcp = sockets.tcp(node)
    addresses = sockets.addresses(node)
    default = sockets.default_links(node)
    variants = bridge_firewall.variants(node)
    chains, unseen_chains = bridge_firewall.read(node, next(iter(variants), ""))
    others = [bridge_firewall.read(node, variant, f"ebtables-{variant}")[0] for variant in variants[1:]]
    listening = sorted({socket.text for socket in tcp or () if socket.state == sockets.LISTEN})
    unseen_tcp = () if tcp is not None else (Unseen("TCP connections and listeners", "/proc/net/tcp cannot be read"),)
    return NetworkFacts(
        links=found,
        default_route_links=default,
        ssh_links=_ssh_links(_ssh_addresses(node, tcp or ()), addresses, default),
        addresses=addresses,
        bridge_nf_call_iptables=_bridge_nf(node),
        listeners=None if tcp is None else tuple(listening),
        ebtables=variants,
        nat_chains=chains,
        openvswitch=_openvswitch(node, found),
        unseen=(*unseen_links, *unseen_tcp, *unseen_chains),
        forward_policy=_forward_policy(node) if _bridge_nf(node) == 1 else "",
        other_nat_chains=tuple(chain for found_there in others for chain in found_there or ()),
    )


def _bridge_nf(node: Node) -> int | None:
    text = node.text("/proc/sys/net/bridge/bridge-nf-call-iptables") or ""
    return int(text) if text.isdecimal() else None


_FORWARD = regex(r"^(?:-P FORWARD|:FORWARD|Chain FORWARD \(policy) (ACCEPT|DROP)", re.MULTILINE)


def _forward_policy(node: Node) -> str:
    """Asked only where the table is there already: a listing would else load or make it."""
    if node.live:
        tables = (node.text("/proc/net/ip_tables_names") or "").split()
        said = best_effort.ask(node, ("nft", "list", "tables")) if node.privileged and "filter" not in tables else None
        there = "filter" in tables or (said is not None and "table ip filter" in said.stdout.splitlines())
        if not node.privileged or not there:
            return ""
    for argv in (("iptables", "-S", "FORWARD"), ("iptables", "-S"), ("iptables-save",)):
        said = best_effort.ask(node, argv)
        match = _FORWARD.search(said.stdout) if said is not None and said.status == 0 else None
        if match:
            return match[1]
        if node.live:
            return ""
    return ""


def _openvswitch(node: Node, found: tuple[Link, ...]) -> bool:
    """Whether Open vSwitch runs: its kernel data path shows as a link, its daemon as a pid file."""
    daemon = any(node.exists(f"{place}/openvswitch/ovs-vswitchd.pid") for place in ("/run", "/var/run"))
    return daemon or any(link.name in ("ovs-system", "ovs-netdev") for link in found)


def _ssh_addresses(node: Node, tcp: tuple[sockets.Socket, ...]) -> list[str]:
    """The node's own addresses to which an ssh connection is established."""
    ports = _ssh_ports(node)
    found = [each.address for each in tcp if each.state == sockets.ESTABLISHED and each.port in ports]
    environment = (node.text("/proc/self/environ") or "").split("\0") if node.live else []
    for variable in environment:
        name, _, value = variable.partition("=")
        if name == "SSH_CONNECTION" and len(value.split()) == 4:
            found.append(value.split()[2].partition("%")[0])
    return list(dict.fromkeys(found))


def _ssh_ports(node: Node) -> set[int]:
    """22, and what sshd's configuration says."""
    directory = f"{_SSHD}.d"
    paths = [_SSHD, *(f"{directory}/{name}" for name in best_effort.names(node, directory) if name.endswith(".conf"))]
    return {22} | {int(port) for path in paths for port in _SSH_PORT.findall(node.text(path) or "")}


def _ssh_links(wanted: list[str], addresses: tuple[tuple[str, str], ...], default: tuple[str, ...]) -> tuple[str, ...]:
    """The links that have these addresses; the default route's where an address cannot be found on one."""
    found: list[str] = []
    for address in wanted:
        carrying = [link for link, known in addresses if link and known.partition("/")[0] == address]
        found += carrying or default
    return tuple(link for link in dict.fromkeys(found) if link != "lo")
