"""The SR-IOV agent's part of a pool of ports: a port binds only where the agent maps its physical network to a card of this node
(neutron mech_driver.py, check_segment_for_agent); else it is binding_failed."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.chapters.passthrough import neutron_ports, pools
from wizard.chapters.passthrough.pools import Answers, Pool
from wizard.chapters.shared import cards, init_system
from wizard.chapters.shared.cards import CardAnswers
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.neutron.catalog import known
from wizard.facts.neutron.neutron import NeutronAgent
from wizard.facts.pci.functions import PciFunction
from wizard.formats import oslo_config, sriov_agent
from wizard.formats.sriov_agent import BANDWIDTHS, EXCLUDED, MAPPINGS, Refused
from wizard.model.answers import AllAnswers
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.findings import Check, Finding, Remedy, Severity

CHAPTER = "passthrough"
SECTION = "sriov_nic"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One mapping that a pool of ports needs, and the VFs of that card that stay the host's."""

    pool: Pool
    network: str
    function: PciFunction
    device: str  # the PF's interface; "" where it has none
    excluded: tuple[str, ...]


def wanted(facts: Facts, answers: AllAnswers, mine: Answers) -> list[Wanted]:
    """A mapping for each PF whose VFs are ports by the answers. InfiniBand's are another driver's."""
    found = []
    for pool in mine.pool:
        if pool.physical_network is None:
            continue
        for function in _functions(facts, answers, pool):
            if not function.is_infiniband and not function.switchdev:
                device = function.netdevs[0].name if len(function.netdevs) == 1 else ""
                found.append(
                    Wanted(pool, pool.physical_network, function, device, _of_the_host(facts, answers, function))
                )
    return found


def _functions(facts: Facts, answers: AllAnswers, pool: Pool) -> list[PciFunction]:
    if not isinstance(pool.devices, list):
        return pools.pool_functions(facts, answers, pool)
    named = {device.address for device in pool.devices if device.address}
    parents = {f.physical_function for f in facts.pci.functions if f.address in named}
    return [f for f in facts.pci.functions if not f.is_vf and (f.address in named or f.address in parents)]


def _of_the_host(facts: Facts, answers: AllAnswers, function: PciFunction) -> tuple[str, ...]:
    """The addresses of VFs that the answers keep for the host: the first ones, where they are there."""
    asked = answers.of(CardAnswers)
    requests = cards.requests(asked, facts.pci) if asked is not None else []
    kept = next((each.card.host_vfs for each in requests if each.function.address == function.address), 0)
    return function.virtual_functions[:kept]


def values(facts: Facts) -> dict[str, str]:
    """What the agent's files say of its lists now; what cannot be said is left out."""
    found = {option: facts.neutron.last("sriov", SECTION, option) for option in (MAPPINGS, EXCLUDED, BANDWIDTHS)}
    return {option: value for option, value in found.items() if value is not None}


def new_values(facts: Facts, answers: AllAnswers, mine: Answers) -> dict[str, str]:
    """The lists that change, as they are to be. Raises Refused where a list that is there cannot be read."""
    now = values(facts)
    sriov_agent.mappings(now.get(MAPPINGS, ""))
    result = dict(now)
    for each in wanted(facts, answers, mine):
        if not each.device or _elsewhere(facts, each):
            continue
        result[MAPPINGS] = sriov_agent.with_mapping(result.get(MAPPINGS, ""), each.network, each.device)
        if each.excluded:
            result[EXCLUDED] = sriov_agent.with_excluded(result.get(EXCLUDED, ""), each.device, each.excluded)
    return {option: value for option, value in result.items() if value != now.get(option)}


def _elsewhere(facts: Facts, each: Wanted) -> list[str]:
    """Other networks that the agent has this card on."""
    mapped = facts.neutron.mappings_of("sriov")
    return [m.network for m in mapped if m.target == each.device and m.network != each.network]


