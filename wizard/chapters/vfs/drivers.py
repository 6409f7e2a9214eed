"""The ways to make VFs, each with the families of cards it is for."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs.mlx4_driver import Mlx4
from wizard.chapters.vfs.sysfs_driver import Sysfs
from wizard.chapters.vfs.vf_driver import VfDriver
from wizard.facts.pci.functions import PciFunction

DRIVERS: tuple[VfDriver, ...] = (Mlx4(), Sysfs())
"""In the order of their changes and findings. A test holds them against the families of `wizard/facts/pci/families.py`."""


def driver_of(function: PciFunction) -> VfDriver:
    """The way in which this function gets its VFs."""
    name = function.card_family.name
    return next(driver for driver in DRIVERS if name in driver.families)


def shared_out(requests: Sequence[Request]) -> list[tuple[VfDriver, list[Request]]]:
    """Each driver with its requests, in their order; those that have none are left out."""
    shares = [(driver, [each for each in requests if driver_of(each.function) is driver]) for driver in DRIVERS]
    return [(driver, own) for driver, own in shares if own]
