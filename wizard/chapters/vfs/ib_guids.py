"""GUIDs of InfiniBand VFs on mlx5, which come up with none: given in the answers, set by our unit at each boot, and read back."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.chapters.shared import cards, guids
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.chapters.vfs.vf_driver import CHAPTER
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.findings import Check, Finding, Remedy

STATES = {"follow": "auto", "up": "enable", "down": "disable"}
"""The policies of the driver's own files, and ip's words for them."""


def needs(function: PciFunction) -> bool:
    """Whether its VFs come up without GUIDs."""
    return function.card_family.guids_by_hand and function.is_infiniband


def of(facts: Facts, request: Request) -> tuple[int, ...]:
    """The GUIDs of this function's VFs, as many as it is to have; fewer where the answers have fewer. Each function of a card has an
    equal part of the list, in the order of their addresses: so another number of VFs gives no VF another GUID."""
    if not request.card.guids or not needs(request.function):
        return ()
    every = guids.parse(request.card.guids)
    ports = [each for each in cards.select(request.card.match, facts.pci) if needs(each)]
    share = len(every) // max(1, len(ports))
    at = [each.address for each in ports].index(request.function.address) * share
    return every[at : at + share][: request.count]


def suggested(facts: Facts, match: cards.Match) -> str:
    """GUIDs for every VF that the ports of a card can have: those that its VFs have, else made of this node and each port; "" where
    it has no such port, or what they would be made of is not known."""
    ports = [each for each in cards.select(match, facts.pci) if needs(each)]
    most = max((cards.limit(each) or 0 for each in ports), default=0)
    bases = [_base(each) for each in ports]
    if not most or not facts.system.machine_id or not all(bases) or any(_set_by_others(each) for each in ports):
        return ""
    return ", ".join(guids.local(facts.system.machine_id, base, most) for base in bases)


def _base(function: PciFunction) -> str:
    own = next((device.node_guid for device in function.rdma if device.node_guid.strip("0:")), "")
    return own or f"{function.serial or ''}{function.address.rpartition('.')[2]}" if function.serial or own else ""


def _set_by_others(function: PciFunction) -> bool:
    return any(each.strip("0") for each in function.vf_guids or ())


def options(facts: Facts, request: Request) -> list[str]:
    """What the boot script is told."""
    own = of(facts, request)
    if not own:
        return []
    return [f"guids={','.join(map(guids.by_bytes, own))}", f"policy={request.card.policy}"]


def as_wanted(facts: Facts, request: Request) -> bool | None:
    """Whether the VFs that are there have them; None where nothing says it."""
    there = request.function.vf_guids
    wanted = tuple(f"{each:016x}" for each in of(facts, request))
    return None if there is None else there == wanted


def findings(facts: Facts, requests: Sequence[Request]) -> list[Finding]:
    found: list[Finding] = []
    used: dict[int, str] = _of_ports(facts)
    for request in requests:
        address, own = request.function.address, of(facts, request)
        if request.card.guids and not needs(request.function):
            found.append(_not_needed(request))
        elif needs(request.function) and not request.card.guids:
            found.append(_none(request))
        elif own and len(own) < request.count:
            seen = f"{address}: {len(own)} GUIDs for {request.count} VFs"
            why = "A VF without one has its port Down. Of a list for several ports each has an equal part."
            found.append(finding("VFS-IB-GUID", "blocks", seen, why, "Give as many as there are VFs, or fewer VFs."))
        for number, guid in enumerate(own):
            if guid in used:
                seen = f"{guids.written(guid)} is asked for VF {number} of {address}, and is {used[guid]}"
                why = "A GUID is there once in the fabric: with two of them the subnet manager drops one, or both."
                found.append(finding("VFS-IB-GUID", "blocks", seen, why, "Give another one."))
                break
            used[guid] = f"VF {number} of {address}"
        if len(own) == request.count and own:
            found.append(_subnet_manager(request.function))
    return found


def _of_ports(facts: Facts) -> dict[int, str]:
    found: dict[int, str] = {}
    for function in facts.pci.functions:
        for device in function.rdma if not function.is_vf else ():
            digits = device.node_guid.replace(":", "")
            if digits.strip("0") and len(digits) == 16:
                found[int(digits, 16)] = f"the GUID of {device.name} ({function.address})"
    return found


def _none(request: Request) -> Finding:
    return finding(
        "VFS-IB-GUID",
        "warns",
        f"{request.function.address} is InfiniBand on mlx5: its VFs come up with GUID 0 and port Down",
        "Without a node and a port GUID for each VF, and a subnet manager that virtualises, guests get no link.",
        'Answer guids = "FIRST-LAST", unique in the fabric, and our unit sets them at each boot (it needs mlx5_ib and ib_ipoib, unless '
        "the driver has files for it); in the subnet manager virt_enabled 2.",
    )


def _not_needed(request: Request) -> Finding:
    function = request.function
    what = f"{function.address} ({function.model}) is no InfiniBand port of mlx5"
    why = "They would be set on nothing: mlx4 has alias GUIDs from its subnet manager, and Ethernet has none."
    return finding("VFS-IB-GUID", "blocks", f"guids are asked for, and {what}", why, "Take guids out of the answer.")


def _subnet_manager(function: PciFunction) -> Finding:
    return finding(
        "VFS-IB-GUID",
        "tells" if function.netdevs else "warns",
        f"VFs of {function.address} get their GUIDs from the answers, at each boot",
        "A port comes up only where the subnet manager virtualises, and a VF is in the partitions that its GUID is given there: "
        "neither can be seen from this node.",
        "Here mlx5_ib and ib_ipoib, unless the driver has files for GUIDs. OpenSM of MLNX_OFED, UFM or the switch: virt_enabled 2; the "
        "VFs' port GUIDs in partitions.conf where there are partitions.",
    )


def checks(facts: Facts, request: Request) -> list[Check]:
    own = of(facts, request)
    if not own:
        return []
    what = f"VFs of {request.function.address} have the GUIDs of the answers"
    same = as_wanted(facts, request)
    if same is None:
        return [
            Check(
                CHAPTER,
                what,
                "unknown",
                "neither the driver nor ip says them",
                "Look at `ip link show` of its interface.",
            )
        ]
    if same:
        return [Check(CHAPTER, what, "held", f"{guids.written(own[0])} to {guids.written(own[-1])}")]
    there = ", ".join(each or "two of them" for each in (request.function.vf_guids or ())[:3]) or "none"
    return [Check(CHAPTER, what, "failed", f"the first are {there}", Remedy.RUN_PLAN)]
