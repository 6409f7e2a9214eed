"""GUIDs that fit a card as it is now: those that our unit sets, else such as are made of this node and each port, once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.chapters.shared import cards, guids
from wizard.chapters.shared.cards import Policy
from wizard.chapters.vfs import ib_guids, sriov, vf_owners
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction


def suggested(facts: Facts, match: cards.Match) -> tuple[str, Policy]:
    """A list for every VF that the ports of a card can have, and the state of theirs; "" where it has no such port, where somebody else
    makes its VFs or set their GUIDs, or where what they would be made of is not known."""
    ports = [each for each in cards.select(match, facts.pci) if ib_guids.needs(each)]
    ours = [_of_unit(facts, each) for each in ports]
    if any(own for own, _ in ours):
        return _ours(facts, ports, [own for own, _ in ours]), next(policy for own, policy in ours if own)
    return ("" if any(_others(facts, each) for each in ports) else _made(facts, ports)), "follow"


def differ(facts: Facts, ports: Sequence[PciFunction]) -> bool:
    """Whether our units give the ports of a card GUIDs that one list for all of them cannot say: each is named by itself then."""
    ours = [_of_unit(facts, each) for each in ports if ib_guids.needs(each)]
    return len({(len(own), policy) for own, policy in ours}) > 1


def _of_unit(facts: Facts, function: PciFunction) -> tuple[tuple[int, ...], Policy]:
    text = (facts.content(sriov.boot_path(facts, function)) or b"").decode("utf-8", "replace")
    words = re.search(r"compute-wizard-vfs .* guids=(\S+) policy=(follow|up|down)", text)
    if words is None:
        return (), "follow"
    policy: Policy = "up" if words[2] == "up" else "down" if words[2] == "down" else "follow"
    try:
        return guids.parse(words[1]), policy
    except ValueError:  # somebody edited it
        return (), policy


def _ours(facts: Facts, ports: list[PciFunction], own: list[tuple[int, ...]]) -> str:
    """What the units set, as many for each; as the whole ranges, where they are the beginnings of those that would be made, so that
    more VFs find theirs."""
    made = _made(facts, ports)
    every = guids.parse(made)
    share = len(every) // len(ports)
    begins = [each == every[at * share : at * share + len(each)] for at, each in enumerate(own)]
    if made and all(begins):
        return made
    return ", ".join(guids.ranges(each) for each in own)


def _made(facts: Facts, ports: list[PciFunction]) -> str:
    most = max((cards.limit(each) or 0 for each in ports), default=0)
    bases = [_base(each) for each in ports]
    if not most or not facts.system.machine_id or not all(bases):
        return ""
    return ", ".join(guids.local(facts.system.machine_id, base, most) for base in bases)


def _base(function: PciFunction) -> str:
    """What a port is known by for good: its own GUID, else the card's serial number and the port's; "" where neither is known."""
    own = next((device.node_guid for device in function.rdma if device.node_guid.strip("0:")), "")
    by_serial = f"{function.serial} {function.address.rpartition('.')[2]}" if function.serial else ""
    return own or by_serial


def _others(facts: Facts, function: PciFunction) -> bool:
    set_now = any(each.guid.strip("0") for each in function.vf_ports or ())
    return set_now or bool(vf_owners.of(facts, function))
