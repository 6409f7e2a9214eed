"""What is seen of Neutron on this node, in words that several chapters need."""

from __future__ import annotations

from wizard.facts.facts import Facts
from wizard.facts.neutron.neutron import Mapping

MOST = 6  # representors that are named
DRIVERS = {
    "ovn": "OVN",
    "ovs": "the Open vSwitch agent",
    "linuxbridge": "the Linux bridge agent",
    "none": "no driver that connects guests",
    "unknown": "a driver that is not seen here",
}


def driver(facts: Facts) -> str:
    """`OVN (ovn-controller runs (pid 1460))`."""
    return f"{DRIVERS[facts.neutron.driver]}: {facts.neutron.driver_source}"


def agents(facts: Facts) -> str:
    """The agents that run here, by their programs; empty where none is seen."""
    return ", ".join(agent.program for agent in facts.neutron.agents if agent.running)


def mapping(facts: Facts, each: Mapping) -> str:
    """`physnet1 is on the bridge br-ex, with the port bond0`."""
    if each.kind == "sriov":
        return f"{each.network} is on the PF {each.target} (SR-IOV agent)"
    if each.kind == "linuxbridge":
        return f"{each.network} is on {each.target}"
    bridge = facts.neutron.switch.bridge(each.target)
    if not facts.neutron.switch.known:
        return f"{each.network} is on the bridge {each.target}"
    if bridge is None:
        return f"{each.network} is mapped to {each.target}, and Open vSwitch has no such bridge"
    ports = ", ".join(bridge.physical)
    size = f", MTU {bridge.mtu}" if bridge.mtu is not None else ""
    with_port = f"the port {ports}{size}" if ports else "no physical port"
    return f"{each.network} is on the bridge {each.target}, with {with_port}{vlans(facts, each.network)}"


def vlans(facts: Facts, network: str) -> str:
    """`; VLANs 100 to 199`, where a file of this node's agents says so: the option is the server's, and often is not here."""
    for kind, setting in facts.neutron.settings:
        if setting.option != "network_vlan_ranges" or setting.unknown:
            continue
        parts = [part.strip().split(":") for part in setting.value.split(",")]
        ranges = [f"{part[1]} to {part[2]}" for part in parts if len(part) == 3 and part[0] == network]
        if ranges:
            return f"; VLANs {', '.join(ranges)} ({setting.place}, {kind})"
    return ""


def summary(facts: Facts) -> list[str]:
    """Driver, agents and mappings, a line each."""
    neutron = facts.neutron
    lines = [f"Neutron by {driver(facts)}"]
    others = [agent for agent in neutron.agents if agent.evidence != neutron.driver_source]
    lines += [f"{agent.evidence}{_files(agent.files)}" for agent in others]
    lines += [mapping(facts, each) for each in neutron.mappings]
    if neutron.switch.hw_offload:
        lines.append("Open vSwitch has hardware offload on (other_config:hw-offload)")
    if neutron.representors:
        named = ", ".join(f"{each.name} ({each.port})" for each in neutron.representors[:MOST])
        more = f" and {len(neutron.representors) - MOST} more" if len(neutron.representors) > MOST else ""
        lines.append(f"representors of VFs, left alone: {named}{more}")
    return lines


def _files(files: tuple[str, ...]) -> str:
    return f"; it reads {', '.join(files)}" if files else ""
