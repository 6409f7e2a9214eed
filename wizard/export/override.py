"""What the answers come to on a node whose files other tools write: as a file for each of these, in its own option names.

Names after kolla-ansible's merge_configs (nova/HOST/nova.conf), OpenStack-Ansible's os_nova role (a JSON list as one text), the charm
nova-compute (pci-passthrough-whitelist, config-flags), tripleo-heat-templates (NovaPCIPassthrough, NeutronPhysicalDevMappings),
puppet-nova (nova::compute, nova::compute::pci, nova::pci) and puppet-neutron (neutron::agents::ml2::sriov).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from wizard.chapters.metadata import chapter as metadata
from wizard.chapters.metadata import config_drive
from wizard.chapters.passthrough import pools, sriov_agent
from wizard.chapters.passthrough.pools import Answers
from wizard.chapters.shared import nova_owner
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.formats.sriov_agent import EXCLUDED, MAPPINGS, Refused
from wizard.model.answers import AllAnswers

MARK = "# Made by compute-wizard for"
UNTRIED = "# Names of options and files are as {owner} documents them; this was not tried with {owner} itself."
DEVICES = ("device_spec", "passthrough_whitelist", "pci_passthrough_whitelist")
ALIASES = ("alias", "pci_alias")


@dataclass(frozen=True, slots=True)
class Line:
    """One option of nova.conf (`agent` False) or of the SR-IOV agent's file."""

    section: str
    option: str
    value: str
    agent: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """A file for the place that owns the settings. `place` is its path or its name there."""

    owner: str
    place: str
    text: str


def lines(facts: Facts, answers: AllAnswers) -> list[Line]:
    """What nova.conf and the SR-IOV agent's file of this node are to say by these answers."""
    found: list[Line] = []
    mine = answers.of(Answers)
    release = pools.release_of(facts, mine) if mine is not None else None
    if mine is not None and release is not None:
        for (section, option), values in pools.for_node(facts, answers, mine, release).items():
            found += [Line(section, option, value) for value in values]
        if mine.sriov_agent:
            try:
                new = sriov_agent.new_values(facts, answers, mine)
            except Refused:
                new = {}
            found += [Line(sriov_agent.SECTION, option, value, agent=True) for option, value in new.items()]
    drive = answers.of(metadata.Answers)
    if drive is not None and drive.config_drive and not config_drive.is_on(facts):
        found.append(Line(config_drive.SECTION, config_drive.OPTION, "True"))
    return found


def owners(facts: Facts, answers: AllAnswers) -> list[str]:
    """Who owns nova.conf or the SR-IOV agent's file here, each once."""
    agent = facts.neutron.agent("sriov")
    named = [each.name for each in nova_owner.managers(facts, answers.of(OwnerAnswers))]
    named += [each.name for each in (agent.owners if agent is not None else ())]
    return list(dict.fromkeys(named))


def files(facts: Facts, answers: AllAnswers, owner: str) -> list[Override]:
    """The files for one owner; none where these answers want nothing of it."""
    every = lines(facts, answers)
    host = facts.system.hostname or "HOST"
    made = _MAKERS.get(owner, _plain)(every, host)
    head = UNTRIED.format(owner=owner)
    return [Override(owner, place, f"{MARK} {host}: {place}\n{head}\n{text}") for place, text in made if text]


def _ini(every: Sequence[Line]) -> str:
    text = ""
    for section in dict.fromkeys(line.section for line in every):
        text += f"[{section}]\n" + "".join(
            f"{line.option} = {line.value}\n" for line in every if line.section == section
        )
    return text


def _nova(every: Sequence[Line]) -> list[Line]:
    return [line for line in every if not line.agent]


def _agent(every: Sequence[Line]) -> list[Line]:
    return [line for line in every if line.agent]


def _values(every: Sequence[Line], names: Sequence[str]) -> list[str]:
    return [line.value.replace("$$", "$") for line in every if line.option in names and not line.agent]


def _list(values: Sequence[str]) -> str:
    """JSON objects as one JSON list."""
    return json.dumps([json.loads(value) for value in values])


