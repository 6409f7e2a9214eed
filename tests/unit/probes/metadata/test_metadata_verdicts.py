"""Each way in which it can go has a sentence of its own, and a state."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from wizard.probes.metadata.bridges import Bridge
from wizard.probes.metadata.verdicts import Seen, checks, unknown

BRIDGE = Bridge("br1441", "", ipaddress.IPv4Interface("10.44.1.2/24"), "10.44.1.1", ("10.44.1.254",), "cwp")


def read(**changes: Any) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """State, seen and do of both checks, where only `changes` differ from a node on which all is well."""
    well: dict[str, Any] = {
        "borrowed": "10.44.1.254",
        "routers": ("10.44.1.1",),
        "via": "10.44.1.1",
        "router_answers": True,
        "outcome": "answered",
        "status": 200,
        "hits": 6,
        "bridge_firewall": False,
        "listens": True,
    }
    router, metadata = checks(BRIDGE, Seen(**{**well, **changes}))
    return (router.state, router.seen, router.do), (metadata.state, metadata.seen, metadata.do)


def test_all_is_well() -> None:
    router, metadata = read()
    assert router == ("held", "DHCP tells 10.44.1.1", "")
    assert metadata == ("held", "HTTP 200, 6 packets met the redirect; asked from 10.44.1.254 by way of 10.44.1.1", "")


def test_a_router_that_is_silent_is_told_but_fails_nothing() -> None:
    assert read(router_answers=False)[0][:2] == ("held", "DHCP tells 10.44.1.1; it does not answer ARP just now")


@pytest.mark.parametrize(
    ("routers", "words"),
    [
        (None, "does not answer DHCP"),
        ((), "no router at all; 10.44.1.1 is what was answered"),
        (("10.44.1.2",), "DHCP tells 10.44.1.2 (this node itself); 10.44.1.1 is what was answered"),
        (("10.44.1.1", "10.44.1.9"), "10.44.1.1, 10.44.1.9; 10.44.1.1 is what was answered"),
        (("24.10.44.1",), "DHCP tells 24.10.44.1"),
    ],
)
def test_a_wrong_router(routers: tuple[str, ...] | None, words: str) -> None:
    state, seen, do = read(routers=routers)[0]
    assert state == "failed"
    assert words in seen
    assert do


@pytest.mark.parametrize(
    ("changes", "state", "seen", "do"),
    [
        ({"outcome": "silent", "status": None, "hits": 0}, "failed", "no packet met the redirect", "run plan"),
        (
            {"outcome": "unreachable", "status": None, "hits": 0},
            "failed",
            "unreachable, says a router, and no",
            "run plan",
        ),
        (
            {"outcome": "refused", "status": None, "listens": False},
            "failed",
            "refused, although 6 packets",
            "start nova-api",
        ),
        ({"outcome": "refused", "status": None}, "failed", "refused, although 6 packets", "iptables -t nat"),
        ({"outcome": "silent", "status": None}, "failed", "no answer, although 6 packets", "what is after that"),
        ({"outcome": "broken", "status": None}, "failed", "no HTTP answer", "what is after that"),
        ({"status": 503}, "failed", "HTTP 503, although 6 packets", "see its log"),
        ({"hits": 0}, "failed", "somebody else answered", "run plan"),
        ({"hits": 0, "bridge_firewall": True}, "held", "bridge-nf-call-iptables is 1 and does it", ""),
        ({"hits": 0, "via": "10.44.1.2"}, "held", "this node is the router", ""),
        ({"hits": None}, "unknown", "counters could not be read", ""),
        ({"hits": None, "outcome": "silent", "status": None}, "failed", "counters could not be read", "check"),
        (
            {"hits": 0, "bridge_firewall": True, "outcome": "refused", "status": None, "listens": False},
            "failed",
            "no rule was needed",
            "start nova-api",
        ),
        ({"via": ""}, "held", "by way of a router that is not there", ""),
    ],
)
def test_metadata(changes: dict[str, Any], state: str, seen: str, do: str) -> None:
    found = read(**changes)[1]
    assert found[0] == state
    assert seen in found[1]
    assert do.lower() in found[2].lower()


def test_what_could_not_be_asked_is_unknown() -> None:
    assert [check.state for check in unknown("br1441", "why")] == ["unknown", "unknown"]


def test_the_port_is_named_that_nova_sends_to() -> None:
    assert "port 8780" in read(outcome="refused", status=None, listens=False, port=8780)[1][2]
    assert "port 8780" in read(outcome="refused", status=None, listens=None, port=8780)[1][2]
