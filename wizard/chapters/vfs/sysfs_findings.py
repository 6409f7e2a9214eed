"""What is wrong, or will go wrong, with cards whose VFs are made by sysfs."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import sriov, vf_owners
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.facts.facts import Facts
from wizard.model.findings import Finding


def ports(request: Request) -> list[Finding]:
    """Kinds of ports that are asked for where no option sets them."""
    function, wanted = request.function, request.card.ports
    if wanted == "keep":
        return []
    what = f"only mlx4_core takes the kind of its ports from an option, and {function.model} is not driven by it"
    do = f"mstconfig -d {function.address} set LINK_TYPE_P1=1 (InfiniBand) or 2 (Ethernet), where the card can be both."
    return [
        finding(
            "VFS-PORTS",
            "blocks",
            f"{function.address}: ports = {wanted!r}; {what}",
            "The ports would come up as something else than is wanted.",
            f'Answer ports = "keep". ConnectX-4 and newer: {do}',
        )
    ]


def unknown_cards(requests: Sequence[Request]) -> list[Finding]:
    """Cards that the unit cannot tell from others of their kind."""
    unknown = [each.function for each in requests if sriov.identity(each.function) == sriov.UNKNOWN]
    return [
        finding(
            "VFS-UNKNOWN-CARD",
            "tells",
            f"{function.address} ({function.model}) has no serial number, no GUID and no MAC that is known to be its own",
            "The unit knows the card at boot by its address and its ids alone: another one of its kind at that address would get its "
            "VFs. The MAC that an interface has now may be a bond's, a team's, or set by hand, and is another one when the unit runs.",
            "Plan as root, who sees serial numbers. Else nothing: look at the VFs again after cards were added or moved.",
        )
        for function in unknown
    ]


def other_owners(facts: Facts, requests: Sequence[Request]) -> list[Finding]:
    """A card that somebody else gives its VFs is left to them where they give it as many; else there would be two owners."""
    found = []
    for request in requests:
        address, count = request.function.address, request.count
        for owner in vf_owners.of(facts, request.function):
            if owner.count == count:
                found.append(
                    finding(
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
                finding(
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
    return finding(
        "VFS-OTHER-OWNER",
        "warns",
        str(owner),
        f"Whether {owner.program} sets VFs of {address} at boot cannot be determined from this: {owner.doubt(address)}. If it does, "
        "there are two owners: the later one wins, and on its way through 0 the guests lose their VFs.",
        "Read it. Where it sets VFs of this card, take that out of it, or take the card out of the answers.",
    )


def _idle(owner: vf_owners.Owner, address: str) -> Finding:
    return finding(
        "VFS-OTHER-OWNER",
        "tells",
        str(owner),
        f"This would set VFs of {address}, and does not: {owner.runs.why}. So it does not count as an owner of their number.",
        "Nothing, or take it away: whoever makes it work later gives the card two owners.",
    )
