"""The SR-IOV agent's part of a pool of ports: a port binds only where the agent maps its physical network to a card of this node
(neutron mech_driver.py, check_segment_for_agent); else it is binding_failed."""

from __future__ import annotations

from functools import partial

from wizard.chapters.passthrough import pools
from wizard.chapters.passthrough.pools import Answers, Pool
from wizard.chapters.shared import cards, init_system
from wizard.chapters.shared.cards import CardAnswers
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.neutron.neutron import NeutronAgent
from wizard.facts.pci.functions import PciFunction
from wizard.facts.processes import older
from wizard.formats import oslo_config, sriov_agent
from wizard.formats.sriov_agent import BANDWIDTHS, EXCLUDED, MAPPINGS, Refused
from wizard.model.answers import AllAnswers
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.findings import Check, Remedy

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
        if not each.device or elsewhere(facts, each):
            continue
        result[MAPPINGS] = sriov_agent.with_mapping(result.get(MAPPINGS, ""), each.network, each.device)
        if each.excluded:
            result[EXCLUDED] = sriov_agent.with_excluded(result.get(EXCLUDED, ""), each.device, each.excluded)
    return {option: value for option, value in result.items() if value != now.get(option)}


def elsewhere(facts: Facts, each: Wanted) -> list[str]:
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
        edits = tuple(
            FileEdit(file_of(facts, agent, option), why, partial(_edited, option, value), mode=0o640, secret=True)
            for option, value in new.items()
        )
    return Changes(edits=edits, products=_restart(facts, agent))


def file_of(facts: Facts, agent: NeutronAgent, option: str) -> str:
    """The file that is edited: the agent's own, or one that is read after it and says something of the option."""
    setting = facts.neutron.setting("sriov", SECTION, option)
    after = agent.files[agent.files.index(agent.own_file) :] if agent.own_file in agent.files else ()
    return setting.path if setting is not None and setting.path in after else agent.own_file


def _edited(option: str, value: str, content: bytes | None) -> bytes | None:
    return None if content is None else oslo_config.set_value(content, SECTION, option, value.replace("$", "$$"))


def _restart(facts: Facts, agent: NeutronAgent) -> tuple[Artifact, ...]:
    if not agent.service:
        return ()
    why = "the agent reads its lists only when it starts; ports that are bound stay so"
    return (init_system.restarted(facts, agent.service, why, _files(facts, agent), waits_for_reboot=True),)


def _files(facts: Facts, agent: NeutronAgent) -> tuple[str, ...]:
    """Where the lists stand, or would be written."""
    return tuple(dict.fromkeys(file_of(facts, agent, option) for option in (MAPPINGS, EXCLUDED)))


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
    if not agent.running:
        return [
            Check(CHAPTER, what, "failed", agent.evidence, f"Start {agent.service or 'the agent'}, and see its log.")
        ]
    places = _files(facts, agent)
    written = [each.modified for each in map(facts.files.get, places) if each is not None]
    if agent.started is None or not written:
        seen = f"{places[0]}; since when {agent.program} runs is not known"
        return [Check(CHAPTER, what, "unknown", seen, "Restart it.")]
    if older(agent.started, max(written)):
        seen = f"{' or '.join(places)} is newer than the running agent"
        return [Check(CHAPTER, what, "pending", seen, "Restart it, or reboot.")]
    return [Check(CHAPTER, what, "held", f"{places[0]}, and {agent.program} runs")]
