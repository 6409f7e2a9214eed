"""Neutron on this node: which driver, by which agents and files; the mappings of physical networks; who serves guests what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from wizard.dataclass import dataclass
from wizard.facts import packages, processes
from wizard.facts.network.network import NetworkFacts
from wizard.facts.neutron import agents as neutron_agents
from wizard.facts.neutron import served, switch
from wizard.facts.neutron.agents import NeutronAgent
from wizard.facts.neutron.catalog import OPTIONS, Kind
from wizard.facts.neutron.mappings import Mapping, pairs
from wizard.facts.neutron.served import Namespace, Told
from wizard.facts.neutron.switch import Representor, Switch
from wizard.facts.nova import config as nova_config
from wizard.facts.nova import release as nova_release
from wizard.facts.nova.config import NovaSetting, Sources
from wizard.facts.nova.nova import NovaFacts
from wizard.node.node import Node, Unseen
from wizard.regex import regex

__all__ = ["Driver", "Mapping", "NeutronAgent", "NeutronFacts", "Told", "read"]

Driver = Literal["ovn", "ovs", "linuxbridge", "none", "unknown"]
_DRIVERS: tuple[tuple[Kind, Driver], ...] = (("ovn", "ovn"), ("ovs", "ovs"), ("linuxbridge", "linuxbridge"))
_MAJOR = 5  # nova's major version is Neutron's and five: Liberty is 12 and 7, 2026.2 is 34 and 29
_PACKAGE = regex(r"neutron-|python3?-neutron$|openstack-neutron")
_VERSION = regex(r"(?:\d+:)?(\d+)\.(\d+)")
NO_SWITCH = Switch()
TRUE = ("1", "yes", "true", "on")  # oslo_config/types.py, Boolean


@dataclass(frozen=True, slots=True)
class NeutronFacts:
    """What is seen of Neutron. `settings` are those of each agent's own files, as (kind of the agent, setting)."""

    driver: Driver = "none"
    driver_source: str = "nothing of Neutron is seen here"
    release: str | None = None
    release_source: str = ""
    agents: tuple[NeutronAgent, ...] = ()
    settings: tuple[tuple[str, NovaSetting], ...] = ()
    switch: Switch = NO_SWITCH
    mappings: tuple[Mapping, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    told: tuple[Told, ...] | None = None
    """What guests are told by DHCP from this node; None where that could not be read, or this node tells nothing."""
    told_by: str = ""  # "flows of br-int" or "option files of the DHCP agent"
    representors: tuple[Representor, ...] = ()  # of cards in switchdev mode
    problems: tuple[tuple[str, str], ...] = ()  # (kind, what oslo.config would refuse in the agent's files)
    unseen: tuple[Unseen, ...] = ()

    def agent(self, kind: str) -> NeutronAgent | None:
        return next((agent for agent in self.agents if agent.kind == kind), None)

    def runs(self, *kinds: str) -> bool:
        return any(agent.running for agent in self.agents if agent.kind in kinds)

    def all(self, kind: str, section: str, option: str) -> tuple[NovaSetting, ...]:
        """Every occurrence in the files of one agent, in the order in which it reads them."""
        wanted = (kind, section, option)
        return tuple(s for name, s in self.settings if (name, s.section, s.option) == wanted)

    def setting(self, kind: str, section: str, option: str) -> NovaSetting | None:
        """The occurrence that counts for a single-valued option."""
        found = self.all(kind, section, option)
        return found[-1] if found else None

    def last(self, kind: str, section: str, option: str) -> str | None:
        """The effective value; None where it is not set, or cannot be said."""
        found = self.setting(kind, section, option)
        return found.value if found is not None and not found.unknown else None

    def on(self, kind: str, section: str, option: str) -> bool | None:
        """A switch; None where its value cannot be said. Each of those that are read here is off by default."""
        found = self.setting(kind, section, option)
        if found is None:
            return False
        return None if found.unknown else found.value.strip().lower() in TRUE

    def mappings_of(self, kind: str) -> tuple[Mapping, ...]:
        return tuple(mapping for mapping in self.mappings if mapping.kind == kind)


def read(node: Node, nova: NovaFacts, network: NetworkFacts) -> NeutronFacts:
    """Look at Neutron. Changes nothing, and never fails: what cannot be read is in `unseen`."""
    running = processes.read(node)
    installed = packages.dpkg(node)
    agents = neutron_agents.read(node, running, installed)
    if not agents and nova.networking == "nova-network":
        return NeutronFacts()
    settings: list[tuple[str, NovaSetting]] = []
    problems: list[tuple[str, str]] = []
    unseen: list[Unseen] = []
    for agent in agents:
        content = nova_config.read(
            node, Sources(agent.files, agent.source, agent.own_file), OPTIONS, {"state_path": served.STATE}
        )
        settings += [(agent.kind, setting) for setting in content.settings]
        problems += [(agent.kind, content.problem)] if content.problem else []
        unseen += content.unseen
        if agent.source == neutron_agents.CONTAINER:
            unseen.append(
                Unseen(f"the configuration of {agent.program}", f"it runs in the container {agent.container}")
            )
    database, unseen_switch = switch.read(node, network.links, network.openvswitch)
    driver, source = _driver(agents, database, nova)
    release, release_source = _release(installed, nova)
    spaces, unseen_spaces = served.namespaces(node, running) if agents else ((), ())
    facts = NeutronFacts(
        driver=driver,
        driver_source=source,
        release=release,
        release_source=release_source,
        agents=agents,
        settings=tuple(settings),
        switch=database,
        namespaces=spaces,
        representors=switch.representors(node, network.links),
        problems=tuple(problems),
    )
    told, told_by, unseen_told = _told(node, facts)
    return replace(
        facts,
        mappings=tuple(_mappings(facts)),
        told=told,
        told_by=told_by,
        unseen=tuple(dict.fromkeys([*unseen, *unseen_switch, *unseen_spaces, *unseen_told])),
    )


def _driver(agents: tuple[NeutronAgent, ...], database: Switch, nova: NovaFacts) -> tuple[Driver, str]:
    """What runs decides; then what Open vSwitch's database is told of OVN; then what is installed."""
    for running in (True, False):
        for kind, driver in _DRIVERS:
            found = next((agent for agent in agents if agent.kind == kind and agent.running is running), None)
            if found is not None:
                return driver, found.evidence
        if running and database.setting("ovn-bridge-mappings") is not None:
            return "ovn", "Open vSwitch's database has ovn-bridge-mappings"
    if any(agent.kind in ("ovn-metadata", "ovn-agent") for agent in agents):
        return "ovn", next(agent.evidence for agent in agents if agent.kind in ("ovn-metadata", "ovn-agent"))
    if agents:
        return "none", f"{agents[0].evidence}; no agent that connects guests is seen"
    if nova.networking == "neutron":
        return "unknown", f"networking is Neutron ({nova.networking_source}), and none of its agents is seen here"
    return "none", "nothing of Neutron is seen here"


def _release(installed: dict[str, str], nova: NovaFacts) -> tuple[str | None, str]:
    for name in sorted(installed):
        match = _VERSION.match(installed[name]) if _PACKAGE.match(name) else None
        if match is None:
            continue
        version = f"{int(match[1]) + _MAJOR}.{match[2]}" if int(match[1]) < 2000 else installed[name]
        found = nova_release.release_of(version)
        if found is not None:
            return found, f"package {name} {installed[name]}"
    return nova.release, f"nova's: {nova.release_source}"


def _mappings(facts: NeutronFacts) -> Iterator[Mapping]:
    """Physical networks as each agent maps them: to a bridge (OVN, OVS), to a link (linuxbridge), to a PF (SR-IOV)."""
    told = facts.switch.setting("ovn-bridge-mappings")
    if told is not None:
        yield from pairs("ovn", told[1], f"Open vSwitch's external_ids:{told[0]}")
    for kind, section, option in (
        ("ovs", "ovs", "bridge_mappings"),
        ("linuxbridge", "linux_bridge", "physical_interface_mappings"),
        ("linuxbridge", "linux_bridge", "bridge_mappings"),
        ("sriov", "sriov_nic", "physical_device_mappings"),
    ):
        setting = facts.setting(kind, section, option)
        if setting is not None and not setting.unknown:
            yield from pairs(kind, setting.value, f"{setting.place}: {option}")


def _told(node: Node, facts: NeutronFacts) -> tuple[tuple[Told, ...] | None, str, tuple[Unseen, ...]]:
    if facts.driver == "ovn" and facts.agent("ovn") is not None:
        bridge = facts.switch.integration
        told, unseen = served.told_by_flows(node, bridge)
        return told, f"flows of {bridge}", unseen
    if facts.agent("dhcp") is not None:
        states = [value for value in (facts.last("dhcp", "DEFAULT", "state_path"),) if value]
        answers, unseen = served.told_by_dnsmasq(node, states)
        return answers, "option files of the DHCP agent", unseen
    return None, "", ()
