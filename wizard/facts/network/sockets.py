"""Routes, addresses and TCP sockets, from /proc/net: no root needed, no `ip`."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from wizard.dataclass import dataclass
from wizard.node import best_effort
from wizard.node.node import Node
from wizard.regex import regex

ESTABLISHED, LISTEN = 0x01, 0x0A  # include/net/tcp_states.h
_UP, _REJECT = 0x0001, 0x0200  # RTF_UP, RTF_REJECT in include/uapi/linux/route.h
_ANY_V6 = "0" * 32
_LOCAL_V4 = regex(r"\|--\s+([\d.]+)\s*\n\s*/32 host LOCAL")


@dataclass(frozen=True, slots=True)
class Socket:
    """The local end of a TCP socket; an IPv4 address that IPv6 carries is given as IPv4."""

    state: int
    address: str
    port: int

    @property
    def text(self) -> str:
        """'10.0.0.1:22' or '[::]:22'."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Route:
    """An IPv4 route of the main table: '0.0.0.0/0' is the default route; `direct` is one without a gateway."""

    link: str
    network: ipaddress.IPv4Network
    direct: bool


def tcp(node: Node) -> tuple[Socket, ...] | None:
    """All TCP sockets, or None where they cannot be seen."""
    texts = [node.text(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    if texts == [None, None]:
        return None
    return tuple(socket for text in texts for line in (text or "").splitlines() if (socket := _socket(line)))


def _socket(line: str) -> Socket | None:
    fields = line.split()
    try:
        host, _, port = fields[1].partition(":")
        return Socket(int(fields[3], 16), _address(host), int(port, 16))
    except (IndexError, ValueError):  # the header
        return None


def _address(text: str) -> str:
    """The address of hex words, each in the byte order of the machine: little-endian on all that run nova-compute."""
    raw = bytes.fromhex(text)
    raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    if len(raw) == 4:
        return str(ipaddress.IPv4Address(raw))
    address = ipaddress.IPv6Address(raw)
    return str(address.ipv4_mapped or address)


def routes(node: Node) -> tuple[Route, ...]:
    """The IPv4 routes that are up."""
    found = (_route(line) for line in (node.text("/proc/net/route") or "").splitlines())
    return tuple(route for route in found if route)


def _route(line: str) -> Route | None:
    fields = line.split()
    try:
        flags = int(fields[3], 16)
        network = ipaddress.IPv4Network((_address(fields[1]), _address(fields[7])))
        direct = int(fields[2], 16) == 0
    except (IndexError, ValueError):
        return None
    return Route(fields[0], network, direct) if flags & _UP and not flags & _REJECT else None


def default_links(node: Node) -> tuple[str, ...]:
    """The links of the default routes, IPv4 first."""
    found = [route.link for route in routes(node) if route.network.prefixlen == 0]
    for line in (node.text("/proc/net/ipv6_route") or "").splitlines():
        fields = line.split()
        if len(fields) == 10 and fields[0] == _ANY_V6 and fields[1] == "00":
            try:
                flags = int(fields[8], 16)
            except ValueError:
                continue
            if flags & _UP and not flags & _REJECT and fields[9] != "lo":
                found.append(fields[9])
    return tuple(dict.fromkeys(found))


def addresses(node: Node) -> tuple[tuple[str, str], ...]:
    """(link, "10.44.1.2/24") of every address; the link is empty where it cannot be told."""
    said = best_effort.ask(node, ("ip", "-j", "addr"))
    listed = _from_json(said.stdout) if said is not None and said.status == 0 else None
    return tuple(dict.fromkeys(listed if listed is not None else [*_from_trie(node), *_from_if_inet6(node)]))


def _from_json(text: str) -> list[tuple[str, str]] | None:
    try:
        data: Any = json.loads(text)
        return [
            (str(link["ifname"]), f"{address['local']}/{int(address['prefixlen'])}")
            for link in data
            for address in link.get("addr_info", ())
            if "local" in address
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _from_trie(node: Node) -> list[tuple[str, str]]:
    """Local IPv4 addresses; which link has one is told by the route to its network."""
    direct = [route for route in routes(node) if route.direct and route.network.prefixlen]
    found = []
    for text in _LOCAL_V4.findall(node.text("/proc/net/fib_trie") or ""):
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            continue
        fitting = [route for route in direct if address in route.network]
        if address.is_loopback:
            found.append(("lo", f"{address}/8"))
        elif fitting:
            route = max(fitting, key=lambda route: route.network.prefixlen)
            found.append((route.link, f"{address}/{route.network.prefixlen}"))
        else:
            found.append(("", f"{address}/32"))
    return found


def _from_if_inet6(node: Node) -> list[tuple[str, str]]:
    found = []
    for line in (node.text("/proc/net/if_inet6") or "").splitlines():
        fields = line.split()
        try:
            found.append((fields[5], f"{ipaddress.IPv6Address(int(fields[0], 16))}/{int(fields[2], 16)}"))
        except (IndexError, ValueError):
            continue
    return found
