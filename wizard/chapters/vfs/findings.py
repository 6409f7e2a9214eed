"""What is wrong, or will go wrong, with the VFs that are asked for."""

from __future__ import annotations

from wizard.chapters.shared import cards
from wizard.chapters.shared import foreign as set_elsewhere
from wizard.chapters.shared.cards import Card, Request
from wizard.chapters.vfs import firmware as firmware_findings
from wizard.chapters.vfs import foreign, next_driver, sriov, switchdev, vain_options, vf_owners
from wizard.chapters.vfs.drivers import driver_of, shared_out
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
    for driver, own in shared_out(requests):
        found += driver.findings(facts, own)
    found += _elsewhere(facts, requests)
    found += vain_options.of_other_drivers(facts)
    asked = {request.function.address for request in requests}
    silent = [
        f for f in facts.pci.functions if f.card_family.for_guests and f.offer == "off" and f.address not in asked
    ]
    found += [_why_none(facts, function) for function in silent]
    found += next_driver.findings(facts, [request.function for request in requests if request.count])
    found += _links(facts, requests)
    return found + switchdev.findings(facts, requests)


def _elsewhere(facts: Facts, requests: list[Request]) -> list[Finding]:
    """Who else gives VFs to cards that are to have none, or that are not named beside others that are."""
    found = []
    for request in requests:
        answered = f"count = 0 for {request.function.address}"
        places, doubts = foreign.vfs_of(facts, request), foreign.doubts(facts, request)
        found += set_elsewhere.findings(CHAPTER, answered, places, doubts)
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
    found = driver_of(function).findings_of_one(facts, request)
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
    if driver_of(function).changes_now(facts, request):
        found += [*_used(facts, request), *_carries(facts, request)]
    return found


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
