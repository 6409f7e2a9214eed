"""What stands against the aliases that are asked for: lines of the same name, and devices that an alias cannot tell apart.

Behaviour after nova/pci/request.py (get_alias_from_config) and nova/pci/stats.py (_filter_pools_for_spec), the same from Kilo to
2026.2 but for what is said here: an alias is ids and a type, it has no address and no tag.
"""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from wizard.chapters.passthrough import nova_options, pools
from wizard.chapters.passthrough.existing import Asked
from wizard.chapters.passthrough.matching import aliases
from wizard.chapters.passthrough.matching.handout import Row
from wizard.chapters.passthrough.pools import Pool
from wizard.chapters.shared import nova_unknown
from wizard.errors import FormatError
from wizard.facts.nova.nova import NovaSetting
from wizard.facts.nova.release import at_least
from wizard.model.findings import Finding, Severity

CHAPTER = "passthrough"
PLACEMENT = (
    "Only where devices are counted in Placement (report_in_placement here, pci_in_placement on the controller) are "
    "Neutron's left out."
)
Kind = tuple[str, str]


def findings(asked: Asked) -> list[Finding]:
    return [
        *nova_unknown.findings(CHAPTER, "warns", asked.aliases),
        *_unreadable(asked),
        *(found for pool in asked.mine.pool for found in _same_name(asked, pool)),
        *_not_apart(asked),
        *_not_apart_from_others(asked),
    ]


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def _object(setting: NovaSetting) -> dict[str, Any] | None:
    """An alias of nova.conf; None for what nova refuses."""
    try:
        found = json.loads(setting.value)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("name"), str) else None


def _unreadable(asked: Asked) -> list[Finding]:
    """Lines that nova does not take as aliases, each for itself or beside another of its name."""
    starts = asked.outlook.after.rules.has("aliases read at start")
    return [
        _finding(
            "PASSTHROUGH-ALIAS",
            "blocks" if starts and asked.changes else "warns",
            f"{refusal.setting.place}: {refusal.setting.value}: {refusal.why}",
            _refused(asked.release),
            refusal.do or "Fix it, or take it out: lines of one name have one device_type and one NUMA policy.",
        )
        for refusal in asked.outlook.after.refused_aliases
        if refusal.setting in asked.aliases and not _is_ours(asked, refusal.setting)
    ]


def _is_ours(asked: Asked, setting: NovaSetting) -> bool:
    """Whether it is the name of a pool alone that stands against the line: that is judged beside ours."""
    rules = asked.outlook.after.rules
    try:
        alias = aliases.parse(setting.value, rules)
    except FormatError:
        return False
    return not aliases.lacks_ids(alias, rules) and alias.name in [pool.name for pool in asked.mine.pool]


def _refused(release: str) -> str:
    """What one bad alias does to all of them. Since 31.3.1 they are read when nova-compute and nova-api start."""
    guests = "nova refuses all aliases then, and every guest whose flavor asks for one"
    return f"{guests}; from 31.3.1 on nova-compute does not start." if at_least(release, "2025.1") else f"{guests}."


def _same_name(asked: Asked, pool: Pool) -> list[Finding]:
    """A name may be there more than once, but only with one type and one NUMA policy in all of its lines."""
    found = []
    read_here = nova_options.alias_on_compute(asked.release)
    for setting in asked.aliases:
        theirs = None if setting.unknown else _object(setting)
        if theirs is None or theirs["name"].strip() != pool.name:
            continue
        against = ""
        for value in pools.alias(asked.facts, asked.answers, pool, asked.release):
            against = against or _against(json.loads(value), theirs, asked.release)
        if against:
            severity: Severity = "blocks" if read_here else "warns"
            why = f"{against}: {_refused(asked.release)}"
            if not read_here:
                why += f" nova {asked.release} reads aliases in nova-api alone: it counts where this line is on the controller too."
        elif pool.physical_network is None:
            severity = "warns"
            why = "A guest that asks for the name gets a device of either line; and where the controller has pci_in_placement, nova "
            why += "takes a name only once."
        else:
            continue
        found.append(
            _finding(
                "PASSTHROUGH-ALIAS",
                severity,
                f"{setting.place}: {setting.value} has the name of the pool {pool.name}",
                why,
                "Take that line out (this tool writes its own, and removes none that it did not write), or give the pool another name.",
            )
        )
    return found


def _against(ours: dict[str, Any], theirs: dict[str, Any], release: str) -> str:
    """Why nova refuses the two beside each other; empty where it takes either."""
    policies = [each.get("numa_policy") or "legacy" for each in (ours, theirs)]
    if at_least(release, "queens") and policies[0] != policies[1]:
        return f"NUMA policy {policies[1]} there, {policies[0]} here"
    types = [each.get("device_type") for each in (ours, theirs)]
    if None in types:
        return "Without a device_type in each of its lines a name may be there only once"
    return f"device_type {types[1]} there, {types[0]} here" if types[0] != types[1] else ""


def _places(asked: Asked, pool: Pool, kind: Kind) -> frozenset[str]:
    """Where the devices of a kind are that a pool names: addresses of PFs for their VFs, or of the devices themselves."""
    if not isinstance(pool.devices, list):
        functions = pools.pool_functions(asked.facts, asked.answers, pool)
        return frozenset(f.address for f in functions if (f.vendor, f.vf_device) == kind)
    given = [each.address for each in pool.devices if (each.vendor_id, each.product_id) == kind]
    if None not in given:
        return frozenset(address for address in given if address is not None)
    functions = [f for f in asked.facts.pci.functions if not f.is_vf]
    return frozenset(f.address for f in functions if kind in ((f.vendor, f.device), (f.vendor, f.vf_device)))


