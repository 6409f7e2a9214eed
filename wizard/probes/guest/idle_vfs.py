"""Which VF can be lent to a guest for a minute: one that nobody uses, nobody keeps, and that the IOMMU can give away alone."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.chapters.shared.cards import CardAnswers, requests
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.answers import AllAnswers

VFIO = "vfio-pci"


@dataclass(frozen=True, slots=True)
class Choice:
    """The VF, or None and `why` in a sentence for the admin."""

    vf: PciFunction | None
    why: str


def choose(facts: Facts, answers: AllAnswers, up: frozenset[str], only: str = "") -> Choice:
    """The idle VF that is missed least, or `only` if it is idle. `up` are the names of network interfaces that are up."""
    vfs = [each for each in facts.pci.functions if each.is_vf and only in ("", each.address)]
    if not vfs:
        return Choice(None, f"{only} is no VF of this node" if only else "there is no VF on this node")
    kept = kept_by_host(facts, answers)
    reasons = {vf.address: _reason(facts, vf, kept, up) for vf in vfs}
    idle = [vf for vf in vfs if not reasons[vf.address]]
    if not idle:
        told = [f"{address}: {reason}" for address, reason in reasons.items()]
        more = f"; and {len(told) - 4} more" if len(told) > 4 else ""
        return Choice(None, f"no VF is idle: {'; '.join(told[:4])}{more}")
    order = {function.address: number for number, function in enumerate(facts.pci.functions)}
    # without a driver first: nothing on the node notices; then the last ones, which nova gives out last
    return Choice(min(idle, key=lambda vf: (vf.driver not in (None, VFIO), -order[vf.address])), "")


def kept_by_host(facts: Facts, answers: AllAnswers) -> frozenset[str]:
    """The VFs that the host itself is to have: the first ones of each card, as many as are answered."""
    cards = answers.of(CardAnswers)
    asked = requests(cards, facts.pci) if cards else []
    return frozenset(vf for each in asked for vf in each.function.virtual_functions[: each.card.host_vfs])


def _reason(facts: Facts, vf: PciFunction, kept: frozenset[str], up: frozenset[str]) -> str:
    """Why a VF cannot be lent; empty where it can."""
    return next(_reasons(facts, vf, kept, up), "")


def _reasons(facts: Facts, vf: PciFunction, kept: frozenset[str], up: frozenset[str]) -> Iterator[str]:
    for use in facts.guests.uses_of(vf.address):
        if use.by != f"driver {VFIO}":  # it waits for a guest, and nobody has it
            yield f"in use by {use.by}"
    for role in facts.guests.roles_of(vf.address):
        yield f"it carries {role.role} ({role.detail})"
    if vf.address in kept:
        yield "it is one of those that the host keeps (host_vfs)"
    for device in vf.netdevs:
        if device.name in up:
            yield f"its interface {device.name} is up"
    if any(port.state == "ACTIVE" for device in vf.rdma for port in device.ports):
        yield "its RDMA port is active"
    if vf.iommu_group is None:
        yield "it is in no IOMMU group: the IOMMU is off"
    yield from _neighbours(facts, vf)


def _neighbours(facts: Facts, vf: PciFunction) -> Iterator[str]:
    """A group goes to a guest as a whole: all in it have to be bridges, or have no driver of the host's."""
    for other in facts.pci.functions:
        same = other.iommu_group == vf.iommu_group and other.address != vf.address
        if same and not other.class_code.startswith("0604") and other.driver not in (None, VFIO):
            yield f"it shares IOMMU group {vf.iommu_group} with {other.address}, which {other.driver} has"
