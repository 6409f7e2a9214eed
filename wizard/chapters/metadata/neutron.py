"""Metadata on Neutron nodes: who serves it here, whom it cannot reach, and what guests are told by DHCP."""

from __future__ import annotations

from wizard.chapters.metadata import config_drive, neutron_served
from wizard.chapters.metadata.neutron_served import SHOWN
from wizard.chapters.shared import neutron_words
from wizard.chapters.shared.cards import CardAnswers
from wizard.facts.facts import Facts
from wizard.facts.nova.release import at_least
from wizard.model.answers import AllAnswers
from wizard.model.findings import Finding, Severity

CHAPTER = "metadata"
BY_DRIVER = {
    "ovn": "OVN tells each guest of a subnet with DHCP a route to 169.254.169.254 by its own metadata port (option 121), and an "
    "agent on "
    "this node answers there, in a namespace of each network that has guests here.",
    "ovs": "Neutron's DHCP agent tells guests the route to 169.254.169.254 and answers there, mostly on other nodes: with "
    "force_metadata, "
    "or with enable_isolated_metadata on networks without a router of Neutron's.",
    "linuxbridge": "Neutron's DHCP agent tells guests the route to 169.254.169.254 and answers there, mostly on other nodes: with "
    "force_metadata, or with enable_isolated_metadata on networks without a router of Neutron's.",
}
ANY = "Neutron brings metadata by its own agents: OVN by a port of its own on each network, OVS by the DHCP agent."
VFS = (
    "Guests whose ports are VFs pass by this node's bridges: with OVN they are external ports, and DHCP and metadata come from the "
    "chassis that has these{extport}: the metadata agent is needed there. VFs by an alias and a flavor have no port at all: a config "
    "drive alone (force_config_drive = True)."
)


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def findings(facts: Facts, answers: AllAnswers, redirect: bool, wanted_drive: bool | None) -> list[Finding]:
    """`redirect` is whether the bridge rule of nova-network is answered, `wanted_drive` what is answered of config drives."""
    drive = wanted_drive if wanted_drive is not None else config_drive.is_on(facts) or False
    found = [_by_driver(facts, redirect), *_agent_is_old(facts), *_dhcp_agents(facts)]
    found += _not_told(facts, drive)
    found += _not_served(facts)
    found += _vfs(facts, answers, drive)
    return found


def _extport(facts: Facts) -> str:
    """How a chassis is chosen for external ports: the option is known from Neutron 24.0.0 (2024.1) on."""
    release = facts.neutron.release
    if release is None or at_least(release, "2024.1"):
        return " (enable-chassis-as-extport-host in its ovn-cms-options, else a gateway chassis)"
    return " (a gateway chassis)"


def _by_driver(facts: Facts, redirect: bool) -> Finding:
    runs = neutron_words.agents(facts)
    seen = f"this node's networking is Neutron ({facts.nova.networking_source}), by {neutron_words.driver(facts)}"
    why = BY_DRIVER.get(facts.neutron.driver, ANY)
    return _finding(
        "METADATA-NEUTRON",
        "blocks" if redirect else "tells",
        seen + (f"; seen running: {runs}" if runs else ""),
        f"{why} A bridge rule would never be used, or be in the way.",
        _do(facts) + VFS.format(extport=_extport(facts)),
    )


def _do(facts: Facts) -> str:
    if facts.neutron.driver == "ovn":
        return (
            "Where guests have a router outside: the subnet needs DHCP, and Neutron's server ovn_metadata_enabled = True; or a "
            "config drive "
            "(config_drive = true in the answers). "
        )
    if facts.neutron.driver in ("ovs", "linuxbridge"):
        return (
            "Where guests have a router outside: force_metadata = True in dhcp_agent.ini of every DHCP agent that serves the "
            "network, or a "
            "config drive (config_drive = true in the answers). "
        )
    return (
        "Where guests have a router outside: force_metadata = True in dhcp_agent.ini of every DHCP agent (OVS), the OVN "
        "metadata agent on "
        "every compute node (OVN), or a config drive (config_drive = true in the answers). "
    )


def _agent_is_old(facts: Facts) -> list[Finding]:
    agent, release = facts.neutron.agent("ovn-metadata"), facts.neutron.release
    if agent is None or release is None or not at_least(release, "2025.2") or facts.neutron.runs("ovn-agent"):
        return []
    return [
        _finding(
            "METADATA-AGENT-OLD",
            "tells",
            f"{agent.evidence}; Neutron is {release} ({facts.neutron.release_source})",
            "neutron-ovn-metadata-agent is deprecated from 2025.2 on: neutron-ovn-agent with the extension metadata takes its "
            "place, and "
            "a later release has it alone.",
            "Nothing yet. Before the upgrade that takes it away: neutron-ovn-agent with `[agent] extensions = metadata` in "
            "ovn_agent.ini.",
        )
    ]


def _dhcp_agents(facts: Facts) -> list[Finding]:
    """The options of the DHCP agent are printed for all of them: one that tells the route and one that does not is worse than none."""
    if facts.neutron.driver not in ("ovs", "linuxbridge"):
        return []
    agent = facts.neutron.agent("dhcp")
    do = (
        "Where routers are outside, on every node with a DHCP agent of these networks (`openstack network agent list "
        "--agent-type dhcp`): "
        "force_metadata = True in [DEFAULT] of dhcp_agent.ini, then restart neutron-dhcp-agent; never on one of several alone. "
        "Or a config "
        "drive, by this node's nova.conf."
    )
    if agent is None:
        return [
            _finding(
                "METADATA-DHCP-ELSEWHERE",
                "tells",
                f"no DHCP agent is seen on this node; {neutron_words.driver(facts)}",
                "Guests here are told their routes, and served metadata, by DHCP agents on other nodes: what those are told "
                "cannot be seen "
                "from here.",
                do,
            )
        ]
    said = {name: facts.neutron.on("dhcp", "DEFAULT", name) for name in ("force_metadata", "enable_isolated_metadata")}
    text = ", ".join(f"{name} = {'unknown' if value is None else value}" for name, value in said.items())
    return [
        _finding(
            "METADATA-DHCP-HERE",
            "tells",
            f"{agent.evidence}; {text} ({agent.own_file or 'its file is not seen'})",
            "With force_metadata it tells every guest the route; with enable_isolated_metadata only those on networks where no "
            "router of "
            "Neutron's is the gateway. Other agents of the same network answer, too: all have to say the same.",
            "Nothing, where that is the same on every DHCP agent. " + do if said["force_metadata"] else do,
        )
    ]


