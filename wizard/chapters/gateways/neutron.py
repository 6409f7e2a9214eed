"""Gateways on Neutron nodes: how this node reaches the routers outside. Open vSwitch's and OVN's databases are never written:
what would change them is printed, as the whole list that was read with one part more, and with the way back."""

from __future__ import annotations

import shlex

from wizard.chapters.shared import cards, neutron_words
from wizard.chapters.shared.cards import CardAnswers
from wizard.facts.facts import Facts
from wizard.facts.neutron import mappings
from wizard.facts.neutron.neutron import Mapping
from wizard.facts.nova.release import at_least
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check, Finding, Severity

CHAPTER = "gateways"
KEY = "ovn-bridge-mappings"
HOSTS_PORTS = ("enable-chassis-as-extport-host", "enable-chassis-as-gw")
"""Options of ovn-cms-options that may let a chassis host external ports; the first is known from Neutron 24.0.0 (2024.1) on."""


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    return [*_driver(facts), *_unmapped(facts), *_broken(facts), *_card_of_vfs(facts, answers)]


def _driver(facts: Facts) -> list[Finding]:
    neutron = facts.neutron
    if not neutron.agents:
        return []
    others = [agent.evidence for agent in neutron.agents if agent.evidence != neutron.driver_source]
    more = f"; {'; '.join(others)}" if others else ""
    return [
        _finding(
            "NEUTRON-DRIVER",
            "tells",
            f"{neutron_words.driver(facts)}{more}",
            f"Who connects guests here decides who tells them routes and who serves metadata. Neutron is "
            f"{neutron.release or 'of unknown release'} ({neutron.release_source}).",
            "Nothing.",
        )
    ]


def _names(facts: Facts) -> list[str]:
    """Physical networks that something on this node names and the driver does not map: nova's lines for ports, the SR-IOV agent."""
    mapped = {each.network for each in facts.neutron.mappings_of(facts.neutron.driver)}
    others = [each.network for each in facts.neutron.mappings_of("sriov")]
    return [name for name in dict.fromkeys(others) if name not in mapped]


def line(facts: Facts, network: str, bridge: str) -> tuple[str, str] | None:
    """The command that maps one network more, and the one that takes it back; None where the list could not be read."""
    switch = facts.neutron.switch
    if not switch.known:
        return None
    told = switch.setting(KEY)
    key, old = told if told is not None else (KEY, "")
    value = mappings.merged(old, network, bridge)
    there = f"ovs-vsctl set Open_vSwitch . external-ids:{key}={shlex.quote(value)}"
    back = (
        f"ovs-vsctl set Open_vSwitch . external-ids:{key}={shlex.quote(old)}"
        if told is not None
        else f"ovs-vsctl remove Open_vSwitch . external_ids {key}"
    )
    return there, back


def _do(facts: Facts, network: str, bridge: str) -> str:
    if facts.neutron.driver == "ovn":
        both = line(facts, network, bridge)
        if both is None:
            return (
                "Map it in ovn-bridge-mappings of Open vSwitch's database; the list there could not be read, and setting it replaces "
                "the whole of it, so no command is given here."
            )
        return f"As root: `{both[0]}`. Back: `{both[1]}`. The bridge and its port have to be there, by the node's own network setup."
    agent = facts.neutron.agent(facts.neutron.driver)
    place = agent.own_file if agent is not None and agent.own_file else "the agent's file"
    section, option = (
        ("[ovs]", "bridge_mappings")
        if facts.neutron.driver == "ovs"
        else ("[linux_bridge]", "physical_interface_mappings")
    )
    old = ",".join(f"{each.network}:{each.target}" for each in facts.neutron.mappings_of(facts.neutron.driver))
    service = agent.service if agent is not None and agent.service else "the agent"
    text = f"In {place} {section}: {option} = {mappings.merged(old, network, bridge)}, then restart {service}."
    for owner in agent.owners if agent is not None else ():
        text += f" The file belongs to {owner.name} ({owner.evidence}): it goes into {owner.place}."
    return text


def _unmapped(facts: Facts) -> list[Finding]:
    """The driver has no mapping at all; only where its list could be read."""
    neutron = facts.neutron
    kind = neutron.driver
    if kind not in ("ovn", "ovs", "linuxbridge") or neutron.mappings_of(kind):
        return []
    agent = neutron.agent(kind)
    if kind == "ovn":
        if not neutron.switch.known:
            return []
        told = neutron.switch.setting(KEY)
        seen = f"Open vSwitch's database has {'an empty' if told else 'no'} {KEY}"
    else:
        if agent is None or not agent.files or any(unseen.what in agent.files for unseen in neutron.unseen):
            return []
        if any(name == kind for name, _ in neutron.problems):
            return []
        option = "bridge_mappings" if kind == "ovs" else "physical_interface_mappings"
        seen = f"{', '.join(agent.files)}: no {option}"
    names = _names(facts)
    network = names[0] if names else "PHYSNET"
    target = "eth1" if kind == "linuxbridge" else "br-ex"
    return [
        _finding(
            "NEUTRON-NO-MAPPING",
            "warns",
            seen,
            "A guest on a provider network (VLAN or flat) gets no port on this node without it: its port binds to nothing, or "
            "its packets "
            "go nowhere. Tunnelled networks alone need none.",
            f"{_do(facts, network, target)} PHYSNET is the network's provider:physical_network."
            if network == "PHYSNET"
            else _do(facts, network, target),
        )
    ]


