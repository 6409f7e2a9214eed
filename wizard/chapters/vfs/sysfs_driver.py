"""Every card but ConnectX-3: VFs by one write to sriov_numvfs, now and, by a unit of ours, at each boot."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.chapters.shared.cards import Ports, Request
from wizard.chapters.vfs import firmware, ib_guids, next_driver, sriov, sysfs_findings, vf_owners
from wizard.chapters.vfs.vf_driver import CHAPTER
from wizard.facts.facts import Facts
from wizard.facts.pci.families import MLX5, OTHER, OTHER_MELLANOX
from wizard.facts.pci.functions import PciFunction
from wizard.model.changes import Changes
from wizard.model.findings import Check, Finding, Remedy


class Sysfs:
    families: tuple[str, ...] = (MLX5.name, OTHER_MELLANOX.name, OTHER.name)
    one_for_all = False
    sets_ports = False

    def configured(self, facts: Facts, function: PciFunction) -> int | None:
        unit = sriov.configured(facts, function)
        others = [owner.count for owner in vf_owners.of(facts, function) if owner.count is not None]
        return next((count for count in (unit, *others) if count is not None), function.num_vfs or None)

    def host_vfs(self, facts: Facts, function: PciFunction) -> int:
        return 0

    def ports(self, facts: Facts, function: PciFunction) -> Ports | list[Ports]:
        return "keep"

    def gets_none(self, facts: Facts, function: PciFunction) -> bool:
        return False

    def changes(self, facts: Facts, requests: Sequence[Request]) -> Changes:
        return sriov.changes(facts, list(requests))

    def changes_now(self, facts: Facts, request: Request) -> bool:
        return not firmware.waits(facts, request)

    def findings_of_one(self, facts: Facts, request: Request) -> list[Finding]:
        return sysfs_findings.ports(request)

    def findings(self, facts: Facts, requests: Sequence[Request]) -> list[Finding]:
        wanted = [request for request in requests if request.count]
        return [
            *ib_guids.findings(facts, wanted),
            *sysfs_findings.unknown_cards(wanted),
            *sysfs_findings.other_owners(facts, wanted),
        ]

    def set_by_others(self, facts: Facts, request: Request) -> list[str]:
        return self.owners(facts, request.function)

    def perhaps_set_by_others(self, facts: Facts, request: Request) -> list[str]:
        return []  # an owner that cannot be determined is one of them

    def owners(self, facts: Facts, function: PciFunction) -> list[str]:
        return [str(owner) for owner in vf_owners.of(facts, function) if owner.count != 0]

    def checks_of_all(self, facts: Facts, requests: Sequence[Request]) -> list[Check]:
        return []

    def is_idle(self, facts: Facts, request: Request) -> bool:
        return not request.count and sriov.configured(facts, request.function) is None

    def not_yet(self, facts: Facts, request: Request, what: str, seen: str) -> Check | None:
        return None

    def set_at_boot(self, facts: Facts, request: Request) -> bool:
        return at_boot(facts, request).state == "held"

    def checks(self, facts: Facts, request: Request) -> list[Check]:
        return [at_boot(facts, request), *ib_guids.checks(facts, request)] if request.count else []


def at_boot(facts: Facts, request: Request) -> Check:
    """Whether the card gets its number at each boot, by our unit or by whoever it is left to."""
    what = f"{request.function.address} gets {request.count} VFs at each boot"
    hindrance = next(iter(next_driver.hindrances(facts, request.function)), None)
    if hindrance is not None:
        return Check(CHAPTER, what, "failed", f"{hindrance}: {hindrance.why}", "Run check: it says what to take away.")
    owners = vf_owners.of(facts, request.function)
    for owner in owners:
        if owner.count != request.count:  # whoever else sets the right number: which of them is the last cannot be told
            return Check(
                CHAPTER,
                what,
                "failed",
                f"{owner.program} sets another number: {owner}",
                "Run check: it says what to put there.",
            )
    if owners:
        doubt = next(
            (each for each in vf_owners.doubtful(facts, request.function) if each.count != request.count), None
        )
        if doubt is not None:
            seen = f"left to {owners[0].program}: {owners[0]}; and another may set another number: {doubt}"
            return Check(CHAPTER, what, "unknown", seen, "Run check: it says what to read.")
        return Check(CHAPTER, what, "held", f"left to {owners[0].program}: {owners[0]}")
    mistaken = sriov.mistaken(facts, request.function)
    if mistaken:
        seen = f"our unit knows the card by the MAC {mistaken}, which is not the card's own: it would be refused"
        return Check(CHAPTER, what, "failed", seen, Remedy.RUN_PLAN)
    if sriov.configured(facts, request.function) == request.count and sriov.enabled(facts, request.function):
        return Check(CHAPTER, what, "held", sriov.boot_path(facts, request.function))
    return Check(CHAPTER, what, "failed", "no enabled unit of this tool sets them", Remedy.RUN_PLAN)
