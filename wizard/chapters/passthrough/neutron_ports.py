"""Pools of ports that a node has already: by nova's lines with a physical_network, and by the SR-IOV agent's mappings."""

from __future__ import annotations

import re

from wizard.chapters.passthrough.matching import outlook
from wizard.chapters.passthrough.matching.handout import Row
from wizard.chapters.passthrough.matching.rules import NEWEST
from wizard.chapters.passthrough.pools import Pool
from wizard.chapters.shared.cards import port_identity
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.neutron.neutron import Mapping
from wizard.facts.pci.functions import PciFunction


@dataclass(frozen=True, slots=True)
class PortPool:
    """A pool, and the PFs whose VFs it holds."""

    pool: Pool
    addresses: tuple[str, ...]


def rows(facts: Facts) -> tuple[Row, ...]:
    """What nova's lines hand out, with one VF for each PF that has none yet."""
    fresh = {f.address: 1 for f in facts.pci.functions if not f.is_vf and f.offer == "offered" and not f.num_vfs}
    return outlook.of(facts, facts.nova.release or NEWEST, facts.nova.settings, fresh).rows


def pools(facts: Facts) -> list[PortPool]:
    """One for each PF whose VFs are ports of one physical network; its name is the network's, and the PF's behind where there are
    several. A PF in switchdev mode is hardware offload's: none is suggested over it."""
    every = rows(facts)
    candidates = _candidates(facts)
    networks = {f.address: network for f in candidates if (network := _network(facts, f, every))}
    found = []
    for function in candidates:
        network = networks.get(function.address)
        if network is None:
            continue
        several = list(networks.values()).count(network) > 1
        name = f"{network}-{_word(function)}" if several else network
        pool = Pool(
            name=name, cards=port_identity(function), physical_network=network, trusted=_trusted(function, every)
        )
        found.append(PortPool(pool, (function.address,)))
    return found


def _candidates(facts: Facts) -> list[PciFunction]:
    return [
        f
        for f in facts.pci.functions
        if not f.is_vf
        and not f.switchdev
        and f.offer == "offered"
        and f.is_network
        and not f.is_infiniband
        and f.vf_device
        and (f.card_family.for_guests or f.num_vfs)  # no VFs are suggested for other makers' cards that have none
        and len(f.netdevs) <= 1  # two ports of a ConnectX-3 are one PCI function: their VFs are not told apart by it
    ]


def _network(facts: Facts, function: PciFunction, every: tuple[Row, ...]) -> str | None:
    """The physical network that all VFs of a PF are ports on; None where there is none, or no single one that an answer can say."""
    lines = [row for row in every if row.device.parent == function.address and row.spec is not None]
    if lines:
        networks = {row.network if row.for_ports else None for row in lines}
    else:
        networks = {each.network for each in mapped(facts, function)}
    network = networks.pop() if len(networks) == 1 else None
    return network if network and re.fullmatch(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,63}", network) else None


def mapped(facts: Facts, function: PciFunction) -> list[Mapping]:
    """What the SR-IOV agent says of a PF, by the names of its interfaces."""
    names = {device.name for device in function.netdevs}
    return [each for each in facts.neutron.mappings_of("sriov") if each.target in names]


def _trusted(function: PciFunction, every: tuple[Row, ...]) -> bool | None:
    """What every line for its VFs says of trust."""
    lines = [row for row in every if row.device.parent == function.address and row.spec is not None]
    said = {str(row.spec.get("trusted") or "").lower() for row in lines if row.spec is not None}
    return True if said == {"true"} else None


def _word(function: PciFunction) -> str:
    name = next((device.name for device in function.netdevs), function.address)
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)