def _not_apart(asked: Asked) -> list[Finding]:
    """Pools that an alias mixes. Two names for the very same devices are no harm, and Neutron tells its own ports apart."""
    kinds = {pool.name: pools.kinds(asked.facts, asked.answers, pool) for pool in asked.mine.pool}
    found = []
    for one, other in combinations(asked.mine.pool, 2):
        shared = [kind for kind in kinds[one.name] if kind in kinds[other.name]]
        ports = [pool for pool in (one, other) if pool.physical_network is not None]
        if len(ports) == 2 or not shared:
            continue
        if ports:
            found.append(_beside_ports(asked, other if one in ports else one, ports[0], shared))
            continue
        apart = [kind for kind in shared if _places(asked, one, kind) != _places(asked, other, kind)]
        if apart:
            found.append(_two_names(asked, one, other, apart))
    return found


def _ids(kinds: list[Kind]) -> str:
    return ", ".join(f"{vendor}:{product}" for vendor, product in kinds)


def _two_names(asked: Asked, one: Pool, other: Pool, kinds: list[Kind]) -> Finding:
    by_hand = (
        " Or by hand: a resource_class for each in device_spec and alias, with report_in_placement here and pci_in_placement on the "
        "controller."
        if at_least(asked.release, "2023.1")
        else ""
    )
    return _finding(
        "PASSTHROUGH-NOT-APART",
        "blocks",
        f"the pools {one.name} and {other.name} are both {_ids(kinds)}, on different cards or ports",
        "An alias knows vendor and product, and no address: whoever asks for the one gets a device of the other as well, and is in a "
        "network that was not meant for it.",
        "Make them one pool. On Ethernet, a physical_network for each keeps them apart: guests then get Neutron ports."
        + by_hand,
    )


def _beside_ports(asked: Asked, pool: Pool, ports: Pool, kinds: list[Kind]) -> Finding:
    """An alias asks for no physical network, and so takes devices of any; only with Placement those of Neutron are left out."""
    apart = not any(_places(asked, pool, kind) & _places(asked, ports, kind) for kind in kinds)
    counted = apart and at_least(asked.release, "2023.1") and asked.reported
    return _finding(
        "PASSTHROUGH-NOT-APART",
        "warns" if counted else "blocks",
        f"the pool {pool.name} is {_ids(kinds)}, and so are the ports on {ports.physical_network} of {ports.name}",
        f"An alias knows vendor and product, and no physical network: a flavor that asks for {pool.name} takes devices of "
        f"{ports.physical_network} too, past Neutron and its rules"
        + (", unless pci_in_placement is on for the controller as report_in_placement is here." if counted else "."),
        "See that the controller has pci_in_placement."
        if counted
        else f"Make {pool.name} of cards with another product id, or give it a physical_network too: then both are Neutron ports.",
    )


def _not_apart_from_others(asked: Asked) -> list[Finding]:
    """The same with what is in nova.conf already: devices that our alias takes, and aliases that take our ports."""
    found = []
    for pool in asked.mine.pool:
        kinds = pools.kinds(asked.facts, asked.answers, pool)
        asks = f"a flavor that asks for {pool.name} takes"
        if pool.physical_network is not None:
            why = f"An alias asks for no physical network: whoever asks for that one takes devices of {pool.physical_network} too"
            found += [_beside(pool, each, f"{why}. {PLACEMENT}") for each in asked.aliases if _takes(each, kinds)]
            continue
        takes = [row for row in asked.outlook.after.rows if pool.name in row.aliases and row.setting in asked.devices]
        own = {place for kind in kinds for place in _places(asked, pool, kind)}
        for setting in dict.fromkeys(row.setting for row in takes if row.setting is not None):
            rows = [row for row in takes if row.setting == setting]
            ports = [row for row in rows if row.for_ports]
            others = {row.device.parent or row.device.address for row in rows} - own
            if ports:
                why = f"An alias asks for no physical network: {asks} Neutron's devices too, past its rules"
                found.append(_beside(pool, setting, f"{why} ({_said(ports)}). {PLACEMENT}"))
            elif others:
                found.append(
                    _beside(pool, setting, f"An alias knows no address: {asks} VFs of {', '.join(sorted(others))} too.")
                )
    return found


def _said(rows: list[Row]) -> str:
    parents = dict.fromkeys(row.device.parent or row.device.address for row in rows)
    return f"{sum(row.device.number for row in rows)} of {', '.join(parents)}, {rows[0].to.split(',')[0]}"


def _beside(pool: Pool, setting: NovaSetting, why: str) -> Finding:
    return _finding(
        "PASSTHROUGH-NOT-APART",
        "warns",
        f"{setting.place}: {setting.value} is of the same ids as the pool {pool.name}",
        why,
        "Leave one of the two out, unless that is meant.",
    )


def _takes(setting: NovaSetting, kinds: list[Kind]) -> bool:
    alias = None if setting.unknown else _object(setting)
    return alias is not None and (str(alias.get("vendor_id")).lower(), str(alias.get("product_id")).lower()) in kinds