def changes(facts: Facts, answers: AllAnswers, mine: Answers) -> Changes:
    agent = facts.neutron.agent("sriov")
    if not mine.sriov_agent or agent is None or not agent.own_file:
        return Changes()
    try:
        new = new_values(facts, answers, mine)
    except Refused:
        return Changes()  # a finding says it, and blocks
    edits: tuple[FileEdit, ...] = ()
    if new:
        networks = ", ".join(dict.fromkeys(each.network for each in wanted(facts, answers, mine)))
        why = f"the SR-IOV agent binds ports on {networks} to these cards"
        edits = (FileEdit(agent.own_file, why, lambda old: _edited(old, new), mode=0o640, secret=True),)
    return Changes(edits=edits, products=_restart(facts, agent))


def _edited(content: bytes | None, new: dict[str, str]) -> bytes | None:
    if content is None:
        return None
    for option, value in new.items():
        content = oslo_config.set_value(content, SECTION, option, value.replace("$", "$$"))
    return content


def _restart(facts: Facts, agent: NeutronAgent) -> tuple[Artifact, ...]:
    if not agent.service:
        return ()
    why = "the agent reads its lists only when it starts; ports that are bound stay so"
    return (init_system.restarted(facts, agent.service, why, (agent.own_file,), waits_for_reboot=True),)


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def findings(facts: Facts, answers: AllAnswers, mine: Answers) -> list[Finding]:
    asked = wanted(facts, answers, mine)
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
            f"{facts.neutron.mappings_of('sriov')[0].place} puts it on {', '.join(_elsewhere(facts, each))}",
            "nova counts the VFs on one network and the agent binds ports on another: no port gets one, or it gets the wrong cable.",
            "Make both say the same: the pool's physical_network, or the agent's mapping. This tool adds none beside another.",
        )
        for each in asked
        if _elsewhere(facts, each)
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
        if each.device and (each.network, each.device) not in mapped and not _elsewhere(facts, each)
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
        new = new_values(facts, answers, mine)
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
        after = values(facts) | new_values(facts, answers, mine)
        wrong = sriov_agent.problems(after)
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
    wrong = sriov_agent.problems(values(facts)) if agent is not None else []
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


def checks(facts: Facts, answers: AllAnswers, mine: Answers) -> list[Check]:
    """Whether the agent maps what the pools of ports need, and would start with it."""
    agent = facts.neutron.agent("sriov")
    asked = [each for each in wanted(facts, answers, mine) if each.device]
    if agent is None or not asked or not mine.sriov_agent:
        return []
    mapped = {(each.network, each.target) for each in facts.neutron.mappings_of("sriov")}
    missing = [f"{each.network}:{each.device}" for each in asked if (each.network, each.device) not in mapped]
    what = f"The SR-IOV agent binds ports on {', '.join(dict.fromkeys(each.network for each in asked))}"
    wrong = sriov_agent.problems(values(facts))
    hidden = next((path for path in agent.files if facts.hidden(path)), "")
    if hidden:
        return [Check(CHAPTER, what, "unknown", f"{hidden} {facts.hidden(hidden)}", "Run verify as root.")]
    if missing or wrong:
        seen = f"{agent.own_file} does not map {', '.join(missing)}" if missing else f"{wrong[0][0]}: {wrong[0][1]}"
        return [Check(CHAPTER, what, "failed", seen, Remedy.RUN_PLAN)]
    snapshot = facts.files.get(agent.own_file)
    if not agent.running:
        return [
            Check(CHAPTER, what, "failed", agent.evidence, f"Start {agent.service or 'the agent'}, and see its log.")
        ]
    if snapshot is not None and agent.started is not None and agent.started + 2.0 < snapshot.modified:
        return [
            Check(
                CHAPTER, what, "pending", f"{agent.own_file} is newer than the running agent", "Restart it, or reboot."
            )
        ]
    return [Check(CHAPTER, what, "held", f"{agent.own_file}, and {agent.program} runs")]
