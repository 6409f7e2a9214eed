"""VFs that others make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wizard.chapters.shared import mlx4_sources
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import mlx4, vf_owners
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.formats import modprobe


def vfs_of(facts: Facts, request: Request) -> list[str]:
    """For a card whose count is 0: options of mlx4_core, which count for every card of it; else another owner of its number."""
    if request.count:
        return []
    if request.function.family != "mlx4":
        return _owners(facts, request.function)
    edits = mlx4.changes(facts, [request]).edits
    return mlx4_options(facts, {edit.path: edit.change(facts.content(edit.path)) for edit in edits})


def mlx4_options(facts: Facts, overlay: Mapping[str, bytes | None]) -> list[str]:
    """num_vfs as mlx4_core will be loaded with it, unless that is 0: of the files, and of what comes after them."""
    found = [
        f"{each.place}: {mlx4_sources.MODULE}.num_vfs={each.options['num_vfs']}"
        for each in mlx4_sources.later(facts, overlay)
        if each.options.get("num_vfs", "0") != "0"
    ]
    places = modprobe.places(mlx4_sources.files(facts, overlay), mlx4_sources.MODULE, "num_vfs")
    if places and places[-1][2].partition("=")[2].strip('"') != "0":
        path, number, word = places[-1]
        found.append(f"{path} line {number}: options {mlx4_sources.MODULE} {word}")
    return found


def _owners(facts: Facts, function: PciFunction) -> list[str]:
    return [str(owner) for owner in vf_owners.of(facts, function) if owner.count != 0]


def vfs_unnamed(facts: Facts, requests: Sequence[Request]) -> list[str]:
    """For cards that the answers do not name, beside those that they do."""
    asked = {request.function.address for request in requests}
    shared = any(request.function.family == "mlx4" for request in requests)  # one line of options: told with those
    found: list[str] = []
    for function in facts.pci.functions:
        if function.is_vf or function.offer == "none" or function.address in asked:
            continue
        if function.family != "mlx4":
            found += _owners(facts, function)
        elif not shared:
            found += mlx4_options(facts, {})
    told = {str(owner) for request in requests for owner in vf_owners.of(facts, request.function)}
    return [place for place in dict.fromkeys(found) if place not in told]