def _quoted(text: str) -> str:
    """A text in YAML, in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def _drive(every: Sequence[Line]) -> bool:
    return any(line.option == config_drive.OPTION for line in every)


Made = Iterator[tuple[str, str]]


def _plain(every: Sequence[Line], host: str) -> Made:
    """Lines of the file itself, for whatever renders it."""
    yield "nova.conf", _ini(_nova(every))
    yield "sriov_agent.ini", _ini(_agent(every))


def _kolla(every: Sequence[Line], host: str) -> Made:
    yield f"/etc/kolla/config/nova/{host}/nova.conf", _ini(_nova(every))
    yield f"/etc/kolla/config/neutron/{host}/sriov_agent.ini", _ini(_agent(every))


def _config_map(name: str, key: str, text: str) -> str:
    if not text:
        return ""
    body = "".join(f"    {line}\n" for line in text.splitlines())
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: openstack\ndata:\n  {key}: |\n{body}"
    )


def _rhoso(every: Sequence[Line], host: str) -> Made:
    name = host.partition(".")[0].lower()
    nova = _config_map(f"nova-compute-wizard-{name}", "30-compute-wizard.conf", _ini(_nova(every)))
    yield "a ConfigMap named by dataSources of the nova OpenStackDataPlaneService", nova
    agent = _config_map(f"neutron-sriov-compute-wizard-{name}", "30-compute-wizard.conf", _ini(_agent(every)))
    yield "a ConfigMap named by dataSources of the neutron-sriov OpenStackDataPlaneService", agent


def _hiera(every: Sequence[Line]) -> list[str]:
    text = ["nova::compute::force_config_drive: true"] if _drive(every) else []
    devices, aliases = _values(every, DEVICES), _values(every, ALIASES)
    for name, values in (("nova::compute::pci::passthrough", devices), ("nova::pci::aliases", aliases)):
        text += [f"{name}:", *(f"  - {value}" for value in values)] if values else []
    for line in _agent(every):
        parts = [part for part in line.value.split(",") if part]
        text += [f"neutron::agents::ml2::sriov::{line.option}:", *(f"  - {_quoted(part)}" for part in parts)]
    return text


def _puppet(every: Sequence[Line], host: str) -> Made:
    yield f"hieradata of the node {host}", "".join(f"{line}\n" for line in _hiera(every))


def _tripleo(every: Sequence[Line], host: str) -> Made:
    devices, agent = _values(every, DEVICES), {line.option: line.value for line in _agent(every)}
    text = ["  NovaPCIPassthrough:", *(f"    - {value}" for value in devices)] if devices else []
    if MAPPINGS in agent:
        text.append(f"  NeutronPhysicalDevMappings: {_quoted(agent[MAPPINGS])}")
    if EXCLUDED in agent:
        text.append(f"  NeutronExcludeDevices: {_quoted(agent[EXCLUDED])}")
    extra = list(_hiera([each for each in _nova(every) if each.option not in DEVICES]))
    text += ["  ComputeExtraConfig:", *(f"    {line}" for line in extra)] if extra else []
    yield (
        "an environment file of the overcloud",
        "parameter_defaults:\n" + "".join(f"{line}\n" for line in text) if text else "",
    )


def _osa(every: Sequence[Line], host: str) -> Made:
    text = []
    devices = _values(every, DEVICES)
    if devices:
        text.append(f"nova_pci_passthrough_whitelist: {_quoted(_list(devices))}")
    overrides: dict[str, dict[str, list[str]]] = {}
    for line in _nova(every):
        if line.option not in DEVICES:
            overrides.setdefault(line.section, {}).setdefault(line.option, []).append(line.value)
    if overrides:
        text.append("nova_nova_conf_overrides:")
        for section, options in overrides.items():
            text.append(f"  {section}:")
            text += [f"    {option}: {_quoted(values[-1])}" for option, values in options.items() if len(values) == 1]
            many = [option for option, values in options.items() if len(values) > 1]
            text += [f"    # {option}: {len(options[option])} values; a mapping holds one" for option in many]
    agent = _agent(every)
    if agent:
        text += ["neutron_sriov_nic_agent_ini_overrides:", f"  {agent[0].section}:"]
        text += [f"    {line.option}: {_quoted(line.value)}" for line in agent]
    yield f"/etc/openstack_deploy/host_vars/{host}.yml", "".join(f"{line}\n" for line in text)


def _juju(every: Sequence[Line], host: str) -> Made:
    nova = []
    devices, aliases = _values(every, DEVICES), _values(every, ALIASES)
    if devices:
        nova.append(f"    pci-passthrough-whitelist: {_quoted(_list(devices))}")
    if aliases:
        nova.append(f"    pci-alias: {_quoted(_list(aliases) if len(aliases) > 1 else aliases[0])}")
    if _drive(every):
        nova += ["    # config-flags is one text: add to what is there", "    config-flags: force_config_drive=True"]
    text = "applications:\n  nova-compute:\n    options:\n" + "".join(f"  {line}\n" for line in nova) if nova else ""
    mappings = [line.value for line in _agent(every) if line.option == MAPPINGS]
    if mappings:
        text += "" if nova else "applications:\n"
        # the charm separates its mappings by blanks
        text += "  ovn-chassis:\n    options:\n      enable-sriov: true\n"
        text += f"      sriov-device-mappings: {_quoted(mappings[-1].replace(',', ' '))}\n"
    yield "an overlay of the bundle", text


_MAKERS: dict[str, Callable[[Sequence[Line], str], Made]] = {
    "kolla": _kolla,
    "rhoso": _rhoso,
    "tripleo": _tripleo,
    "osa": _osa,
    "juju": _juju,
    "puppet": _puppet,
}
