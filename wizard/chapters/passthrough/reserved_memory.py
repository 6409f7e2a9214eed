"""Devices that no guest can get, since the firmware keeps memory mapped for them."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.facts.facts import Facts
from wizard.model.findings import Finding, Severity

REMEDY = (
    "Switch off what keeps it (HPE: the shared memory feature of the slot, by conrep or in the BIOS set-up), use another slot, or ask "
    "the maker for a newer BIOS."
)


def findings(facts: Facts, handed_out: Sequence[str], coming: Sequence[str]) -> list[Finding]:
    """`handed_out` are the addresses of functions that nova gives away, VFs and whole cards; `coming` those of cards whose VFs it gives
    away and which are not all there yet."""
    places = {kept.address: kept.place for kept in facts.iommu.reserved}
    certain = [address for address in handed_out if address in places]
    if certain:
        return [
            _finding(
                "blocks",
                "; ".join(f"{address}: {places[address]}" for address in certain[:4]),
                "The kernel gives no guest a device whose memory the firmware keeps mapped: a guest with it does not start "
                "(`ineligible for IOMMU domain attach due to platform RMRR requirement`, or `requested … a 1:1 IOMMU mapping`).",
                f"{REMEDY} Then run check again.",
            )
        ]
    doubtful = [address for address in coming if address in places]
    if doubtful:
        return [
            _finding(
                "tells",
                "; ".join(f"{address}: {places[address]}" for address in doubtful[:4]),
                "The firmware keeps memory mapped for this card. Linux asks for its VFs' own, so that they are mostly free of it; "
                "that cannot be determined before they are there.",
                f"Once the VFs are there, run check again: it reads their groups. If they are not free of it: {REMEDY}",
            )
        ]
    return []


def _finding(severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(
        code="PASSTHROUGH-RESERVED-MEMORY", severity=severity, chapter="passthrough", seen=seen, why=why, do=do
    )
