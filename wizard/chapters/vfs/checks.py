"""Whether the cards have the VFs that are asked for, and are what they were asked to be, now and after the next boot."""

from __future__ import annotations

from collections.abc import Callable

from wizard.chapters.shared import advice, mlx4_sources
from wizard.chapters.shared import foreign as set_elsewhere
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import firmware as vfs_firmware_findings
from wizard.chapters.vfs import foreign, mlx4, next_driver, not_effective, sriov, vf_owners
from wizard.facts.facts import Facts
from wizard.model.findings import Check

CHAPTER = "vfs"


def checks(facts: Facts, requests: list[Request]) -> list[Check]:
    found = _initramfs(facts, [each for each in requests if each.function.family == "mlx4"])
    for request in requests:
        if elsewhere := foreign.vfs_of(facts, request):
            found += set_elsewhere.checks(CHAPTER, f"{request.function.address} gets no VFs from this tool", elsewhere)
            continue
        if (
            not request.count
            and sriov.configured(facts, request.function) is None
            and request.function.family != "mlx4"
        ):
            continue  # nothing is wanted of it, and nothing there is ours
        found.append(_now(facts, request))
        if mlx4.wanted_ports(request):
            found.append(_ports(facts, request))
        if request.function.family != "mlx4" and request.count:
            found.append(_at_boot(facts, request))
    return found


def _initramfs(facts: Facts, requests: list[Request]) -> list[Check]:
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


def _now(facts: Facts, request: Request) -> Check:
    function = request.function
    what = f"{function.address} has {request.count} VFs"
    seen = f"sriov_numvfs is {function.num_vfs}"
    if (function.num_vfs or 0) == request.count and (request.count == 0 or function.total_vfs is not None):
        return Check(CHAPTER, what, "held", seen)
    if not facts.live and not facts.simulated and function.num_vfs is None:
        return Check(CHAPTER, what, "unknown", "not a running system")
    if function.family == "mlx4" and mlx4.kept(facts, [request]) is not None:
        return _promised(facts, what, seen, lambda: not_effective.vfs(facts, function, request.count))
    if function.family == "mlx4" and not request.count and _none_at_boot(facts):
        return Check(CHAPTER, what, "pending", f"{seen}; no option asks for VFs", "Reboot, then verify again.")
    if vfs_firmware_findings.waits(facts, request) == "boot" and _set_at_boot(facts, request):
        seen += f" of at most {function.total_vfs or 0}; the firmware is set to more, and waits for a reset of the card"
        do = "Reboot, then verify again. Where a reboot did not bring it, switch the node off and on."
        return Check(CHAPTER, what, "pending", seen, do)
    return Check(CHAPTER, what, "failed", seen, "Run plan, then apply.")


def _none_at_boot(facts: Facts) -> bool:
    """Whether VFs of ConnectX-3 that are there go with the next boot, which has not been yet."""
    asked = mlx4_sources.last_word(facts, "num_vfs") or mlx4.initramfs_lacks(facts, {})
    return not asked and not facts.history.rebooted_since(CHAPTER, facts.system.boot_id)


def _set_at_boot(facts: Facts, request: Request) -> bool:
    """Whether the next boot is to make as many, by whoever does it."""
    return request.function.family == "mlx4" or _at_boot(facts, request).state == "held"


def _ports(facts: Facts, request: Request) -> Check:
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
    if mlx4_sources.parameters(facts).get(mlx4.PORTS) == mlx4.port_types(request):
        return _promised(facts, what, seen, lambda: not_effective.ports(facts, function, seen))
    return Check(CHAPTER, what, "failed", seen, "Run plan, then apply.")


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


def _at_boot(facts: Facts, request: Request) -> Check:
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
        return Check(CHAPTER, what, "failed", seen, "Run plan, then apply.")
    if sriov.configured(facts, request.function) == request.count and sriov.enabled(facts, request.function):
        return Check(CHAPTER, what, "held", sriov.boot_path(facts, request.function))
    return Check(CHAPTER, what, "failed", "no enabled unit of this tool sets them", "Run plan, then apply.")
