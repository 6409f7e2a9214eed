"""What is wrong, or missing, between pools of ports and the SR-IOV agent of this node."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.chapters.passthrough import neutron_ports, sriov_agent
from wizard.chapters.passthrough.pools import Answers
from wizard.chapters.passthrough.sriov_agent import CHAPTER, SECTION, Wanted
from wizard.facts.facts import Facts
from wizard.facts.neutron.catalog import known
from wizard.facts.neutron.neutron import NeutronAgent
from wizard.formats import sriov_agent as rules
from wizard.formats.sriov_agent import BANDWIDTHS, EXCLUDED, MAPPINGS, Refused
from wizard.model.answers import AllAnswers
from wizard.model.findings import Finding, Severity


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def findings(facts: Facts, answers: AllAnswers, mine: Answers) -> list[Finding]:
    asked = sriov_agent.wanted(facts, answers, mine)
    if not asked:
        return [*_as_it_is(facts)]
    agent = facts.neutron.agent("sriov")
    if agent is None:
        return [_no_agent(facts, asked)]
    found = [*_contradictions(facts, asked), *_no_device(asked)]
    if mine.sriov_agent:
        return [*found, *_owned(facts, answers, mine, agent), *_judged(facts, answers, mine, agent)]
    return [*found, *_unmapped(facts, asked, agent), *_as_it_is(facts)]


def _no_agent(facts: Facts, asked: list[Wanted]) -> Finding:
    service = " or ".join(known("sriov").service_names[:2])
    networks = ", ".join(dict.fromkeys(each.network for each in asked))
    return _finding(
        "NEUTRON-NO-SRIOV-AGENT",
        "warns" if facts.neutron.agents else "tells",
        f"ports on {networks} are asked for, and no SR-IOV agent is seen on this node",
        "A port of vnic-type direct binds only where an agent of this node maps its physical network: without one it is "
        "binding_failed.",
        f"Install the agent ({service}), map {_lines(asked)} in [{SECTION}] of its sriov_agent.ini, and run check again.",
    )


def _lines(asked: list[Wanted]) -> str:
    listed = ",".join(f"{each.network}:{each.device}" for each in asked if each.device)
    return f"{MAPPINGS} = {listed}" if listed else MAPPINGS


def _contradictions(facts: Facts, asked: list[Wanted]) -> list[Finding]:
    return [
        _finding(
            "NEUTRON-OTHER-MAPPING",
            "warns",
            f"the pool {each.pool.name} puts {each.device} ({each.function.address}) on {each.network}; "
            f"{facts.neutron.mappings_of('sriov')[0].place} puts it on {', '.join(sriov_agent.elsewhere(facts, each))}",
            "nova counts the VFs on one network and the agent binds ports on another: no port gets one, or it gets the wrong cable.",
            "Make both say the same: the pool's physical_network, or the agent's mapping. This tool adds none beside another.",
        )
        for each in asked
        if sriov_agent.elsewhere(facts, each)
    ]


def standing(facts: Facts) -> list[Finding]:
    """Cards that nova's lines and the agent's mappings put on different networks, whatever is answered."""
    mapped = facts.neutron.mappings_of("sriov")
    if not mapped:
        return []
    every = neutron_ports.rows(facts)
    found = []
    for function in facts.pci.functions:
        there = [each for each in mapped if any(device.name == each.target for device in function.netdevs)]
        lines = [row for row in every if row.device.parent == function.address and row.for_ports and row.network]
        other = [row for row in lines if all(row.network != each.network for each in there)]
        if not there or function.is_vf or not other:
            continue
        found.append(
            _finding(
                "NEUTRON-OTHER-MAPPING",
                "warns",
                f"{other[0].place} puts VFs of {there[0].target} ({function.address}) on {other[0].network}; {there[0].place} "
                f"puts it on "
                f"{', '.join(each.network for each in there)}",
                "nova counts the VFs on one network and the agent binds ports on another: no port gets one, or it gets the "
                "wrong cable.",
                "Make both say the same, in nova.conf or in the agent's file; then restart the one that changed.",
            )
        )
    return found


def _no_device(asked: list[Wanted]) -> list[Finding]:
    return [
        _finding(
            "NEUTRON-NO-DEVICE",
            "warns",
            f"{each.function.address} of the pool {each.pool.name} has {len(each.function.netdevs)} network interfaces",
            "The agent's lists name a card by its one interface: which one cannot be determined, so no mapping is written for it.",
            f"Map the interface of the port that is meant by hand, in {MAPPINGS}; of a ConnectX-3 with the other port's VFs in "
            f"{EXCLUDED}.",
        )
        for each in asked
        if not each.device
    ]


def _unmapped(facts: Facts, asked: list[Wanted], agent: NeutronAgent) -> list[Finding]:
    mapped = {(each.network, each.target) for each in facts.neutron.mappings_of("sriov")}
    missing = [
        each
        for each in asked
        if each.device and (each.network, each.device) not in mapped and not sriov_agent.elsewhere(facts, each)
    ]
    if not missing:
        return []
    unread = not agent.files or any(unseen.what in agent.files for unseen in facts.neutron.unseen)
    return [
        _finding(
            "NEUTRON-NOT-MAPPED",
            "warns",
            f"{agent.own_file or agent.evidence} "
            + (
                "could not be read"
                if unread
                else f"does not map {', '.join(f'{each.network}:{each.device}' for each in missing)}"
            ),
            "Ports on these networks are binding_failed on this node until the agent maps them.",
            f"Answer sriov_agent = true in [passthrough]; or in [{SECTION}]: {_lines(asked)}, then restart "
            f"{agent.service or 'the agent'}.{_places(agent)}",
        )
    ]


def _places(agent: NeutronAgent) -> str:
    return "".join(
        f" The file belongs to {each.name} ({each.evidence}): put it into {each.place}." for each in agent.owners
    )


def _owned(facts: Facts, answers: AllAnswers, mine: Answers, agent: NeutronAgent) -> Iterator[Finding]:
    """Whose file it is, or that it is nobody's that is known: then there is nothing to write."""
    try:
        new = sriov_agent.new_values(facts, answers, mine)
    except Refused:
        return
    if not new:
        return
    lines = " / ".join([f"[{SECTION}]", *(f"{option} = {value}" for option, value in new.items())])
    for owner in agent.owners if mine.manager != "none" else ():
        yield _finding(
            "NEUTRON-MANAGED",
            "blocks",
            f"{agent.own_file or agent.evidence} belongs to {owner.name}: {owner.evidence}",
            "Nothing would read the change." if owner.inert else f"{owner.name} would write the file anew.",
            f"Put this into {owner.place}: {lines}. Then leave sriov_agent out of the answers.",
        )
    if not agent.own_file and not agent.owners:
        yield _finding(
            "NEUTRON-MANAGED",
            "blocks",
            f"{agent.evidence}: which file holds its lists is not seen here ({agent.source})",
            "A file that the agent does not read would change nothing.",
            f"Put this where its file comes from: {lines}. Then leave sriov_agent out of the answers.",
        )


