"""Who else sets VFs at boot on this node. `owners.table` lists the mechanisms.

A number has one owner. Where somebody else certainly sets it, this tool sets nothing at boot: it leaves the card to them, if their
number is the wanted one, and else says what to put there. Where that cannot be determined, it warns, and goes on as if nobody did.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Owner
from wizard.chapters.vfs.owners.table import READERS
from wizard.chapters.vfs.owners.view import LONGEST, View
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.node.files import Files

__all__ = ["LONGEST", "Owner", "doubtful", "find", "idle", "of"]

_FOUND: WeakKeyDictionary[Files, list[Owner]] = WeakKeyDictionary()  # asked for each card, many times a plan


def find(facts: Facts) -> list[Owner]:
    """Every such line that may be read, each once: a directory may be a link to another."""
    if facts.files not in _FOUND:
        _FOUND[facts.files] = _find(facts)
    return list(_FOUND[facts.files])


def _find(facts: Facts) -> list[Owner]:
    view = View(facts)
    found: dict[tuple[str, int, str, int | None, tuple[str, ...]], Owner] = {}
    for read in READERS.values():
        for owner in read(view):
            real = facts.files.destination(owner.path) or owner.path
            meant = tuple(address for address, verdict in owner.aim.items() if verdict is YES)
            found.setdefault((real, owner.line, owner.program, owner.count, meant), owner)
    return list(found.values())


def of(facts: Facts, function: PciFunction) -> list[Owner]:
    """Those that certainly set the VFs of this function at boot."""
    return [owner for owner in find(facts) if owner.means(function.address) is YES]


def doubtful(facts: Facts, function: PciFunction) -> list[Owner]:
    """Those of which it cannot be determined whether they do."""
    return [owner for owner in find(facts) if owner.means(function.address) is UNKNOWN]


def idle(facts: Facts, function: PciFunction) -> list[Owner]:
    """Those that mean this function, and that nothing reads or runs."""
    return [
        owner
        for owner in find(facts)
        if owner.runs.verdict is NO and owner.aim.get(function.address) is YES and owner.certain is YES
    ]
