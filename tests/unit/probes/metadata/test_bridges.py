"""Which bridges are asked on, from which address, and what their counters say: from facts alone."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest
from nodes import answered, origin

from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.facts.network.links import Link
from wizard.facts.nova.networks import NovaNetwork
from wizard.formats.ebtables import Chain, parse_listing
from wizard.probes.metadata import bridges

NOTHING: frozenset[str] = frozenset()


def seen(*addresses: tuple[str, str], kind: str = "bridge", listen: str = "", first: str = "") -> Facts:
    """The node of the origin with one bridge of this kind and these addresses."""
    base = facts.read(origin())
    link = Link("br1441", kind, "02:00:00:00:aa:01", "", (), None, "")
    served = NovaNetwork("demo-net", "br1441", 1441, "/x", listen, "10.44.1.0/24", True, first)
    return dataclasses.replace(
        base,
        network=dataclasses.replace(base.network, links=(link,), addresses=addresses, nat_chains=()),
        nova=dataclasses.replace(base.nova, networks=(served,)),
    )


def asked(node: Facts, known: frozenset[str] = NOTHING) -> bridges.Bridge:
    networks = [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]
    return bridges.bridge(node, answered(node, gateways={"network": networks}), "br1441", known)


def test_addresses_below_nova_s_range_come_first() -> None:
    found = asked(seen(("br1441", "10.44.1.2/24"), listen="10.44.1.2", first="10.44.1.6"))
    assert (found.why_not, found.router, str(found.own)) == ("", "10.44.1.1", "10.44.1.2/24")
    assert found.spare == ("10.44.1.5", "10.44.1.4", "10.44.1.3", "10.44.1.254", "10.44.1.253", "10.44.1.252")


def test_what_guests_the_router_and_the_node_have_is_not_borrowed() -> None:
    node = seen(("br1441", "10.44.1.2/29"), ("br1441", "10.44.1.6/29"), first="10.44.1.3")
    assert asked(node, frozenset({"10.44.1.4"})).spare == ("10.44.1.5", "10.44.1.3")


def test_the_address_that_dnsmasq_listens_on_is_the_node_s_own() -> None:
    node = seen(("br1441", "10.9.9.9/24"), ("br1441", "fe80::1/64"), ("br1441", "10.44.1.2/24"), listen="10.44.1.2")
    assert asked(node).own == ipaddress.IPv4Interface("10.44.1.2/24")


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (seen(kind="physical"), "no bridge but physical"),
        (seen(), "no IPv4 address"),
        (seen(("br1441", "169.254.1.1/16")), "no IPv4 address"),
        (seen(("br1441", "10.44.1.2/32")), "no address to spare"),
        (seen(("br1441", "10.44.1.0/31")), "no address to spare"),
    ],
)
def test_where_it_cannot_be_asked(node: Facts, why: str) -> None:
    assert why in asked(node).why_not


def test_a_bridge_that_is_not_there() -> None:
    node = seen()
    assert "not there yet" in bridges.bridge(node, answered(node), "br9", NOTHING).why_not


def test_guests_of_nova_s_hosts_file() -> None:
    text = "fa:16:3e:44:01:03,host-10-44-1-3.novalocal,10.44.1.3\nfa:16:3e:44:01:04,x,10.44.1.4,net:NW-1\nodd\n"
    assert bridges.guest_addresses(text) == {"10.44.1.3", "10.44.1.4"}


LISTING = """Bridge table: nat

Bridge chain: PREROUTING, entries: 2, policy: ACCEPT
-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j cw-metadata , pcnt = 40 -- bcnt = 1
-p IPv4 -i vnet+ --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect , pcnt = 5 -- bcnt = 1

Bridge chain: cw-metadata, entries: 3, policy: RETURN
-i vlan+ -j RETURN , pcnt = 9 -- bcnt = 1
--logical-in br1441 -j redirect --redirect-target CONTINUE, pcnt = 7 -- bcnt = 1
--logical-in br1442 -j redirect --redirect-target CONTINUE, pcnt = 20 -- bcnt = 1
"""


def chains(text: str = LISTING) -> tuple[Chain, ...]:
    return tuple(parse_listing(text).values())


def test_only_redirects_that_concern_the_bridge_are_counted() -> None:
    assert bridges.hits(chains(), "br1441") == 7 + 5
    assert bridges.hits(chains(), "br1442") == 20 + 5
    assert bridges.hits(chains(LISTING.replace("--logical-in br1441", "--logical-in ! br1441")), "br1442") == 32
    assert bridges.hits(chains(LISTING.replace("--logical-in br1441", "--logical-in br+")), "br9") == 7 + 5
    assert bridges.hits((), "br1441") == 0
    assert bridges.hits(None, "br1441") is None
    bare = "\n".join(line.partition(" , pcnt")[0].partition(", pcnt")[0] for line in LISTING.splitlines())
    assert bridges.hits(chains(bare), "br1441") is None


def test_a_rule_for_ports_of_one_name_is_met_by_a_port_of_that_name() -> None:
    node = seen(("br1441", "10.44.1.2/24"))
    assert asked(node).port_prefix == "cwp"
    by_hand = dataclasses.replace(node, network=dataclasses.replace(node.network, nat_chains=chains()))
    assert asked(by_hand).port_prefix == "vnet"
    other_way = chains(LISTING.replace("-i vnet+", "-i ! vlan+"))
    assert (
        asked(dataclasses.replace(node, network=dataclasses.replace(node.network, nat_chains=other_way))).port_prefix
        == "cwp"
    )
