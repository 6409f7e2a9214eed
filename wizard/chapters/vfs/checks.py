"""Whether the cards have the VFs that are asked for, and are what they were asked to be, now and after the next boot."""

from __future__ import annotations

from wizard.chapters.shared import foreign as set_elsewhere
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import firmware, foreign
from wizard.chapters.vfs.drivers import driver_of, shared_out
from wizard.chapters.vfs.vf_driver import CHAPTER
from wizard.facts.facts import Facts
from wizard.model.findings import Check, Remedy


def checks(facts: Facts, requests: list[Request]) -> list[Check]:
    found = [check for driver, own in shared_out(requests) for check in driver.checks_of_all(facts, own)]
    for request in requests:
        driver = driver_of(request.function)
        elsewhere, doubts = foreign.vfs_of(facts, request), foreign.doubts(facts, request)
        what = f"{request.function.address} gets no VFs from this tool"
        found += set_elsewhere.checks(CHAPTER, what, elsewhere, doubts)
        if not elsewhere and not driver.is_idle(facts, request):
            found += [_now(facts, request), *driver.checks(facts, request)]
    return found


def _now(facts: Facts, request: Request) -> Check:
    function = request.function
    what = f"{function.address} has {request.count} VFs"
    seen = f"sriov_numvfs is {function.num_vfs}"
    if (function.num_vfs or 0) == request.count and (request.count == 0 or function.total_vfs is not None):
        return Check(CHAPTER, what, "held", seen)
    if not facts.live and not facts.simulated and function.num_vfs is None:
        return Check(CHAPTER, what, "unknown", "not a running system")
    driver = driver_of(function)
    reason = driver.not_yet(facts, request, what, seen)
    if reason is not None:
        return reason
    if firmware.waits(facts, request) == "boot" and driver.set_at_boot(facts, request):
        seen += f" of at most {function.total_vfs or 0}; the firmware is set to more, and waits for a reset of the card"
        do = "Reboot, then verify again. Where a reboot did not bring it, switch the node off and on."
        return Check(CHAPTER, what, "pending", seen, do)
    return Check(CHAPTER, what, "failed", seen, Remedy.RUN_PLAN)
