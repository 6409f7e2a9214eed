"""What is wrong, or will go wrong, with the redirect of metadata."""

from __future__ import annotations

import re

from wizard.chapters.metadata import rules as metadata_rules
from wizard.chapters.metadata import service as metadata_service
from wizard.chapters.shared import nova_unknown
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.model.findings import Finding, Severity

CHAPTER = "metadata"
CHAIN = metadata_rules.CHAIN


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answers come to: the bridges and the uplinks by name, and the target of the rule."""

    bridges: tuple[str, ...]
    uplinks: tuple[str, ...]
    target: str


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def findings(facts: Facts, asked: Asked | None) -> list[Finding]:
    """`asked` is None where no redirect is wanted."""
    if asked is None or facts.nova.networking == "neutron":
        return []
    found = [*_bridge_firewall(facts), *_listener(facts), *_rules(facts, asked), *_single_host(facts)]
    if not asked.bridges:
        found.append(
            _finding(
                "METADATA-NO-BRIDGE",
                "blocks",
                "no network is answered, and none of nova-network was found here",
                "The rule is made for each bridge; for every bridge of the node would be too much.",
                'Name networks in the chapter Gateways, or answer bridges = ["br1441"].',
            )
        )
    elif not asked.uplinks:
        found.append(
            _finding(
                "METADATA-UPLINKS-UNKNOWN",
                "blocks",
                "which ports lead out of this node is not known",
                "Without them the rule would also answer for guests of other nodes, when the switch floods their packets.",
                'Answer uplinks = ["vlan+"], or the names of the bridges\' physical ports.',
            )
        )
    if not facts.network.ebtables:
        found.append(
            _finding(
                "METADATA-NO-EBTABLES",
                "blocks",
                "there is no ebtables command on this node",
                "The rule works on bridged packets, which no other tool here reaches.",
                "Install the package ebtables (Debian, Ubuntu) or iptables-ebtables (RHEL), then run check again.",
            )
        )
    return found


def not_suggested(hindrance: Finding) -> Finding:
    """Why no redirect is suggested, from the finding that would block it."""
    fresh = hindrance.code == "METADATA-NO-BRIDGE"
    return _finding(
        "METADATA-NOT-SUGGESTED",
        "tells" if fresh else "warns",
        hindrance.seen,
        "No redirect of metadata is suggested for this node as it is: it would be blocked, and with it all that is suggested.",
        "Begin again once a first guest runs here: nova-network makes a network's bridge with it. Or answer redirect = true and "
        'bridges = ["br1441"]: a rule may stand before its bridge.'
        if fresh
        else hindrance.do,
    )


def _single_host(facts: Facts) -> list[Finding]:
    """Without multi_host, one node serves metadata for all: the others have no service to redirect to."""
    multi = facts.nova.for_network().last("DEFAULT", "multi_host")
    known = facts.nova.for_network().unknown("DEFAULT", "multi_host") is None and not metadata_service.dark(facts)
    if not known or (multi or "").strip().lower() in ("1", "yes", "true", "on"):
        return []
    served = facts.nova.network_running or any(network.dnsmasq_running for network in facts.nova.networks)
    if served and multi is None:
        return []  # a network can have it of its own, and then this node serves it: nova.conf holds but the default
    where = "nova-network runs here" if served else "nova-network is not seen to run here"
    return [
        _finding(
            "METADATA-SINGLE-HOST",
            "warns",
            f"multi_host = {multi or '(not set: False)'}; {where}",
            "Without multi_host one node answers metadata for the guests of all. The redirect brings the requests of this node's own "
            "guests into this node, where nova's rule and service have to be: elsewhere they are lost.",
            "Use it where each compute node runs nova-network and nova-api-metadata (multi_host = True, for the networks too). Else "
            "give guests a config drive (force_config_drive = True).",
        )
    ]


def _bridge_firewall(facts: Facts) -> list[Finding]:
    value = facts.network.bridge_nf_call_iptables
    if value == 1 and facts.network.forward_policy != "ACCEPT":
        policy = facts.network.forward_policy
        seen = "/proc/sys/net/bridge/bridge-nf-call-iptables is 1, and the policy of iptables' FORWARD is " + (
            policy or "not known"
        )
        return [
            _finding(
                "METADATA-BRIDGE-NF",
                "warns" if policy else "tells",
                seen,
                "While it is 1, iptables sees bridged packets: metadata works without any rule until something unloads br_netfilter "
                "or sets it to 0. But all that guests send past this node to their router outside passes FORWARD as well"
                + (
                    ", which drops what no rule accepts."
                    if policy
                    else ": where its policy is DROP, only what a rule accepts gets through."
                ),
                "The rule is installed all the same, and does no harm. See `iptables -S FORWARD`: nova's own rules have to accept the "
                "bridges, or set bridge-nf-call-iptables to 0, where security groups need not filter bridged packets.",
            )
        ]
    if value == 1:
        return [
            _finding(
                "METADATA-BRIDGE-NF",
                "tells",
                "/proc/sys/net/bridge/bridge-nf-call-iptables is 1",
                "While it is, iptables sees bridged packets, and metadata works without any rule - until something unloads "
                "br_netfilter or sets it to 0.",
                "Nothing: the rule is installed all the same, and does no harm.",
            )
        ]
    if value is None and _is_old(facts.system.kernel):
        return [
            _finding(
                "METADATA-BRIDGE-NF",
                "tells",
                f"kernel {facts.system.kernel}: there is no /proc/sys/net/bridge/bridge-nf-call-iptables",
                "Before Linux 3.18 br_netfilter is no module of its own, but comes with the first bridge: whether iptables will "
                "see bridged packets is not known.",
                "Nothing: the rule is right in either case.",
            )
        ]
    seen = "br_netfilter is not loaded" if value is None else "/proc/sys/net/bridge/bridge-nf-call-iptables is 0"
    return [
        _finding(
            "METADATA-BRIDGE-NF",
            "tells",
            seen,
            "Bridged packets pass by iptables: the redirect is needed, and nova's security groups do not filter bridged traffic.",
            "Nothing for the redirect. Know that packets from outside reach guests unfiltered on these bridges.",
        )
    ]


def _is_old(kernel: str) -> bool:
    """Whether br_netfilter is part of the kernel's bridge module: a module of its own since 3.18."""
    numbers = re.match(r"(\d{1,9})\.(\d{1,9})", kernel, re.ASCII)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < (3, 18)


