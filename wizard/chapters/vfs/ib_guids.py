"""GUIDs of InfiniBand VFs on mlx5, which come up with none: given in the answers, set by our unit at each boot, and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wizard.chapters.shared import cards, guids
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import vf_owners
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.chapters.vfs.vf_driver import CHAPTER
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.findings import Check, Finding, Remedy


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


def options(facts: Facts, request: Request) -> list[str]:
    """What the boot script is told."""
    own = of(facts, request)
    if not own:
        return []
    return [f"guids={','.join(map(guids.by_bytes, own))}", f"policy={request.card.policy}"]


def as_wanted(facts: Facts, request: Request) -> bool | None:
    """Whether the VFs that are there have them, and the state that is asked for; None where nothing says it."""
    there = request.function.vf_ports
    if there is None:
        return None
    if tuple(each.guid for each in there) != tuple(f"{each:016x}" for each in of(facts, request)):
        return False
    states = {each.policy for each in there}
    return None if "" in states else states <= {request.card.policy}


def findings(facts: Facts, requests: Sequence[Request]) -> list[Finding]:
    found: list[Finding] = []
    own = {request.function.address: of(facts, request) for request in requests}
    used = _there(facts, [address for address, asked in own.items() if asked])
    for request in requests:
        asked = own[request.function.address]
        if request.card.guids and not needs(request.function):
            found.append(_not_needed(request))
        elif needs(request.function) and not request.card.guids:
            found.append(_none(request))
        elif request.card.guids:
            found += _of_one(facts, request, asked, used)
        used |= {guid: f"VF {number} of {request.function.address}" for number, guid in enumerate(asked)}
    given = [request.function for request in requests if own[request.function.address]]
    return [
        *found,
        *([_subnet_manager(given)] if given and not any(each.severity == "blocks" for each in found) else []),
    ]


def _of_one(facts: Facts, request: Request, asked: Sequence[int], used: Mapping[int, str]) -> list[Finding]:
    address, found = request.function.address, []
    if len(asked) < request.count:
        number = "1 GUID" if len(asked) == 1 else f"{len(asked)} GUIDs"
        why = "A VF without one has its port Down. Of a list for several ports each has an equal part."
        do = "Give as many as there are VFs, or fewer VFs."
        found.append(finding("VFS-IB-GUID", "blocks", f"{address}: {number} for {request.count} VFs", why, do))
    twice = next(((number, guid) for number, guid in enumerate(asked) if guid in used), None)
    if twice is not None:
        seen = f"{guids.written(twice[1])} is asked for VF {twice[0]} of {address}, and is {used[twice[1]]}"
        why = "A GUID is there once in the fabric: with two of them the subnet manager drops one, or both."
        found.append(finding("VFS-IB-GUID", "blocks", seen, why, "Give another one."))
    owner = next(iter(vf_owners.of(facts, request.function)), None)
    if owner is not None:
        why = f"{owner.program} makes the VFs of {address}, after our unit would have: nothing would set their GUIDs at boot."
        do = "Take that line out, and this tool makes the VFs and sets their GUIDs; or take guids out of the answer."
        found.append(finding("VFS-IB-GUID", "blocks", str(owner), why, do))
    return found


def _there(facts: Facts, replaced: Sequence[str]) -> dict[int, str]:
    """GUIDs that the node has: of its ports, and of VFs but those of the `replaced` PFs, which get others."""
    found: dict[int, str] = {}
    for function in facts.pci.functions:
        for device in function.rdma if not function.is_vf else ():
            digits = device.node_guid.replace(":", "")
            if digits.strip("0") and len(digits) == 16:
                found[int(digits, 16)] = f"the GUID of {device.name} ({function.address})"
        for number, port in enumerate(function.vf_ports or () if function.address not in replaced else ()):
            if port.guid.strip("0"):
                found[int(port.guid, 16)] = f"what VF {number} of {function.address} has now"
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


def _subnet_manager(functions: Sequence[PciFunction]) -> Finding:
    return finding(
        "VFS-IB-GUID",
        "tells" if all(function.netdevs for function in functions) else "warns",
        f"VFs of {', '.join(function.address for function in functions)} get their GUIDs from the answers, at each boot",
        "A port comes up only where the subnet manager virtualises, and a VF is in the partitions that its GUID is given there: "
        "neither can be seen from this node.",
        "In the subnet manager (OpenSM of MLNX_OFED, UFM, or the switch's): virt_enabled 2, and the VFs' GUIDs in partitions.conf, "
        "where there are partitions. Here: have mlx5_ib and ib_ipoib loaded, unless the driver has files for GUIDs.",
    )


def checks(facts: Facts, request: Request) -> list[Check]:
    own = of(facts, request)
    if not own:
        return []
    what = f"VFs of {request.function.address} have the GUIDs of the answers"
    same = as_wanted(facts, request)
    if same is None:
        look = "Look at `ip link show` of its interface."
        return [Check(CHAPTER, what, "unknown", "neither the driver nor ip says all of it", look)]
    if same:
        return [
            Check(CHAPTER, what, "held", f"{guids.written(own[0])} to {guids.written(own[-1])}, {request.card.policy}")
        ]
    ports = request.function.vf_ports or ()
    first = ", ".join(f"{each.guid or 'two of them'} {each.policy}".strip() for each in ports[:3]) or "none"
    held = [vf for vf in request.function.virtual_functions if _held(facts, vf)]
    do = (
        f"A guest may have {', '.join(held)}: it keeps its GUID until the guest gives it back."
        if held
        else Remedy.RUN_PLAN
    )
    return [Check(CHAPTER, what, "failed", f"the first are {first}", do)]


def _held(facts: Facts, address: str) -> bool:
    driver = next((each.driver for each in facts.pci.functions if each.address == address), None) or ""
    return "vfio" in driver or driver in ("pci-stub", "uio_pci_generic")
