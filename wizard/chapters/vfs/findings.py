"""What is wrong, or will go wrong, with the VFs that are asked for."""

from __future__ import annotations

from wizard.chapters.shared import boot_space, cards
from wizard.chapters.shared import foreign as set_elsewhere
from wizard.chapters.shared.cards import Card, Request
from wizard.chapters.vfs import firmware as firmware_findings
from wizard.chapters.vfs import foreign, mlx4, mlx4_findings, next_driver, sriov, switchdev, vf_owners
from wizard.chapters.vfs import mlx5_findings as option_findings
from wizard.chapters.vfs.firmware import code_of
from wizard.chapters.vfs.mlx4_findings import CHAPTER
from wizard.chapters.vfs.mlx4_findings import finding as _finding
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.findings import Finding


def findings(facts: Facts, answered: list[Card], requests: list[Request]) -> list[Finding]:
    found = [*_unmatched(facts, answered), *_twice(facts, answered)]
    for request in requests:
        found += _of_one(facts, request)
    found += mlx4_findings.of_all_cards(facts, [request for request in requests if request.function.family == "mlx4"])
    by_option = [request for request in requests if request.function.family == "mlx4"]
    if mlx4.rebuilds_initramfs(facts, by_option):
        found += boot_space.finding(facts, CHAPTER, "making the initramfs anew", boot_space.needed(facts))
    found += _guids([request for request in requests if request.count])
    found += _unknown([each for each in requests if each.function.family != "mlx4" and each.count])
    found += _owners(facts, [request for request in requests if request.function.family != "mlx4" and request.count])
    found += _elsewhere(facts, requests)
    found += option_findings.of_mlx5(facts)
    asked = {request.function.address for request in requests}
    silent = [f for f in facts.pci.functions if f.is_mellanox and f.offer == "off" and f.address not in asked]
    found += [_why_none(facts, function) for function in silent]
    found += next_driver.findings(facts, [request.function for request in requests if request.count])
    found += _links(facts, requests)
    return found + switchdev.findings(facts, requests)


def _elsewhere(facts: Facts, requests: list[Request]) -> list[Finding]:
    """Who else gives VFs to cards that are to have none, or that are not named beside others that are."""
    found = []
    for request in requests:
        answered = f"count = 0 for {request.function.address}"
        found += set_elsewhere.findings(CHAPTER, answered, foreign.vfs_of(facts, request))
    unnamed = foreign.vfs_unnamed(facts, requests) if requests else []
    return found + set_elsewhere.findings(CHAPTER, "The answers do not name that card", unnamed)


def _unmatched(facts: Facts, answered: list[Card]) -> list[Finding]:
    found = []
    for card in answered:
        if not cards.select(card.match, facts.pci):
            found.append(
                _finding(
                    "VFS-NO-SUCH-CARD",
                    "blocks",
                    f"no PCI function of this node has {card.match}",
                    "The answers ask for a card that is not here: it was replaced, moved, or belongs to another node.",
                    "Compare with `compute-wizard inspect`; name the card by its serial or MAC.",
                )
            )
        elif card.match.mac is not None and len(cards.select(card.match, facts.pci)) > 1:
            found.append(_shared(card, cards.select(card.match, facts.pci)))
        elif card.match.address is not None:
            found.append(
                _finding(
                    "VFS-BY-ADDRESS",
                    "warns",
                    f"the card is named by its address {card.match.address}",
                    "Bus numbers move when cards are added or firmware offers VFs: the answers would then mean another card.",
                    "Name it by serial, MAC or network interface where it has one.",
                )
            )
    return found


def _shared(card: Card, functions: list[PciFunction]) -> Finding:
    """A MAC that a team or a bond gave to several ports, and of which nothing says whose it was."""
    addresses = " and ".join(function.address for function in functions)
    return _finding(
        "VFS-MAC-SHARED",
        "warns",
        f"{card.match} is the address of {addresses} now",
        f"A team or a bond gave it to them, and nothing here says which one came with it: the entry means all of them, and each gets "
        f"{card.count} VFs.",
        "Name the one that is meant by its network interface, or by its serial number where all its ports are meant.",
    )


