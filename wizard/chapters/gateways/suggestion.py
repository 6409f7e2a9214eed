"""What is suggested for the networks of a node, and which of them get no suggestion, and why."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from pydantic import ValidationError

from wizard.chapters.shared.networks import Network, is_address
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaNetwork
from wizard.formats import dnsmasq, dnsmasq_tags
from wizard.regex import regex


@dataclass(frozen=True, slots=True)
class Odd:
    """A router of the node's own file that no answer can hold: its network, and the place and what is wrong."""

    label: str
    seen: str


@dataclass(frozen=True, slots=True)
class Left:
    """A network for which nothing is suggested. `bridges` are empty where it is known from a line of the file alone."""

    label: str
    bridges: tuple[str, ...]
    seen: str
    do: str
    sound: bool = False  # nothing is wrong there: it only cannot be said as an answer


Row = Network | Odd | Left
_VLAN_BRIDGE = regex(r"br[1-9]\d{0,3}")  # as VlanManager names the bridge of a VLAN


def rows(facts: Facts, path: str) -> list[Row]:
    """A row for each network that is served here or named in the file; or why there can be none."""
    known = {option.label: option for option in dnsmasq.router_options(facts.content(path) or b"")}
    served: dict[str, list[NovaNetwork]] = {}
    for network in facts.nova.networks:
        if network.label:
            served.setdefault(network.label, []).append(network)
    found: list[Row] = []
    vlans: set[int | None] = set()
    for label in dict.fromkeys([*served, *known]):
        row = _row(facts, label, path, served.get(label, []), known.get(label), vlans)
        if isinstance(row, Network):
            vlans.add(row.vlan)
        found.append(row)
    return [*found, *_without_label(facts)]


def _without_label(facts: Facts) -> list[Row]:
    """Networks of which only state files are left: these do not hold the label."""
    bridges = tuple(network.bridge for network in facts.nova.networks if not network.label)
    if not bridges:
        return []
    seen = f"{', '.join(bridges)}: no dnsmasq of nova-network runs there, and {facts.nova.networks_path} does not hold the label"
    do = (
        "Answer them by their labels (`nova network-list`), or begin again once nova-network has started their dnsmasq."
    )
    return [Left("", bridges, seen, do, sound=True)]


def interface_problem(facts: Facts, label: str, bridges: Collection[str]) -> str | None:
    """A label that is the name of an interface, of another network's bridge: dnsmasq sets that name as a tag of each request.

    `bridges` are those of the network itself: its own bridge's name is as good as any.
    """
    if label in bridges:
        return None
    others = {network.bridge for network in facts.nova.networks} | {
        link.name for link in facts.network.links if link.kind == "bridge"
    }
    if label in others or _VLAN_BRIDGE.fullmatch(label):
        return (
            f"The label is {label!r}, the name of another network's bridge: dnsmasq sets the name of the interface as a tag, so that "
            "guests on that bridge would be told the router, too."
        )
    return None


def _row(
    facts: Facts,
    label: str,
    path: str,
    served: list[NovaNetwork],
    line: dnsmasq.RouterOption | None,
    vlans: Collection[int | None],
) -> Row:
    """The row of one network; `vlans` are those of the rows before it."""
    bridges = tuple(network.bridge for network in served)
    place = f"{path} line {line.line}" if line is not None else f"{label!r} on {', '.join(bridges)}"
    problem = dnsmasq.label_problem(label)
    problem = problem or interface_problem(facts, label, bridges)
    if problem is not None:
        text = f"{place}: {problem}" if not served else f"{label!r} on {', '.join(bridges)}: {problem}"
        do = (
            f"A line in {path} that somebody else wrote for it is kept. A router of its own takes a network with another label: nova "
            "cannot rename one."
        )
        return Left(label, bridges, text, do)
    if len(served) > 1:
        each = ", ".join(f"{network.cidr or 'an unknown network'} on {network.bridge}" for network in served)
        do = "Give each network a label of its own in nova: a router that is named for this one is told to the guests of all."
        return Left(label, bridges, f"{label} is the label of several networks here: {each}", do)
    told = dnsmasq_tags.told(facts.content(path) or b"", label, bridges[0] if bridges else "")
    if told.router is not None and (line is None or told.line != line.line):
        router = told.router or "no router"
        seen = f"{path} line {told.line} ({told.tag}): guests of {label} are told {router}, whatever its own line says"
        do = "dnsmasq sets such a tag itself, and it wins in any order: take that line out, or give it the network's label."
        return Left(label, bridges, seen, do)
    if line is not None:
        stays = _several_or_none(label, bridges, place, line.router)
        if stays is not None:
            return stays
        if not is_address(line.router):
            return Odd(label, f"{place}: {line.router!r} is no IPv4 address")
    network = served[0] if served else None
    router = line.router if line is not None else _first_address(network)
    do = f"Answer the router of {label}, where it has one outside."
    if line is None and router in own_addresses(facts, network):
        seen = (
            f"{place}: the first address of its network, {router}, is this node's own; its router outside is not known"
        )
        return Left(label, bridges, seen, do, sound=True)
    if not router:
        return Left(label, bridges, f"{place}: its addresses are not known from the arguments of its dnsmasq", do)
    try:
        return _network(label, router, network, vlans)
    except ValidationError as error:
        why = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        return Odd(label, f"{place}: {why}") if line is not None else Left(label, bridges, f"{place}: {why}", do)


def own_addresses(facts: Facts, network: NovaNetwork | None) -> set[str]:
    """The addresses of this node: none of them is a router outside."""
    own = {text.partition("/")[0] for _, text in facts.network.addresses}
    return own | {each.listen for each in facts.nova.networks if each.listen} | ({network.listen} if network else set())


def _several_or_none(label: str, bridges: tuple[str, ...], place: str, router: str) -> Left | None:
    """A line that is sound, and yet no answer: an answer holds one router."""
    routers = router.split(",") if router else []
    if len(routers) == 1 or not all(is_address(each) for each in routers):
        return None
    seen = f"{place}: guests of {label} are told {f'several routers, {router}' if routers else 'no router at all'}"
    do = f"Nothing, where that is meant: the line is kept. Else answer one router for {label}."
    return Left(label, bridges, seen, do, sound=True)


def _network(label: str, router: str, network: NovaNetwork | None, vlans: Collection[int | None]) -> Network:
    """The answer for one network. Raises ValidationError where it cannot be one."""
    if network is None:
        return Network(label=label, router=router)
    inside = network.cidr and ipaddress.IPv4Address(router) in ipaddress.IPv4Network(network.cidr)
    vlan = network.vlan if network.vlan not in vlans else None  # one bridge can carry several networks
    return Network(
        label=label,
        router=router,
        vlan=vlan,
        cidr=network.cidr if inside else None,
        bridge=network.bridge if network.bridge and network.bridge != f"br{vlan}" else None,
    )


def _first_address(network: NovaNetwork | None) -> str:
    """The first host of the network: where routers mostly are, and nova's own default gateway. A guess, to be looked at."""
    if network is None or not network.cidr:
        return ""
    return str(ipaddress.IPv4Network(network.cidr).network_address + 1)
