"""What the answers on a bridge mean: a missing rule, a dead service and a wrong router each have a sentence of their own."""

from __future__ import annotations

from typing import Literal

from wizard.chapters.gateways import chapter as gateways
from wizard.chapters.metadata import chapter as metadata
from wizard.chapters.metadata import service as metadata_service
from wizard.dataclass import dataclass
from wizard.model.findings import Check
from wizard.probes.metadata.bridges import Bridge

Outcome = Literal["answered", "refused", "unreachable", "silent", "broken"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a guest on a bridge would see. `hits`: packets that met the redirect meanwhile, None where they are not counted."""

    borrowed: str
    routers: tuple[str, ...] | None  # what DHCP tells, in its order; None where it does not answer
    via: str  # the router that the request was sent to; "" where DHCP told none
    router_answers: bool  # whether it answers ARP
    outcome: Outcome
    status: int | None  # of HTTP, where it was answered
    hits: int | None
    bridge_firewall: bool  # bridge-nf-call-iptables is 1: iptables sees bridged packets
    listens: bool | None  # whether something listens where nova sends the request; None where that cannot be seen
    port: int = metadata_service.PORT  # that nova sends it to


_WHAT_ROUTER = "Guests on {} are told their router"
_WHAT_METADATA = "A guest on {} gets metadata from this node"


def unknown(bridge: str, why: str, do: str = "") -> list[Check]:
    """The checks of a bridge that could not be asked on."""
    return [
        Check(gateways.NAME, _WHAT_ROUTER.format(bridge), "unknown", why, do),
        Check(metadata.NAME, _WHAT_METADATA.format(bridge), "unknown", why, do),
    ]


def checks(bridge: Bridge, seen: Seen) -> list[Check]:
    """The two checks of a bridge."""
    return [_router(bridge, seen), _metadata(bridge, seen)]


def _router(bridge: Bridge, seen: Seen) -> Check:
    what = _WHAT_ROUTER.format(bridge.name)
    own = str(bridge.own.ip)
    if seen.routers is None:
        return Check(
            gateways.NAME,
            what,
            "failed",
            f"{own}, this node, does not answer DHCP",
            "See whether nova's dnsmasq for this bridge runs (ps -C dnsmasq -f) and what it logs; nova-network starts it again.",
        )
    told = ", ".join(_named(router, own) for router in seen.routers) or "no router at all"
    if bridge.router and seen.routers != (bridge.router,):
        return Check(
            gateways.NAME,
            what,
            "failed",
            f"DHCP tells {told}; {bridge.router} is what was answered",
            "dnsmasq reads its file only when it starts, and the tag has to be nova's network label to the letter: run plan, "
            "then apply. A dnsmasq that is older than the file has to be ended and nova-network restarted.",
        )
    if not seen.routers:
        return Check(
            gateways.NAME, what, "failed", "DHCP tells no router at all", "See `option:router` in dnsmasq's file."
        )
    silent = "" if seen.router_answers else "; it does not answer ARP just now"
    return Check(gateways.NAME, what, "held", f"DHCP tells {told}{silent}")


def _named(router: str, own: str) -> str:
    return f"{router} (this node itself)" if router == own else router


def _metadata(bridge: Bridge, seen: Seen) -> Check:
    what = _WHAT_METADATA.format(bridge.name)
    way = f"asked from {seen.borrowed} by way of {_named(seen.via, str(bridge.own.ip)) if seen.via else 'a router that is not there'}"
    if seen.outcome == "answered" and seen.status == 200:
        return _served(bridge, seen, what, way)
    ended = {
        "answered": f"HTTP {seen.status}",
        "refused": "the connection was refused",
        "unreachable": "unreachable, says a router",
        "silent": "no answer",
        "broken": "connected, but no HTTP answer came",
    }[seen.outcome]
    if seen.hits is None:
        return Check(
            metadata.NAME,
            what,
            "failed",
            f"{ended}; {way}; the rule's counters could not be read",
            "Run check: it says what is wrong.",
        )
    if seen.hits == 0 and not (seen.bridge_firewall or seen.via == str(bridge.own.ip)):
        return Check(
            metadata.NAME,
            what,
            "failed",
            f"{ended}, and no packet met the redirect; {way}",
            "The rule is missing, or does not fit this bridge: run plan, then apply.",
        )
    met = f"{seen.hits} packets met the redirect" if seen.hits else "no rule was needed to bring it here"
    return Check(metadata.NAME, what, "failed", f"{ended}, although {met}; {way}", _do(seen))


def _do(seen: Seen) -> str:
    if seen.outcome == "answered":
        return "The request comes to the metadata service, which is ill: see its log (nova-api-metadata or nova-api)."
    if seen.listens is False:
        return (
            f"The request comes to this node; nothing listens for it on port {seen.port}: start nova-api-metadata here."
        )
    if seen.outcome == "refused":
        return (
            f"The request comes to this node. See whether nova's own rule sends 169.254.169.254:80 on to port {seen.port} "
            "(iptables -t nat -S | grep 169.254), and whether something listens at the address that it names; if nothing does, "
            "start nova-api-metadata there."
        )
    return (
        "The request comes to this node; what is after that does not work. See nova's rules (iptables -t nat -S; iptables -S) "
        f"for 169.254.169.254 and port {seen.port}, and the metadata service's log."
    )


def _served(bridge: Bridge, seen: Seen, what: str, way: str) -> Check:
    if seen.hits:
        return Check(metadata.NAME, what, "held", f"HTTP 200, {seen.hits} packets met the redirect; {way}")
    if seen.via == str(bridge.own.ip):
        return Check(metadata.NAME, what, "held", f"HTTP 200; no redirect was needed: this node is the router; {way}")
    if seen.hits is None:
        return Check(
            metadata.NAME,
            what,
            "unknown",
            f"HTTP 200, but whether this node gave it is not known: the rule's counters could not be read; {way}",
        )
    if seen.bridge_firewall:
        return Check(
            metadata.NAME,
            what,
            "held",
            f"HTTP 200, yet no packet met the redirect: bridge-nf-call-iptables is 1 and does it, until something sets it to 0; {way}",
        )
    return Check(
        metadata.NAME,
        what,
        "failed",
        f"HTTP 200, yet no packet met the redirect, and iptables does not see bridged packets: somebody else answered; {way}",
        "The router outside, or another node, serves metadata here: guests may get another's. Run plan, then apply.",
    )
