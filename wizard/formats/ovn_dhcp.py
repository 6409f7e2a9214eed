"""DHCP answers of OVN, as ovn-controller puts them into a bridge's flows, and of Neutron's dnsmasq, as its option files say them.

A flow's action is controller(userdata=...): opcode 2 (ACTION_OPCODE_PUT_DHCP_OPTS), four bytes of padding, the header of the result's
field (four bytes; eight where it is an experimenter's, class 0xffff), four bytes of offset, the address offered, then options as
RFC 2132 has them: code, length, value (ovn lib/actions.c, encode_PUT_DHCPV4_OPTS). Option 121 is RFC 3442's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from wizard.dataclass import dataclass
from wizard.regex import regex

METADATA = "169.254.169.254"
ROUTER, ROUTES, ROUTES_OF_WINDOWS = 3, 121, 249
_USERDATA = regex(r"controller\(userdata=((?:[0-9a-f]{2}\.)*[0-9a-f]{2})")
_FIELD = regex(r"(?:^|[,\s])(dl_src|reg14|metadata|nw_src)=([^,\s]+)")
_OPCODE = bytes((0, 0, 0, 2))
_OPTION = regex(r"tag:([^,]+),(?:option:)?([\w-]+)(?:,(.*))?")


@dataclass(frozen=True, slots=True)
class Told:
    """What a guest is told by DHCP. `who` is its MAC (OVN) or the tag of dnsmasq's option file; `network` is OVN's number of the
    logical switch, or Neutron's id; `address` is the one that it gets, "" where that is not said; `router` and `via` (where the
    metadata service is reached) are addresses, "" where none is told."""

    who: str
    network: str
    address: str
    router: str
    via: str


def of_flows(text: str) -> tuple[Told, ...]:
    """The answers in what `ovs-ofctl dump-flows` printed, each once, in their order; flows of DHCPv6 and of others are passed over."""
    found: dict[tuple[str, str], Told] = {}
    for line in text.splitlines():
        match = _USERDATA.search(line)
        fields = dict(_FIELD.findall(line.partition("actions=")[0]))
        if match is None or "dl_src" not in fields:
            continue
        told = _answer(bytes.fromhex(match[1].replace(".", "")), fields["dl_src"].lower(), fields.get("metadata", ""))
        if told is not None:
            found.setdefault((told.who, told.network), told)
    return tuple(found.values())


def _answer(data: bytes, mac: str, network: str) -> Told | None:
    start = 20 if data[8:10] == b"\xff\xff" else 16
    if not data.startswith(_OPCODE) or len(data) < start + 4:
        return None
    options = dict(_options(data[start + 4 :]))
    router = options.get(ROUTER, b"")[:4]
    routes = dict(_routes(options.get(ROUTES, b"")))
    address = str(ipaddress.IPv4Address(data[start : start + 4]))
    return Told(mac, network, address, _text(router) or routes.get("0.0.0.0/0", ""), via(routes))


def _text(four: bytes) -> str:
    return str(ipaddress.IPv4Address(four)) if len(four) == 4 else ""


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 1 < len(data):
        code, length = data[at], data[at + 1]
        if at + 2 + length > len(data):
            return
        yield code, data[at + 2 : at + 2 + length]
        at += 2 + length


def _routes(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data):
        bits = data[at]
        size = (bits + 7) // 8
        if bits > 32 or at + 1 + size + 4 > len(data):
            return
        target = ipaddress.IPv4Address(data[at + 1 : at + 1 + size].ljust(4, b"\0"))
        yield f"{target}/{bits}", _text(data[at + 1 + size : at + 5 + size])
        at += 5 + size


def via(routes: dict[str, str]) -> str:
    """The next hop of the longest route, but the default one, that leads to the metadata service; "" where there is none."""
    wanted = ipaddress.IPv4Address(METADATA)
    fitting = []
    for text, hop in routes.items():
        try:
            network = ipaddress.IPv4Network(text, strict=False)
        except ValueError:
            continue
        if wanted in network and network.prefixlen:
            fitting.append((network.prefixlen, hop))
    return max(fitting)[1] if fitting else ""


def of_option_file(text: str, network: str) -> tuple[Told, ...]:
    """The answers of an option file that Neutron's DHCP agent writes (neutron/agent/linux/dhcp.py, _output_opts_file): lines as
    `tag:subnet-UUID,option:router,10.44.1.1`. One for each tag that names a router or routes."""
    routers: dict[str, str] = {}
    routes: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        match = _OPTION.fullmatch(line.strip())
        if match is None or match[2] not in ("router", "3", "classless-static-route", "121", "249"):
            continue
        values = [value.strip() for value in (match[3] or "").split(",") if value.strip()]
        if match[2] in ("router", "3"):
            routers[match[1]] = values[0] if values else ""
        else:
            routes.setdefault(match[1], {}).update(_pairs(values))
    tags: Iterable[str] = dict.fromkeys([*routers, *routes])
    return tuple(
        Told(tag, network, "", routers.get(tag) or routes.get(tag, {}).get("0.0.0.0/0", ""), via(routes.get(tag, {})))
        for tag in tags
    )


def _pairs(values: list[str]) -> dict[str, str]:
    return dict(zip(values[::2], values[1::2], strict=False))
