"""What guests of this node are told of metadata by DHCP, and whether somebody here answers them."""

from __future__ import annotations

from collections.abc import Iterable

from wizard.chapters.metadata import config_drive
from wizard.facts.facts import Facts
from wizard.facts.neutron.neutron import Told
from wizard.model.findings import Check

CHAPTER = "metadata"
SHOWN = 4
OWN_METADATA = ("ovn-metadata", "ovn-agent")


def local(facts: Facts) -> list[Told]:
    """What guests of this node are told: OVN's flows may be of others, too, where their ports are known."""
    told = list(facts.neutron.told or ())
    own = {port.mac for port in facts.neutron.switch.guests if port.mac}
    if facts.neutron.driver != "ovn" or not facts.neutron.switch.known:
        return told
    return [each for each in told if each.who in own]


def some(parts: Iterable[str]) -> str:
    every = list(parts)
    more = f"; and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return "; ".join(every[:SHOWN]) + more


def said(told: Told) -> str:
    """`10.44.1.20 (fa:16:3e:..): router 10.44.1.1, metadata via 10.44.1.2`."""
    who = f"{told.address} ({told.who})" if told.address else f"{told.who} of {told.network}"
    router = f"router {told.router}" if told.router else "no router"
    return f"{who}: {router}, {f'metadata via {told.via}' if told.via else 'no route to the metadata service'}"


def lost(facts: Facts) -> list[Told]:
    """Guests that are told a router and no route of their own to the metadata service."""
    return [each for each in local(facts) if each.router and not each.via]


def missing_namespaces(facts: Facts) -> str:
    """What is wrong with the namespaces and proxies of OVN's metadata on this node, in words; empty where nothing is seen."""
    neutron = facts.neutron
    if neutron.driver != "ovn":
        return ""
    told = [each for each in local(facts) if each.via]
    networks = {each.network for each in told}
    spaces = [space for space in neutron.namespaces if space.kind == "ovnmeta"]
    agents = [agent for kind in OWN_METADATA for agent in (neutron.agent(kind),) if agent is not None]
    dead = [space.name for space in spaces if space.proxy is False]
    if networks and not agents:
        return f"guests of {len(networks)} networks here are told a metadata route, and no agent that serves it is seen on this node"
    if networks and agents and not any(agent.running for agent in agents) and not _hidden(facts):
        return f"guests here are told a metadata route, and {agents[0].program} is not seen running"
    if len(networks) > len(spaces):
        return f"guests of {len(networks)} networks here are told a metadata route, and {len(spaces)} have a namespace (ovnmeta-*)"
    return f"no haproxy is seen running for {some(dead)}" if dead else ""


def _hidden(facts: Facts) -> bool:
    """Whether processes may be there that are not seen."""
    return any(unseen.what == "whether nova-compute runs" for unseen in facts.nova.unseen)


def checks(facts: Facts) -> list[Check]:
    """What each guest is told, and whether somebody answers; nothing where this node has no part in it."""
    return [*_told_check(facts), *_served_check(facts)] if facts.neutron.driver == "ovn" else []


def _told_check(facts: Facts) -> list[Check]:
    what = "Guests here are told a route to the metadata service"
    if facts.neutron.told is None:
        if not facts.neutron.switch.known:  # nothing here asks Open vSwitch: it is in a container, or of a snap
            return []
        return [Check(CHAPTER, what, "unknown", "the flows of Open vSwitch could not be read", "Run verify as root.")]
    told, without = local(facts), lost(facts)
    if without and not config_drive.is_on(facts):
        return [Check(CHAPTER, what, "failed", some(said(each) for each in without), "Run check: it says why.")]
    return [Check(CHAPTER, what, "held", some(said(each) for each in told))] if told else []


def _served_check(facts: Facts) -> list[Check]:
    what = "Metadata is answered for the networks of guests here"
    missing = missing_namespaces(facts)
    if missing:
        return [Check(CHAPTER, what, "failed", missing, "Restart the metadata agent, then see its log.")]
    spaces = [space for space in facts.neutron.namespaces if space.kind == "ovnmeta"]
    if any(space.proxy is None for space in spaces):
        return [
            Check(CHAPTER, what, "unknown", "whether haproxy runs in its namespaces is not seen", "Run verify as root.")
        ]
    seen = f"{len(spaces)} namespaces with haproxy: {some(space.name for space in spaces)}"
    return [Check(CHAPTER, what, "held", seen)] if spaces else []
