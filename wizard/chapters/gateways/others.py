"""What others have to do with the routers: lines of dnsmasq's file that win over ours, its owner, and who starts nova's dnsmasq."""

from __future__ import annotations

import ipaddress

from wizard.chapters.gateways.suggestion import interface_problem
from wizard.chapters.shared import init_system
from wizard.chapters.shared.networks import Network, NetworkAnswers
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.facts.facts import Facts
from wizard.facts.nova import managers
from wizard.facts.nova.nova import NovaNetwork
from wizard.formats import dnsmasq_tags
from wizard.model.findings import Finding, Severity

CHAPTER = "gateways"
SHOWN = 4
NETWORK_SERVICES = ("nova-network", "openstack-nova-network")


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def _some(places: list[str]) -> str:
    more = f"; and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return "; ".join(places[:SHOWN]) + more


def bridges_of(facts: Facts, network: Network) -> list[str]:
    """The bridges on which guests of an answered network are: as served here, else as answered."""
    served = [each.bridge for each in facts.nova.networks if each.label == network.label]
    return served or [name for name in (network.bridge_name,) if name]


def lines_that_win(facts: Facts, answers: NetworkAnswers, path: str, content: bytes) -> list[Finding]:
    """Lines of the file, as it will be, by which guests of answered networks are told another router than the answered one."""
    certain, doubtful = [], []
    for network in answers.network:
        for bridge in bridges_of(facts, network) or [""]:
            told = dnsmasq_tags.told(content, network.label, bridge)
            if told.router not in (network.router, None):
                certain.append(
                    f"{path} line {told.line} ({told.tag}): guests of {network.label} are told {told.router or 'no router'}"
                )
            elif told.doubt:
                doubtful.append(f"guests of {network.label}: {path} {told.doubt}")
    why = (
        "dnsmasq sets tags itself: the name of the interface that a request came in by, `known`, and what lines with set: give. A line "
        "with such a tag, or with tag:!NAME or tag:#NAME, wins over the one with the network's label, in any order."
    )
    do = "Take that line out, or give it the label of the network that is meant: this tool removes no line that it did not write."
    return [
        *([_finding("GATEWAYS-OVERRIDDEN", "blocks", _some(certain), why, do)] if certain else ()),
        *([_finding("GATEWAYS-OVERRIDDEN", "warns", _some(doubtful), why, do)] if doubtful else ()),
    ]


def general_lines(facts: Facts, path: str, content: bytes) -> list[Finding]:
    """Lines that reach guests of any network, where nothing is answered: what they do is said, and nothing done about it."""
    bridges = [network.bridge for network in facts.nova.networks]
    found = [
        f"{path} line {each.line.number} ({', '.join(each.tags)})"
        for each in dnsmasq_tags.overriding(content, bridges)
        if not {tag.removeprefix("tag:") for tag in each.tags} & {network.label for network in facts.nova.networks}
    ]
    if not found:
        return []
    why = (
        "dnsmasq sets such tags itself, whatever the network: the router of that line wins over the one of a line with a network's "
        "label, in any order."
    )
    return [_finding("GATEWAYS-OVERRIDDEN", "warns", _some(found), why, "Take it out, unless it is meant so.")]


def labels_of_interfaces(facts: Facts, answers: NetworkAnswers) -> list[Finding]:
    """Answered labels that are the name of another network's bridge."""
    others = {each.bridge_name: each.label for each in answers.network if each.bridge_name}
    found = []
    for network in answers.network:
        problem = interface_problem(facts, network.label, bridges_of(facts, network))
        if problem is None and others.get(network.label, network.label) != network.label:
            problem = f"The label is {network.label!r}, the bridge of {others[network.label]}: dnsmasq sets that name as a tag."
        if problem is not None:
            found.append(
                _finding(
                    "GATEWAYS-LABEL-TAKEN",
                    "blocks",
                    problem,
                    "A line with that tag wins over the line of the other network, in any order.",
                    "Leave this network out. A router of its own takes a network with another label: nova cannot rename one.",
                )
            )
    return found


