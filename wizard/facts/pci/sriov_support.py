"""Whether a PCI function can have VFs, and why not.

The kernel shows sriov_totalvfs for every function whose SR-IOV capability counts VFs, bound to a driver or not
(drivers/pci/iov.c, `sriov_init`, and pci-sysfs.c). Where it is missing, the capability itself tells more: for root only.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from wizard.errors import NodeError
from wizard.facts.pci import config_space
from wizard.facts.pci.config_space import SriovCapability
from wizard.facts.pci.directory import Place
from wizard.facts.pci.families import card_family
from wizard.facts.pci.ids import MELLANOX, VFS, recovery_model
from wizard.regex import regex

Offer = Literal["offered", "off", "none", "unknown"]


class NoVfs(str, Enum):
    """Why a function has no VFs to offer: what is advised follows from this, never from the sentence that is shown."""

    NOTHING = ""  # it offers them
    IS_VF = "is-vf"
    NOT_ABLE = "not-able"
    RECOVERY = "recovery"  # flash recovery mode: the card has no firmware that works
    FIRMWARE = "firmware"  # a Mellanox card: SRIOV_EN, NUM_OF_VFS
    FIRMWARE_OF_OTHERS = "firmware-of-others"  # another maker's card: its own tool, or the BIOS
    KERNEL = "kernel"  # the card offers them, and the kernel does not
    NO_DRIVER = "no-driver"
    HELD = "held"  # by vfio-pci and its like
    UNKNOWN = "unknown"


_HOLDERS = regex(r".*vfio.*|pci-stub|uio_pci_generic|igb_uio|pciback")
Answer = tuple[Offer, str, NoVfs]
_FIRMWARE = "SR-IOV is switched off in its firmware (SRIOV_EN, NUM_OF_VFS): mstconfig can switch it on"
_NOT_ABLE = "it has no SR-IOV capability"


def offer(place: Place, driver: str | None, total: int | None, has_iov: bool) -> Answer:
    """What it offers, and a sentence on why it has no VFs, empty where it can have them.

    `total` is sriov_totalvfs; `has_iov` tells that this kernel shows SR-IOV at all, because some function has it.
    """
    if place.is_vf:
        return "none", f"it is a VF itself, of {place.link_name('physfn') or 'another function'}", NoVfs.IS_VF
    if recovery_model(*place.ids) is not None:
        return "off", "the card is in flash recovery mode: its firmware has to be burnt again", NoVfs.RECOVERY
    if "sriov_totalvfs" not in place.names:
        return _without(place, has_iov)
    if total is None:
        return "unknown", "sriov_totalvfs cannot be read", NoVfs.UNKNOWN
    if total <= 0:
        if place.is_card:
            return "off", _FIRMWARE, NoVfs.FIRMWARE
        return "off", "its firmware or its driver allows no VFs", NoVfs.FIRMWARE_OF_OTHERS
    if driver is None:
        module = card_family(*place.ids).driver or "its driver"
        return "off", f"no driver is bound to it, and VFs are made by the driver: load {module}", NoVfs.NO_DRIVER
    if _HOLDERS.fullmatch(driver):
        why = f"the driver {driver} holds the whole card, for a guest or a program, and makes no VFs"
        return "off", why, NoVfs.HELD
    return "offered", "", NoVfs.NOTHING


def _without(place: Place, has_iov: bool) -> Answer:
    """No sriov_* files: not able, switched off, hidden by the BIOS, or a kernel without CONFIG_PCI_IOV."""
    if place.vendor == MELLANOX and place.device in VFS:
        return "none", "it is a VF, handed on to this machine from outside", NoVfs.IS_VF
    if not place.is_network and not place.is_card:
        return "none", _NOT_ABLE, NoVfs.NOT_ABLE
    config = _config(place)
    if config_space.is_whole(config):
        return _by_capability(place, config_space.sriov_capability(config), has_iov)
    if place.is_card:
        iov = "" if has_iov else ", or the kernel has no CONFIG_PCI_IOV or is older than 3.8"
        return "off", f"{_FIRMWARE}; or the BIOS hides it{iov} (as root, more can be seen)", NoVfs.FIRMWARE
    if place.size("config") == 256:
        return "none", _NOT_ABLE, NoVfs.NOT_ABLE
    return "unknown", "only root can see whether it has an SR-IOV capability that is switched off", NoVfs.UNKNOWN


def _config(place: Place) -> bytes:
    try:
        return place.content("config") if "config" in place.names else b""
    except NodeError:
        return b""


def _by_capability(place: Place, capability: SriovCapability | None, has_iov: bool) -> Answer:
    if capability is None:
        if place.is_card:
            return "off", f"{_FIRMWARE}; or the BIOS hides it", NoVfs.FIRMWARE
        return "none", _NOT_ABLE, NoVfs.NOT_ABLE
    if capability.total_vfs == 0:
        if place.is_card:
            return "off", _FIRMWARE, NoVfs.FIRMWARE
        return "off", "its firmware or the BIOS has its VFs switched off", NoVfs.FIRMWARE_OF_OTHERS
    offers = f"the card offers {capability.total_vfs} VFs, but the kernel does not"
    if not has_iov:
        return "off", f"{offers}: it is probably built without CONFIG_PCI_IOV", NoVfs.KERNEL
    return "off", f"{offers}: see dmesg on {place.address}, and SR-IOV in the BIOS", NoVfs.KERNEL