def _not_told(facts: Facts, drive: bool) -> list[Finding]:
    without = neutron_served.lost(facts)
    if not without:
        return []
    ovn = facts.neutron.driver == "ovn"
    why = (
        "Their requests for 169.254.169.254 go to the router: where that is outside, they are lost on the wire."
        if ovn
        else "Their requests for 169.254.169.254 go to the router: a router of Neutron's answers them, one outside does not."
    )
    do = (
        "On the controller: ovn_metadata_enabled = True for Neutron's server ([ovn] of ml2_conf.ini), and DHCP on the subnet; "
        "guests get "
        "the route at their next renewal. Or a config drive (config_drive = true)."
        if ovn
        else "Where the router is outside: force_metadata = True in dhcp_agent.ini of every DHCP agent of the network, or a "
        "config drive."
    )
    return [
        _finding(
            "METADATA-NO-ROUTE",
            "tells" if drive or not ovn else "warns",
            f"{facts.neutron.told_by}: {neutron_served.some(neutron_served.said(each) for each in without)}",
            why + (" New guests have a config drive." if drive else ""),
            do,
        )
    ]


def _not_served(facts: Facts) -> list[Finding]:
    seen = neutron_served.missing_namespaces(facts)
    if not seen:
        return []
    return [
        _finding(
            "METADATA-NO-NAMESPACE",
            "warns",
            seen,
            "The metadata agent makes a namespace for each network that has a guest on this node, and haproxy answers in it: "
            "without "
            "either, a guest's request gets no answer.",
            "Restart the agent (neutron-ovn-metadata-agent or neutron-ovn-agent): it makes what is missing; then see its log.",
        )
    ]


def _vfs(facts: Facts, answers: AllAnswers, drive: bool) -> list[Finding]:
    """Guests of VFs, by how they get them."""
    if drive:
        return []
    ports, aliases = _pools(answers)
    asked = answers.of(CardAnswers)
    if not (ports or aliases) or (asked is not None and not any(card.count for card in asked.card)):
        return []
    parts = []
    if ports:
        by = f"ports on {', '.join(ports)}: " + {
            "ovn": f"with OVN, DHCP and metadata come from the chassis that has their external ports{_extport(facts)}, never "
            f"from this one",
            "ovs": "DHCP and metadata come from the DHCP agent, over the card's own wire, never from this node's bridges",
            "linuxbridge": "DHCP and metadata come from the DHCP agent, over the card's own wire, never from this node's bridges",
        }.get(facts.neutron.driver, "DHCP and metadata come from elsewhere, over the card's own wire")
        parts.append(by)
    if aliases:
        parts.append(
            f"the alias {', '.join(aliases)}: such a device is no port of Neutron's, and brings no DHCP and no metadata"
        )
    return [
        _finding(
            "METADATA-VFS-NEED-A-DRIVE",
            "warns" if ports else "tells",
            f"force_config_drive is not on; {'; '.join(parts)}",
            "A guest that has no ordinary port beside its VF gets its metadata from a config drive, or by that way alone.",
            "Answer config_drive = true in [metadata]; or give such guests an ordinary port, too; or make sure of the way that "
            "is named.",
        )
    ]


def _pools(answers: AllAnswers) -> tuple[list[str], list[str]]:
    """Physical networks of pools of ports, and names of pools of an alias, by the answers of the chapter that hands devices out."""
    data = answers.to_data().get("passthrough", {})
    pools = data.get("pool", [])
    ports = [pool["physical_network"] for pool in pools if pool.get("physical_network")]
    return list(dict.fromkeys(ports)), [pool["name"] for pool in pools if not pool.get("physical_network")]


def summary(facts: Facts) -> list[str]:
    neutron = facts.neutron
    lines = [f"Neutron by {neutron_words.driver(facts)}"]
    on = config_drive.is_on(facts)
    said_of_drive = {
        True: "every new guest gets one",
        False: "not forced",
        None: "its option's value cannot be determined",
    }
    ready = {True: "is here", False: "is not here", None: "cannot be seen"}[facts.nova.config_drive_ready]
    lines.append(f"config drive: {said_of_drive[on]}; {facts.nova.config_drive_program} {ready}")
    spaces = [f"{space.name}{' (no haproxy is seen)' if space.proxy is False else ''}" for space in neutron.namespaces]
    if spaces:
        lines.append(f"namespaces: {neutron_served.some(spaces)}")
    told = neutron_served.local(facts)
    lines += [f"guests are told ({neutron.told_by}): {neutron_served.said(each)}" for each in told[:SHOWN]]
    if len(told) > SHOWN:
        lines.append(f"and {len(told) - SHOWN} guests more")
    agent = neutron.agent("dhcp")
    if agent is not None:
        said_ = [
            f"{name} = {neutron.on('dhcp', 'DEFAULT', name)}" for name in ("force_metadata", "enable_isolated_metadata")
        ]
        lines.append(f"DHCP agent here: {', '.join(said_)}")
    return lines
