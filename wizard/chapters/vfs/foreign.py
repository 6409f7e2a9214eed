"""VFs that others make."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import vf_owners
from wizard.chapters.vfs.drivers import driver_of, shared_out
from wizard.facts.facts import Facts


def vfs_of(facts: Facts, request: Request) -> list[str]:
    """For a card whose count is 0: who gives it VFs."""
    return [] if request.count else driver_of(request.function).set_by_others(facts, request)


def doubts(facts: Facts, request: Request) -> list[str]:
    """For a card whose count is 0: what may give it VFs and cannot be followed."""
    return [] if request.count else driver_of(request.function).perhaps_set_by_others(facts, request)


def vfs_unnamed(facts: Facts, requests: Sequence[Request]) -> list[str]:
    """For cards that the answers do not name, beside those that they do."""
    asked = {request.function.address for request in requests}
    with_those = [
        driver for driver, _ in shared_out(requests) if driver.one_for_all
    ]  # told with the cards that are named
    found: list[str] = []
    for function in facts.pci.functions:
        if function.is_vf or function.offer == "none" or function.address in asked:
            continue
        driver = driver_of(function)
        if driver not in with_those:
            found += driver.owners(facts, function)
    told = {str(owner) for request in requests for owner in vf_owners.of(facts, request.function)}
    return [place for place in dict.fromkeys(found) if place not in told]
