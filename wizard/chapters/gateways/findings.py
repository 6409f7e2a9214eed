"""What is wrong, or will go wrong, with the routers that guests are to be told."""

from __future__ import annotations

import ipaddress

from wizard.chapters.gateways import suggestion
from wizard.chapters.gateways.suggestion import Left, Odd
from wizard.chapters.shared import neutron_words, nova_owner, nova_unknown
from wizard.chapters.shared.networks import Network, NetworkAnswers
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaNetwork, NovaSetting
from wizard.formats import dnsmasq
from wizard.model.findings import Finding, Severity

CHAPTER = "gateways"
TRUE = ("1", "yes", "true", "on")  # oslo_config/types.py, Boolean
SHOWN = 3  # lines of a file that are named; of a wrong file all would be


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answers come to: the networks, the file and its content, and nova's option for it - `due` where the plan
    has to write that."""

    answers: NetworkAnswers
    path: str
    option: str
    content: bytes | None
    due: bool


def findings(facts: Facts, asked: Asked, owner: OwnerAnswers | None) -> list[Finding]:
    main = facts.nova.for_network().main_file
    unknown = [
        facts.nova.for_network().unknown("DEFAULT", name)
        for name in ("dnsmasq_config_file", "use_single_default_gateway")
    ]
    found = nova_unknown.findings(CHAPTER, "blocks", unknown if asked.answers.network else ())
    if asked.due:
        found += _no_nova_conf(facts, asked)
        found += nova_owner.findings(
            facts, owner, code="GATEWAYS-MANAGED", chapter=CHAPTER, path=main, fragment=("[DEFAULT]", asked.option)
        )
    single = facts.nova.for_network().last("DEFAULT", "use_single_default_gateway")
    if single is not None and single.strip().lower() in TRUE:
        found.append(
            _finding(
                "GATEWAYS-SINGLE-DEFAULT",
                "blocks",
                f"{main}: use_single_default_gateway = {single}",
                "nova then tags the router of each port itself, and that tag wins over ours: guests keep the node as router.",
                "Set use_single_default_gateway = False, or leave this chapter out.",
            )
        )
    return [*found, *_labels(facts, asked.answers), *_networks(facts, asked.answers), *_problems(asked)]


def neutron(facts: Facts, answers: NetworkAnswers | None) -> Finding:
    """Where Neutron has the networks, this chapter has nothing to do."""
    router = answers.network[0].router if answers is not None and answers.network else "10.44.1.1"
    return _finding(
        "GATEWAYS-NEUTRON",
        "blocks" if answers is not None and answers.network else "tells",
        f"this node's networking is Neutron ({facts.nova.networking_source}), by {neutron_words.driver(facts)}",
        "dnsmasq_config_file in nova.conf is nova-network's: with Neutron nothing reads it. A router outside is the subnet's "
        "own gateway_ip there, and reaches guests by the provider network's own bridge and port on this node.",
        f"`openstack subnet set --gateway {router} SUBNET` on the controller. On this node: {_on_this_node(facts)}.",
    )


def _on_this_node(facts: Facts) -> str:
    """What there is of mappings here, in words."""
    mapped = [neutron_words.mapping(facts, each) for each in facts.neutron.mappings if each.kind != "sriov"]
    if mapped:
        return _some(mapped, 4)
    return "the mapping of the physical network to a bridge or interface, which is not seen here"


def odd_router(odd: Odd) -> Finding:
    """A router that is in the file already and can be none: it is not suggested."""
    return _finding(
        "GATEWAYS-ROUTER",
        "warns",
        odd.seen,
        f"Guests of {odd.label} that are told it have no way out. It is left as it is: no router is suggested for this network.",
        f"Name the router outside in that line, or answer one for {odd.label}.",
    )


def not_suggested(left: Left) -> Finding:
    """A network of this node that would else be missing from the suggestion without a word."""
    return _finding(
        "GATEWAYS-NOT-SUGGESTED",
        "tells" if left.sound else "warns",
        left.seen,
        "No router is suggested for it: what its guests are told stays as it is.",
        left.do,
    )


def odd_path(told: NovaSetting) -> Finding:
    """A file that nova.conf names by what is no whole path: which one that is depends on where dnsmasq is started."""
    return _finding(
        "GATEWAYS-FILE",
        "warns",
        f"{told.place}: {told.option} = {told.value}",
        "That is no whole path of a file, or it holds blanks or quotes: what dnsmasq reads there cannot be said, and nothing is "
        "suggested for it.",
        "Write a whole path without blanks or quotes there, such as /etc/dnsmasq-nova.conf, or answer one as config_file.",
    )


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def _no_nova_conf(facts: Facts, asked: Asked) -> list[Finding]:
    main = facts.nova.for_network().main_file
    if main and (facts.content(main) is not None or facts.hidden(main)):
        return []  # what hides it is said where the plan is made
    return [
        _finding(
            "GATEWAYS-NO-NOVA-CONF",
            "warns",
            f"{main or 'nova.conf'}: there is no such file",
            "The file with the routers can be written, but nothing reads it before nova-network is told about it.",
            f"Put `{asked.option}` into [DEFAULT] of the nova.conf that nova-network reads, then restart it.",
        )
    ]


def _labels(facts: Facts, answers: NetworkAnswers) -> list[Finding]:
    known = {network.label for network in facts.nova.networks if network.label}
    strange = [network.label for network in answers.network if known and network.label not in known]
    if not strange:
        return []
    return [
        _finding(
            "GATEWAYS-UNKNOWN-LABEL",
            "warns",
            f"{_some(strange)}: no dnsmasq of this node serves such a network; it serves {_some(sorted(known))}",
            "The tag has to be nova's label to the letter, case too: else the line is never used, and nobody says so.",
            "Compare with `nova network-list`. It may be right for a network that has no guest here yet.",
        )
    ]


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"


def _networks(facts: Facts, answers: NetworkAnswers) -> list[Finding]:
    """The answers against what nova-network serves here under the same label."""
    pairs = [
        (network, there) for network in answers.network for there in facts.nova.networks if there.label == network.label
    ]
    own = suggestion.own_addresses(facts, None)
    return [finding for asked, there in pairs for finding in (*_router(asked, there, own), *_differs(asked, there))]


def _router(asked: Network, there: NovaNetwork, own: set[str]) -> list[Finding]:
    seen = f"the router {asked.router} of {asked.label}; nova-network serves {there.cidr} on {there.bridge}"
    if asked.router in own:
        return [
            _finding(
                "GATEWAYS-ROUTER",
                "warns",
                f"the router {asked.router} of {asked.label} is this node's own address"
                + (f" on {there.bridge}" if asked.router == there.listen else ""),
                "That is what guests are told anyway: with it they have no router outside.",
                "Name the router outside, or take the network out of the list.",
            )
        ]
    if not there.cidr:
        return []
    network, router = ipaddress.IPv4Network(there.cidr), ipaddress.IPv4Address(asked.router)
    ends = (network.network_address, network.broadcast_address) if network.prefixlen < 31 else ()
    if router in network and router not in ends:
        return []
    return [
        _finding(
            "GATEWAYS-ROUTER",
            "blocks",
            seen,
            "Guests cannot reach a router that is not inside their own network: they would lose every way out.",
            f"Name the router that has an address in {there.cidr}.",
        )
    ]


def _differs(asked: Network, there: NovaNetwork) -> list[Finding]:
    pairs = (
        ("vlan", asked.vlan, there.vlan),
        ("cidr", asked.cidr, there.cidr or None),
        ("bridge", asked.bridge_name, there.bridge),
    )
    wrong = [f"{name} {own}, not {real}" for name, own, real in pairs if own is not None and real not in (None, own)]
    if not wrong:
        return []
    return [
        _finding(
            "GATEWAYS-DIFFERS",
            "warns",
            f"{asked.label} is answered with {'; '.join(wrong)}, as nova-network serves it here",
            "The label decides which guests are told the router; the bridge decides whose metadata is redirected.",
            "Fix the answer, or the label: one of the two belongs to another network.",
        )
    ]


def _problems(asked: Asked) -> list[Finding]:
    """What is in the file besides: dnsmasq refuses some of it, and with that every network here loses DHCP."""
    every = dnsmasq.problems(asked.content or b"")
    found = []
    for fatal in (True, False):
        some = [problem for problem in every if problem.fatal is fatal]
        if some:
            seen = "; ".join(f"line {problem.line}: {problem.what}" for problem in some[:SHOWN])
            more = f"; and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
            found.append(
                _finding(
                    "GATEWAYS-FILE",
                    "blocks" if fatal else "warns",
                    f"{asked.path} {seen}{more}",
                    "dnsmasq does not start with it: every network of this node would lose DHCP."
                    if fatal
                    else "dnsmasq takes it without a word, and does something else than is meant.",
                    f"Fix it, or name another file: {some[0].do}."
                    if fatal
                    else f"{some[0].do[:1].upper()}{some[0].do[1:]}.",
                )
            )
    return found