def _twice(facts: Facts, answered: list[Card]) -> list[Finding]:
    """A function that two entries mean, with different wishes: the first one counts."""
    found: list[Finding] = []
    first: dict[str, Card] = {}
    for card in answered:
        for function in cards.select(card.match, facts.pci):
            other = first.setdefault(function.address, card)
            if other.model_copy(update={"match": card.match}) != card:
                found.append(
                    _finding(
                        "VFS-TWICE",
                        "warns",
                        f"{function.address} is meant by {other.match} (count {other.count}) and by {card.match} "
                        f"(count {card.count})",
                        "The first entry counts; what the other one says of this card is not done.",
                        "Name each card once, or put the entry that is to count first.",
                    )
                )
    return found


def _why_none(facts: Facts, function: PciFunction) -> Finding:
    return _finding(
        code_of(function),
        "warns",
        f"{function.address} ({function.model}) can have no VFs as it is",
        f"{function.why_no_vfs}.",
        next_driver.advice(facts, function) or firmware_findings.advice(facts, function),
    )


def _of_one(facts: Facts, request: Request) -> list[Finding]:
    function = request.function
    found = mlx4_findings.of_ports(facts, request)
    if request.card.count == "max" and not request.limit:
        found.append(
            _finding(
                code_of(function),
                "blocks",
                f'{function.address} ({function.model}): count = "max", but {function.why_no_vfs or "its limit is not known"}',
                "There is no number that could be made of it.",
                firmware_findings.advice(facts, function)
                if code_of(function) == "VFS-FLASH-RECOVERY"
                else "Answer a number, or fix what is said above."
                if function.offer == "off"
                else "Answer a number, or run as root.",
            )
        )
    else:
        found += firmware_findings.of_one(facts, request)
    if _written_now(facts, request):
        found += [*_used(facts, request), *_carries(facts, request)]
    return found


def _written_now(facts: Facts, request: Request) -> bool:
    """Whether this run changes the VFs that are there: those that wait for the reboot touch nobody before it."""
    return request.function.family == "mlx4" or not firmware_findings.waits(facts, request)


def _used(facts: Facts, request: Request) -> list[Finding]:
    """Guests on the VFs of a PF whose number would change lose their card; the kernel does not check."""
    function = request.function
    if (function.num_vfs or 0) == request.count or not function.num_vfs:
        return []
    uses = [use for vf in function.virtual_functions for use in facts.guests.uses_of(vf)]
    if not uses:
        return []
    return [
        _finding(
            "VFS-IN-USE",
            "blocks",
            "; ".join(f"{use.address}: {use.by}" for use in uses[:4])
            + (f" and {len(uses) - 4} more" if len(uses) > 4 else ""),
            f"Changing {function.num_vfs} VFs to {request.count} goes through 0: whoever holds one loses it, or the write hangs.",
            "Move the guests away (disable the compute service first), then run this again.",
        )
    ]


def _carries(facts: Facts, request: Request) -> list[Finding]:
    function = request.function
    roles = facts.guests.roles_of(function.address)
    if not roles or (function.num_vfs or 0) == request.count:
        return []
    what = ", ".join(dict.fromkeys(f"{role.role} ({role.detail})" for role in roles))
    return [
        _finding(
            "VFS-CARRIES-NODE",
            "warns",
            f"{function.address} carries {what}",
            "Some drivers reset the port when VFs are made or taken away: this very session may be cut off.",
            "Have another way in (console, BMC), or apply with --confirm 10: unless you confirm it in these minutes, the run is "
            "taken back. It goes on by itself when the line drops, and the wizard finds it again.",
        )
    ]


def _guids(requests: list[Request]) -> list[Finding]:
    found = []
    for request in requests:
        if request.function.family == "mlx5" and request.function.is_infiniband:
            found.append(
                _finding(
                    "VFS-IB-GUID",
                    "warns",
                    f"{request.function.address} is InfiniBand on mlx5: its VFs come up with GUID 0 and port Down",
                    "Without a node and a port GUID for each VF, and a subnet manager that virtualises, guests get no link.",
                    "Set `ip link set dev IBDEV vf N node_guid …; port_guid …; state auto` for each VF after each boot (IBDEV is "
                    "there once mlx5_ib and ib_ipoib are loaded), and virt_enabled 2 in the subnet manager. This tool does not choose "
                    "GUIDs: they are unique in the fabric.",
                )
            )
    return found


