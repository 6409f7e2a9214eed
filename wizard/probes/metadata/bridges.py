"""Which bridges metadata is asked on, from which borrowed address, and what guests there should be told: from facts alone."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Iterator

from wizard.chapters.metadata import chapter as metadata
from wizard.chapters.shared.networks import NetworkAnswers, is_address
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaNetwork
from wizard.formats.ebtables import Chain, Rule, redirects_metadata
from wizard.model.answers import AllAnswers

CANDIDATES = 6  # addresses that are tried before it is given up: each that is taken costs a second


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge to ask on. `why_not` is empty where that can be done; then `own` is this node's address there."""

    name: str
    why_not: str
    own: ipaddress.IPv4Interface
    router: str  # what guests there should be told; "" where no gateway is answered
    spare: tuple[str, ...]  # addresses that no guest should have, the most harmless first
    port_prefix: str  # how a port has to be called to be met by the rules


_NOWHERE = ipaddress.IPv4Interface("0.0.0.0/0")
_PORT_PREFIX = "cwp"


def bridge(facts: Facts, answers: AllAnswers, name: str, known: frozenset[str]) -> Bridge:
    """What is known of a bridge. `known` are the addresses of guests there."""
    networks = answers.of(NetworkAnswers)
    answered = next((each.router for each in networks.network if each.bridge_name == name), "") if networks else ""
    served = next((each for each in facts.nova.networks if each.bridge == name), None)
    link = facts.network.link(name)
    if link is None:
        why = "it is not there yet: nova-network makes it with the first guest of its network on this node"
        return Bridge(name, why, _NOWHERE, answered, (), _PORT_PREFIX)
    if link.kind != "bridge":
        return Bridge(name, f"it is no bridge but {link.kind}", _NOWHERE, answered, (), _PORT_PREFIX)
    own = own_directory(facts, name, served)
    if own is None:
        why = "this node has no IPv4 address on it: nova-network does not serve its network here"
        return Bridge(name, why, _NOWHERE, answered, (), _PORT_PREFIX)
    taken = {answered, *known, *(text.partition("/")[0] for _, text in facts.network.addresses)}
    spare = tuple(itertools.islice(_spare(own, served.first if served else "", taken), CANDIDATES))
    why = "" if spare else f"its network {own.network} has no address to spare"
    return Bridge(name, why, own, answered, spare, _port_prefix(facts.network.nat_chains or ()))


def own_directory(facts: Facts, name: str, served: NovaNetwork | None) -> ipaddress.IPv4Interface | None:
    """The address that nova's dnsmasq listens on, else the first one of the bridge."""
    texts = [text for link, text in facts.network.addresses if link == name and ":" not in text]
    listen = served.listen if served else ""
    for text in sorted(texts, key=lambda text: text.partition("/")[0] != listen):
        own = ipaddress.IPv4Interface(text)
        if not own.ip.is_link_local:
            return own
    return None


def _spare(own: ipaddress.IPv4Interface, first: str, taken: set[str]) -> Iterator[str]:
    """Below the first address that nova gives to guests, then from the top of the network downwards."""
    low, high = int(own.network.network_address) + 1, int(own.network.broadcast_address) - 1
    start = int(ipaddress.IPv4Address(first)) if first and ipaddress.IPv4Address(first) in own.network else low
    for number in itertools.chain(range(start - 1, low - 1, -1), range(high, start - 1, -1)):
        text = str(ipaddress.IPv4Address(number))
        if text not in taken:
            yield text


def guest_addresses(hosts: str) -> frozenset[str]:
    """The addresses in the hosts file that nova writes for dnsmasq: lines of MAC,name,address."""
    fields = (field.strip() for line in hosts.splitlines() for field in line.split(","))
    return frozenset(field for field in fields if is_address(field))


def _redirects(chains: Iterable[Chain]) -> Iterator[Rule]:
    """The rules that redirect metadata requests: ours, and any that somebody put there."""
    for chain in chains:
        for rule in chain.rules:
            if "redirect" in rule.words and (chain.name == metadata.CHAIN or redirects_metadata(rule)):
                yield rule


def hits(chains: Iterable[Chain] | None, bridge: str) -> int | None:
    """How many packets the redirects for a bridge have met so far; None where the counters could not be read."""
    if chains is None:
        return None
    counted = [rule.packets for rule in _redirects(chains) if _concerns(rule, bridge)]
    return None if None in counted else sum(packets or 0 for packets in counted)


def _concerns(rule: Rule, bridge: str) -> bool:
    name, wanted = _match(rule, "--logical-in")
    fits = bridge.startswith(name[:-1]) if name.endswith("+") else bridge == name
    return not name or fits == wanted


def _match(rule: Rule, option: str) -> tuple[str, bool]:
    """What a rule demands of an option, and False where it demands the opposite; "" where it does not ask."""
    if option not in rule.words[:-1]:
        return "", True
    at = rule.words.index(option)
    return rule.words[at + 1], rule.words[at - 1 : at] != ("!",)


def _port_prefix(chains: Iterable[Chain]) -> str:
    """A rule made by hand may be for ports such as `vnet+` alone: then the port has to be called so to be met."""
    for rule in _redirects(chains):
        name, wanted = _match(rule, "-i")
        if wanted and len(name) > 1 and name.endswith("+"):
            return name[:-1]
    return _PORT_PREFIX
