"""VFs that a line by their card hands out, and that are not for guests, or not of the port that is meant."""

from __future__ import annotations

from wizard.chapters.passthrough import pools
from wizard.chapters.passthrough.existing import Asked
from wizard.chapters.passthrough.pools import Pool
from wizard.chapters.shared import cards, mlx4_sources
from wizard.chapters.shared.cards import CardAnswers, Match
from wizard.facts.pci.functions import PciFunction
from wizard.formats import mlx4_options
from wizard.model.findings import Finding

CHAPTER = "passthrough"
NUM_VFS = "/sys/module/mlx4_core/parameters/num_vfs"


def findings(asked: Asked) -> list[Finding]:
    pools_of_cards = [pool for pool in asked.mine.pool if not isinstance(pool.devices, list)]
    return [
        found for pool in pools_of_cards for found in (*_of_the_host(asked, pool), *_of_the_other_port(asked, pool))
    ]


def _of_the_host(asked: Asked, pool: Pool) -> list[Finding]:
    """nova knows nothing of probe_vf: a VF that the host uses is handed out like the others, and taken from the host's driver."""
    found = []
    for function in pools.pool_functions(asked.facts, asked.answers, pool):
        kept, count = _kept(asked, function)
        if not kept:
            continue
        found.append(
            Finding(
                code="PASSTHROUGH-HOST-VFS",
                severity="warns",
                chapter=CHAPTER,
                seen=f"the pool {pool.name} holds all {count} VFs of {function.address}, and {kept} of them are the host's own",
                why="nova knows nothing of host_vfs: a guest may get a VF that the host uses, and the host loses it.",
                do="Name the guests' VFs one by one, as devices of the pool with their addresses"
                + (" (for ports: exclude_devices in the SR-IOV agent's file, too)." if pool.physical_network else "."),
            )
        )
    return found


def _kept(asked: Asked, function: PciFunction) -> tuple[int, int]:
    """How many VFs of a PF the host keeps, of how many."""
    answered = asked.answers.of(CardAnswers)
    if answered is not None:
        for request in cards.requests(answered, asked.facts.pci):
            if request.function.address == function.address:
                return min(request.card.host_vfs, request.count), request.count
        return 0, 0
    vfs = [f for f in asked.facts.pci.functions if f.physical_function == function.address]
    return sum(vf.driver == "mlx4_core" for vf in vfs), len(vfs)


def _of_the_other_port(asked: Asked, pool: Pool) -> list[Finding]:
    """Both ports of a ConnectX-3 are one PCI function: a line that names it holds the VFs of either (mlx4 main.c, num_vfs)."""
    if pool.physical_network is None or not isinstance(pool.cards, Match):
        return []
    found = []
    for function in cards.select(pool.cards, asked.facts.pci):
        port = _port(pool.cards, function)
        if not function.card_family.ports_share_function or port is None:
            continue
        said = coming(asked, function)
        by_port = mlx4_options.by_port(said) or (mlx4_options.kinds_by_card(said) or {}).get(function.address)
        if by_port is None or not by_port[2 - port]:
            continue
        found.append(
            Finding(
                code="PASSTHROUGH-NOT-APART",
                severity="blocks",
                chapter=CHAPTER,
                seen=f"the pool {pool.name} names port {port} of {function.address}, and num_vfs = {said} puts "
                f"{by_port[2 - port]} VFs on the other port",
                why="Both ports are one PCI function, and nova knows its address alone: the VFs of the other port go to "
                f"{pool.physical_network}, too, with that port's cable.",
                do="Name the VFs of the port one by one, as devices of the pool with their addresses (port 1 has the first), and those "
                "of the other port in exclude_devices of the SR-IOV agent's file; or give the other port no VFs.",
            )
        )
    return found


def coming(asked: Asked, function: PciFunction) -> str:
    """num_vfs as it will be: what is set stays as it is written where it says the number that is asked for; else that number, whose
    VFs are of both ports. Where nothing is asked of the card and nothing is set, what runs: an initramfs may hold it. Empty for none.
    """
    is_set = mlx4_sources.Mlx4Options.read(asked.facts).lasting.get("num_vfs")
    answered = asked.answers.of(CardAnswers)
    requests = cards.requests(answered, asked.facts.pci) if answered is not None else []
    count = next((each.count for each in requests if each.function.address == function.address), None)
    if count is not None:
        stays = is_set is not None and mlx4_options.number(is_set, function.address) == count
        return is_set or "" if stays else str(count or "")
    if is_set is not None:
        return is_set
    return (asked.facts.content(NUM_VFS) or b"").decode("ascii", "replace").strip()


def _port(match: Match, function: PciFunction) -> int | None:
    """The port that a match by an interface or its address means; None where it is the whole card."""
    if len(function.netdevs) != 2 or (match.netdev is None and match.mac is None):
        return None
    named = [
        number
        for number, device in enumerate(function.netdevs, 1)
        if match.netdev == device.name or (match.mac is not None and match.mac in (device.own, device.mac))
    ]
    return named[0] if len(named) == 1 else None
