"""Answers of passthrough that fit the node as it is now: never an alias over devices that Neutron has."""

from __future__ import annotations

from wizard.chapters.passthrough import neutron_ports, nova_conf, nova_options
from wizard.chapters.passthrough.matching import outlook
from wizard.chapters.passthrough.matching.rules import NEWEST
from wizard.chapters.passthrough.pools import Answers, Flavor, Pool, release_of
from wizard.chapters.shared.cards import Match
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction

NAME = "passthrough"


def suggest(facts: Facts) -> Answers | None:
    """What the last run was answered, where it still stands in nova.conf; else one pool over all cards that are nobody's yet."""
    able = (function for function in facts.pci.functions if function.offer == "offered")
    offered = [function for function in able if function.card_family.for_guests]
    if not facts.nova.installed:
        return None
    standing = _last_answers(facts)
    if standing is not None:
        return standing
    ports = neutron_ports.pools(facts)
    taken = {address for each in ports for address in each.addresses}
    free = [
        function
        for function in offered
        if not function.switchdev and function.address not in taken and not _is_neutrons(facts, function)
    ]
    if not free:
        return Answers(pool=[each.pool for each in ports]) if ports else None
    name = "ib" if any(function.is_infiniband for function in free) else "mlx"
    if free == offered and not ports:
        return Answers(pool=[Pool(name=name, cards="all", flavor=Flavor(name=f"m1.{name}"))])
    pools: dict[str | None, Pool] = {}
    names = {each.pool.name for each in ports}
    for function in free:  # VFs of two products with one id cannot be told apart by an alias
        label = name if not pools and name not in names else f"{name}-{function.device}"
        pool = Pool(
            name=label, cards=Match(vendor=function.vendor, product=function.device), flavor=Flavor(name=f"m1.{label}")
        )
        pools.setdefault(function.vf_device, pool)
    return Answers(pool=[*(each.pool for each in ports), *pools.values()])


def _is_neutrons(facts: Facts, function: PciFunction) -> bool:
    """Whether lines of nova.conf give VFs with the ids of this card's to Neutron's ports: an alias would take those too."""
    release = facts.nova.release or NEWEST
    fresh = {f.address: 1 for f in facts.pci.functions if not f.is_vf and f.offer == "offered" and not f.num_vfs}
    rows = outlook.of(facts, release, facts.nova.settings, fresh).rows
    ids = (function.vendor, function.vf_device)
    mapped = {each.target for each in facts.neutron.mappings_of("sriov")}
    agents = [f for f in facts.pci.functions if not f.is_vf and any(device.name in mapped for device in f.netdevs)]
    if any((f.vendor, f.vf_device) == ids for f in agents):
        return True
    there = [row for row in rows if row.device.parent and (row.device.vendor, row.device.product) == ids]
    return any(row.for_ports or (row.maybe is not None and "physical_network" in row.maybe.value) for row in there)


def _last_answers(facts: Facts) -> Answers | None:
    asked = [run.answers[NAME] for run in facts.history.standing if NAME in run.answers]
    if not asked:
        return None
    try:
        answers = Answers.model_validate(asked[-1])
    except ValueError:  # of another version of this tool
        return None
    release = release_of(facts, answers)
    if release is None:
        return None
    section, option = nova_options.device_option(release)
    there = {setting.value for setting in facts.nova.all(section, option)}
    own = nova_conf.own_values(facts, answers)
    return answers if not own or there & own else None
