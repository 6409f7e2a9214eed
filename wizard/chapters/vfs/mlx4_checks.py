"""Whether ConnectX-3 cards have, and will have, what the module's options ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wizard.chapters.shared import advice, mlx4_sources
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import mlx4, not_effective
from wizard.chapters.vfs.vf_driver import CHAPTER
from wizard.facts.facts import Facts
from wizard.model.findings import Check, Remedy


def initramfs(facts: Facts, requests: Sequence[Request]) -> list[Check]:
    """Whether each initramfs holds the option files as they are."""
    if not any(request.count for request in requests) or facts.boot.initramfs not in mlx4.REBUILD:
        return []
    counted = [path for path, sha in mlx4.initramfs_files(facts, {}).items() if sha is not None]
    if not counted and facts.initramfs_copies is not None and not mlx4.initramfs_lacks(facts, {}):
        return []  # no file sets anything: there is nothing to be held, and the number of VFs is a check of its own
    what = f"Each initramfs holds {' and '.join(counted) or f'no other options of {mlx4_sources.MODULE}'}"
    if facts.initramfs_copies is None:
        return [Check(CHAPTER, what, "unknown", "an image could not be looked into", advice.of_node(facts))]
    stale = mlx4.initramfs_lacks(facts, {})
    if stale:
        return [Check(CHAPTER, what, "failed", stale, "Do not reboot yet: run plan, then apply.")]
    images = {image for image, _, _ in facts.initramfs_copies}
    return [
        Check(
            CHAPTER,
            what,
            "held",
            ", ".join(sorted(images)) or "no image holds files of modprobe.d: read after the switch",
        )
    ]


def not_yet(facts: Facts, request: Request, what: str, seen: str) -> Check | None:
    """Where the option asks for the number that is not there, or for none; else None."""
    if mlx4.kept(facts, [request]) is not None:
        return _promised(facts, what, seen, lambda: not_effective.vfs(facts, request.function, request.count))
    if not request.count and _none_at_boot(facts):
        return Check(CHAPTER, what, "pending", f"{seen}; no option asks for VFs", "Reboot, then verify again.")
    return None


def _none_at_boot(facts: Facts) -> bool:
    """Whether VFs of ConnectX-3 that are there go with the next boot, which has not been yet."""
    asked = mlx4_sources.Mlx4Options.read(facts).last_word("num_vfs") or mlx4.initramfs_lacks(facts, {})
    return not asked and not facts.history.rebooted_since(CHAPTER, facts.system.boot_id)


def ports(facts: Facts, request: Request) -> Check:
    """Whether the ports came up as they were asked to: the driver makes something else of what the card or the firmware refuses."""
    function, wanted = request.function, mlx4.wanted_ports(request)
    what = f"The ports of {function.address} are {' and '.join(dict.fromkeys(wanted))}"
    if not function.port_types:
        return Check(
            CHAPTER,
            what,
            "unknown",
            f"there is no mlx4_port1: {mlx4_sources.MODULE} does not drive the card",
            "Reboot, then verify again.",
        )
    now = tuple(mlx4.KINDS.get(word, word) for word in function.port_types)
    seen = ", ".join(f"mlx4_port{number} is {word}" for number, word in enumerate(function.port_types, 1))
    if now == wanted:
        return Check(CHAPTER, what, "held", seen)
    if mlx4_sources.Mlx4Options.read(facts).parameters.get(mlx4.PORTS) == mlx4.port_types(request):
        return _promised(facts, what, seen, lambda: not_effective.ports(facts, function, seen))
    return Check(CHAPTER, what, "failed", seen, Remedy.RUN_PLAN)


def _promised(facts: Facts, what: str, seen: str, why_not: Callable[[], tuple[str, str]]) -> Check:
    """What the module option already asks for, and is not so now; `why_not` is asked where a reboot should have brought it."""
    stale = mlx4.initramfs_lacks(facts, {})
    if stale:
        return Check(
            CHAPTER, what, "failed", f"{seen}; {stale}", "Run plan, then apply: the initramfs has to be rebuilt."
        )
    if facts.history.rebooted_since(CHAPTER, facts.system.boot_id):
        return Check(CHAPTER, what, "failed", *why_not())
    return Check(CHAPTER, what, "pending", f"{seen}; the module option is in place", "Reboot, then verify again.")