def _listener(facts: Facts) -> list[Finding]:
    unsaid = metadata_service.unsaid(facts)
    if unsaid:
        return nova_unknown.findings(CHAPTER, "warns", unsaid)
    service = metadata_service.service(facts)
    if service.state == "nothing":
        return [
            _finding(
                "METADATA-NO-LISTENER",
                "warns",
                service.seen,
                "nova's rule sends metadata requests there: with the redirect they arrive, and are refused.",
                service.do,
            )
        ]
    if service.remote:
        return [
            _finding(
                "METADATA-LISTENER-UNKNOWN",
                "warns",
                service.seen,
                "nova's rule sends metadata requests on to another host: that takes ip_forward = 1 here, and a way back through "
                "this node. Where they are given another source address on the way, nova cannot tell which guest asks.",
                f"{service.do} With a nova-api-metadata on this node (multi_host needs one on each), leave metadata_host out.",
            )
        ]
    if service.state == "unknown":
        return [
            _finding(
                "METADATA-LISTENER-UNKNOWN",
                "tells",
                service.seen,
                "So whether metadata requests are answered, once the redirect brings them to this node, is not known.",
                f"{service.do or 'As root more of it can be seen.'} After apply, `compute-wizard verify --metadata` tells.",
            )
        ]
    return []


def _rules(facts: Facts, asked: Asked) -> list[Finding]:
    found = [*metadata_rules.findings(facts)]
    libvirt = metadata_rules.libvirt_elsewhere(facts)
    if len(facts.network.ebtables) > 1:
        found.append(
            _finding(
                "METADATA-TWO-EBTABLES",
                "warns",
                f"two variants are installed: {', '.join(facts.network.ebtables)}",
                "Their rules do not see each other. This tool uses what the command `ebtables` means here."
                + (f" libvirt's filters stand where only {libvirt} sees them." if libvirt else ""),
                "Keep to one; look with both when something does not match.",
            )
        )
    if asked.target == "accept":
        found.append(
            _finding(
                "METADATA-ACCEPT",
                "warns",
                'target = "accept"',
                "ACCEPT ends the table before libvirt's chains: a VM that poses as another is served that one's metadata.",
                'Answer target = "continue", unless something here needs the rule as it was published.',
            )
        )
    return found