def _links(facts: Facts, requests: list[Request]) -> list[Finding]:
    """Drivers that refuse VFs as long as their interface is down."""
    found = []
    for request in requests:
        function = request.function
        if not request.count or not sriov.needs_link(function) or vf_owners.of(facts, function):
            continue
        names = " and ".join(device.name for device in function.netdevs) or "its interface"
        down = [device.name for device in function.netdevs if sriov.is_down(facts, device.name)]
        found.append(
            _finding(
                "VFS-NEEDS-LINK-UP",
                "warns" if down and request.count != (function.num_vfs or 0) else "tells",
                f"{function.address}: {function.driver} makes VFs only while {names} is up{'; it is down now' if down else ''}",
                "It rejects the number while its interface is down, and some releases say nothing of it: the unit sets the interface "
                "up (as `ip link set up` does, without an address) before it asks for VFs.",
                f"Before apply: ip link set dev {down[0]} up." if down else "Nothing.",
            )
        )
    return found


def _unknown(requests: list[Request]) -> list[Finding]:
    """Cards that the unit cannot tell from others of their kind."""
    unknown = [each.function for each in requests if sriov.identity(each.function) == sriov.UNKNOWN]
    return [
        _finding(
            "VFS-UNKNOWN-CARD",
            "tells",
            f"{function.address} ({function.model}) has no serial number, no GUID and no MAC that is known to be its own",
            "The unit knows the card at boot by its address and its ids alone: another one of its kind at that address would get its "
            "VFs. The MAC that an interface has now may be a bond's, a team's, or set by hand, and is another one when the unit runs.",
            "Plan as root, who sees serial numbers. Else nothing: look at the VFs again after cards were added or moved.",
        )
        for function in unknown
    ]


def _owners(facts: Facts, requests: list[Request]) -> list[Finding]:
    """A card that somebody else gives its VFs is left to them where they give it as many; else there would be two owners."""
    found = []
    for request in requests:
        address, count = request.function.address, request.count
        for owner in vf_owners.of(facts, request.function):
            if owner.count == count:
                found.append(
                    _finding(
                        "VFS-OTHER-OWNER",
                        "tells",
                        str(owner),
                        f"{owner.program} gives {address} its {count} VFs at each boot: it is left to it, and gets no unit of ours.",
                        "Nothing. To have another number, change it there and in the answers.",
                    )
                )
                continue
            number = f"{owner.count} VFs" if owner.count is not None else "a number that cannot be read"
            leave = f"answer count = {owner.count}, or " if owner.count is not None else ""
            found.append(
                _finding(
                    "VFS-OTHER-OWNER",
                    "blocks",
                    str(owner),
                    f"{owner.program} sets {number} on {address} at each boot, and {count} are asked for: of two owners the later "
                    "one wins, and on its way through 0 the guests lose their VFs.",
                    f"Put {owner.to_put(count)} there, and it is left to {owner.program}. Or {leave}take that line "
                    "out, and this tool sets them.",
                )
            )
        found += [_doubtful(owner, address) for owner in vf_owners.doubtful(facts, request.function)]
        found += [_idle(owner, address) for owner in vf_owners.idle(facts, request.function)]
    return found


def _doubtful(owner: vf_owners.Owner, address: str) -> Finding:
    return _finding(
        "VFS-OTHER-OWNER",
        "warns",
        str(owner),
        f"Whether {owner.program} sets VFs of {address} at boot cannot be determined from this: {owner.doubt(address)}. If it does, "
        "there are two owners: the later one wins, and on its way through 0 the guests lose their VFs.",
        "Read it. Where it sets VFs of this card, take that out of it, or take the card out of the answers.",
    )


def _idle(owner: vf_owners.Owner, address: str) -> Finding:
    return _finding(
        "VFS-OTHER-OWNER",
        "tells",
        str(owner),
        f"This would set VFs of {address}, and does not: {owner.runs.why}. So it does not count as an owner of their number.",
        "Nothing, or take it away: whoever makes it work later gives the card two owners.",
    )