def _broken(facts: Facts) -> list[Finding]:
    """Mappings that lead nowhere."""
    found = []
    for each in facts.neutron.mappings_of(facts.neutron.driver):
        seen = broken(facts, each)
        if seen:
            found.append(
                _finding(
                    "NEUTRON-NO-MAPPING",
                    "warns",
                    f"{each.place} maps {each.network} to {each.target}: {seen}",
                    "Guests on this physical network reach nothing outside of this node: no gateway, and no DHCP agent elsewhere.",
                    f"Make {each.target} with its port by the node's own network setup (netplan, os-net-config, the charm); or map "
                    f"{each.network} to what is there.",
                )
            )
    return found


def broken(facts: Facts, each: Mapping) -> str:
    """What is wrong with a mapping, as a clause; empty where nothing is, or it cannot be said."""
    if each.kind == "linuxbridge":
        return "" if not facts.network.links or facts.network.link(each.target) else "there is no such interface"
    switch = facts.neutron.switch
    if each.kind not in ("ovn", "ovs") or not switch.known or not switch.bridges:
        return ""
    bridge = switch.bridge(each.target)
    if bridge is None:
        return "Open vSwitch has no such bridge"
    if bridge.physical or not facts.network.links:
        return ""
    return f"that bridge has no physical port (it has {', '.join(bridge.ports) or 'no port'})"


def _card_of_vfs(facts: Facts, answers: AllAnswers) -> list[Finding]:
    """A chassis that hosts external ports cannot serve VFs of the very PF that its bridge is on (hotsos 365): the card's switch does
    not bring the packets of a VF back to its own PF's bridge for them."""
    told = facts.neutron.switch.setting("ovn-cms-options")
    options = [part.strip().partition("=")[0] for part in (told[1] if told else "").split(",")]
    hosting = [option for option in HOSTS_PORTS if option in options]
    if facts.neutron.driver != "ovn" or not hosting:
        return []
    asked = answers.of(CardAnswers)
    with_vfs = {each.function.address for each in cards.requests(asked, facts.pci) if each.count} if asked else set()
    with_vfs |= {function.address for function in facts.pci.functions if function.num_vfs and not function.switchdev}
    found = []
    for each in facts.neutron.mappings_of("ovn"):
        bridge = facts.neutron.switch.bridge(each.target)
        below = {pci for port in (bridge.physical if bridge else ()) for pci in facts.network.pci_below(port)}
        shared = sorted(below & with_vfs)
        if shared and told is not None:
            found.append(
                _finding(
                    "NEUTRON-MAPPING-IS-A-PF-WITH-VFS",
                    "warns",
                    f"{each.network} is on {each.target}, whose port is the PF {', '.join(shared)}; external_ids:{told[0]} = {told[1]} "
                    "lets this node host external ports",
                    "A VF of that PF whose external port is scheduled to this very node gets no DHCP and no metadata from it.",
                    "Let other nodes host external ports"
                    + (
                        " (enable-chassis-as-extport-host, on nodes without such VFs)"
                        if facts.neutron.release is None or at_least(facts.neutron.release, "2024.1")
                        else ""
                    )
                    + ", give the bridge a card without VFs, or give these guests a config drive.",
                )
            )
    return found


def checks(facts: Facts) -> list[Check]:
    """Each mapping of the driver, as it is now."""
    found = []
    for each in facts.neutron.mappings_of(facts.neutron.driver):
        what = f"{each.network} leads out of this node"
        wrong = broken(facts, each)
        if wrong:
            found.append(Check(CHAPTER, what, "failed", f"{each.place}: {wrong}", "Run check: it says what to do."))
        elif each.kind == "ovs" and not facts.neutron.switch.known:
            found.append(Check(CHAPTER, what, "unknown", f"{each.place}: Open vSwitch's database could not be read"))
        else:
            found.append(Check(CHAPTER, what, "held", f"{each.place}: {neutron_words.mapping(facts, each)}"))
    return found


def summary(facts: Facts) -> list[str]:
    lines = neutron_words.summary(facts)
    return lines if len(lines) > 1 or facts.neutron.mappings else [*lines, "no mapping of a physical network is seen"]