def owner(facts: Facts, asked: OwnerAnswers | None, path: str) -> list[Finding]:
    """The owner of dnsmasq's file, by its own header. Asked only where the plan would change the file."""
    if asked is not None and asked.manager == "none":
        return []
    claim = managers.claimed((facts.content(path) or b"").decode("utf-8", "replace"))
    if claim is None:
        return []
    name, line = claim
    do = 'If that is not so, answer manager = "none" in [passthrough].'
    if name:
        return [
            _finding(
                "GATEWAYS-MANAGED",
                "blocks",
                f"{path} belongs to {name}: it says: {line}",
                f"{name} would write the file anew, and the change be gone.",
                f"Put the lines into {managers.FILE_PLACES[name]}. {do}",
            )
        ]
    return [
        _finding(
            "GATEWAYS-MANAGED",
            "warns",
            f"{path} says: {line}",
            "By its header a program writes that file; which one cannot be told. It would write it anew, and the change be gone.",
            f"See what writes it, and put the lines there. {do}",
        )
    ]


def starter(facts: Facts) -> str | None:
    """The service that starts nova's dnsmasq again; None where nothing is known to do so.

    A unit or job of that name is not enough where nova-network is seen to be run by something else.
    """
    service = init_system.find(facts, *NETWORK_SERVICES)
    run_by = facts.nova.network_run_by
    return None if run_by and run_by.removesuffix(".service") not in NETWORK_SERVICES else service


def no_starter(facts: Facts, stopped: list[NovaNetwork], *, due: bool) -> list[Finding]:
    """Nothing is stopped that nobody is known to start again. `due` tells that they would have to be started anew now."""
    if not stopped or starter(facts) is not None:
        return []
    run_by = facts.nova.network_run_by
    how = f"nova-network is run by {run_by}" if run_by else "no service of this node is known to run nova-network"
    when = "After apply" if due else "Once that file is changed"
    files = " ".join(network.pid_file for network in stopped[:SHOWN]) + (" …" if len(stopped) > SHOWN else "")
    return [
        _finding(
            "GATEWAYS-NO-STARTER",
            "warns" if due else "tells",
            f"{how}; dnsmasq runs for {_some([network.bridge for network in stopped])}",
            "A running dnsmasq never reads the file again. This plan does not stop it: nothing here is known to start it again, "
            "and without it every guest of its network loses DHCP. Until then guests are told what they were told before.",
            f"{when}, end them (`kill $(cat {files})`) and at once restart nova-network with what runs it: pacemaker "
            "(`crm resource restart …`), the screen it runs in, or the like.",
        )
    ]


def listens_outside(facts: Facts) -> list[Finding]:
    """A dnsmasq whose address is not in the network that it serves: it answers nobody there."""
    outside = [
        f"{network.label or network.bridge}: nova's dnsmasq on {network.bridge} listens on {network.listen}, "
        f"its network is {network.cidr}"
        for network in facts.nova.networks
        if network.listen and network.cidr and not _inside(network.listen, network.cidr)
    ]
    if not outside:
        return []
    return [
        _finding(
            "GATEWAYS-LISTENS-OUTSIDE",
            "warns",
            _some(outside),
            "A DHCP server answers only for the network that its own address is in: guests of this one get no address, and no router.",
            "Put right the address that nova has for it (dhcp_server of the network in nova's database), then restart nova-network.",
        )
    ]


def _inside(address: str, cidr: str) -> bool:
    try:
        return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(cidr)
    except ValueError:
        return False


def reader(facts: Facts, answers: NetworkAnswers) -> list[Finding]:
    """Nothing on this node reads the file: nova-network is on another one."""
    served = bool(facts.nova.networks) or facts.nova.network_running
    if not answers.network or served or init_system.find(facts, *NETWORK_SERVICES) is not None:
        return []
    multi = facts.nova.for_network().last("DEFAULT", "multi_host")
    return [
        _finding(
            "GATEWAYS-NO-NOVA-NETWORK",
            "warns",
            f"neither nova-network nor a dnsmasq of its own is on this node; multi_host = {multi or '(not set: False)'}",
            "Without multi_host one node serves the networks for all: the file is read there, and nowhere else.",
            "Do this on the node that runs nova-network.",
        )
    ]