def _judged(facts: Facts, answers: AllAnswers, mine: Answers, agent: NeutronAgent) -> Iterator[Finding]:
    """The lists as they will be, by the agent's own rules: it is restarted, and ends where one is against them."""
    try:
        after = sriov_agent.values(facts) | sriov_agent.new_values(facts, answers, mine)
        wrong = rules.problems(after)
    except Refused as error:
        wrong = [(MAPPINGS, str(error))]
    unknown = [
        each for option in (MAPPINGS, EXCLUDED, BANDWIDTHS) if (each := facts.neutron.setting("sriov", SECTION, option))
    ]
    wrong += [(each.option, f"{each.value}: {each.unknown}") for each in unknown if each.unknown]
    if wrong:
        yield _exits(facts, agent, wrong, "blocks")


def _as_it_is(facts: Facts) -> Iterator[Finding]:
    agent = facts.neutron.agent("sriov")
    wrong = rules.problems(sriov_agent.values(facts)) if agent is not None else []
    if agent is not None and wrong:
        yield _exits(facts, agent, wrong, "warns")


def _exits(facts: Facts, agent: NeutronAgent, wrong: list[tuple[str, str]], severity: Severity) -> Finding:
    told = []
    for option, why in wrong:
        setting = facts.neutron.setting("sriov", SECTION, option)
        told.append(f"{setting.place if setting else agent.own_file}: {option}: {why}")
    return _finding(
        "NEUTRON-AGENT-EXITS",
        severity,
        "; ".join(told),
        "The SR-IOV agent ends at its next start over it (Agent terminated!), and no port binds on this node.",
        "Fix that list first: each device of exclude_devices and of the bandwidths has to be in physical_device_mappings, once.",
    )
