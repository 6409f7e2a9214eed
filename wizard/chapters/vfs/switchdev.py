"""Cards in switchdev mode: Open vSwitch programs their embedded switch, and each VF has a port of it, its representor."""

from __future__ import annotations

from collections.abc import Iterable

from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.findings import Finding

WHY = (
    "Open vSwitch programs the card's own switch (hardware offload), and each VF has a port of it on the host, its representor: "
    "Neutron gives these VFs to guests as direct ports with the capability switchdev."
)


def findings(facts: Facts, requests: Iterable[Request]) -> list[Finding]:
    """Each is left alone; another number of VFs than there are blocks, and a unit of ours beside what sets the mode is warned of."""
    asked = {request.function.address: request for request in requests}
    there = [function for function in facts.pci.functions if function.switchdev and not function.is_vf]
    return [_of(function, asked.get(function.address)) for function in there]


def _of(function: PciFunction, request: Request | None) -> Finding:
    now = function.num_vfs or 0
    seen = f"{function.address} ({function.model}) is in switchdev mode, with {now} VFs"
    if request is None:
        return finding("VFS-SWITCHDEV", "tells", seen, f"{WHY} The card is left to what set that mode.", "Nothing.")
    if request.count != now:
        return finding(
            "VFS-SWITCHDEV",
            "blocks",
            f"{seen}; {request.count} are asked for",
            f"{WHY} Another number of VFs takes the representors away with the flows of all its guests, and some drivers refuse it in "
            "this mode.",
            f"Leave the card out of the answers, or answer count = {now}. Change the number where the mode is set, in that order: "
            f"`devlink dev eswitch show pci/{function.address}` says the mode.",
        )
    return finding(
        "VFS-SWITCHDEV",
        "warns",
        seen,
        f"{WHY} VFs and the mode are set in one order at boot, by whatever sets the mode: whether a unit that makes the VFs comes "
        "before or after it cannot be determined.",
        "Leave the card out of the answers: what sets the mode makes the VFs, too.",
    )
