"""Why the kernel refused a number of VFs, and what helps: strerror alone names neither.

Sources: drivers/pci/iov.c (sriov_numvfs_store, sriov_enable), drivers/net/ethernet/*/…sriov*.c.
"""

from __future__ import annotations

import errno
import os
import posixpath

_BIOS = (
    "Switch on SR-IOV (and above 4G decoding, ARI) in the BIOS set-up, or boot with pci=realloc; fewer VFs need less."
)
_CAUSES: dict[int, tuple[str, str]] = {
    errno.ENOMEM: (
        "there is not enough MMIO space for the VFs' registers, or not enough bus numbers (dmesg: `not enough MMIO resources for "
        "SR-IOV`, `bus … out of range`)",
        _BIOS,
    ),
    errno.ENOSPC: (
        "a resource has run out: the card's own (queues, interrupts, VFs of another function), or the bridges' space above it",
        f"Ask for fewer VFs, or take some from the card's other port. {_BIOS}",
    ),
    errno.EBUSY: (
        "the card has another number of VFs already, or its driver or firmware is busy with them",
        "Look who else sets them (`compute-wizard check`), and whether VFs are in use; then run plan again.",
    ),
    errno.ERANGE: (
        "that is more than the card offers (sriov_totalvfs)",
        "Ask for fewer, or raise NUM_OF_VFS in its firmware and reboot.",
    ),
    errno.ENOENT: (
        "no driver is bound to the card, or its driver makes no VFs by sysfs",
        "Load its driver; see dmesg. A ConnectX-3 takes its VFs from an option of mlx4_core.",
    ),
    errno.ENOSYS: (
        "its driver makes no VFs by sysfs",
        "A ConnectX-3 takes its VFs from an option of mlx4_core; of others, take a newer driver.",
    ),
    errno.EIO: (
        "the card's firmware refused them",
        "See dmesg; where its firmware was set anew, switch the node off and on first.",
    ),
    errno.EINVAL: (
        "the driver refused that number: it is above its own limit, the interface is down (bnx2x, bnxt_en), or the firmware has "
        "SR-IOV off",
        "See dmesg. Set the interface up (ip link set dev NAME up), or ask for fewer.",
    ),
    errno.EOPNOTSUPP: (
        "the driver does not change VFs in the state that it is in: in switchdev mode, or with offloads or XDP in use",
        "Look at `devlink dev eswitch show pci/ADDRESS`; take the VFs to 0 in legacy mode first, then switch the mode.",
    ),
    errno.EPERM: ("the driver or a lockdown of the kernel forbids it", "See dmesg, and /sys/kernel/security/lockdown."),
    errno.EAGAIN: ("the card is being reset, or its driver is still starting", "Wait a minute, and run plan again."),
    errno.ENODEV: ("the card does not answer", "See dmesg: it may have been reset, or removed from the bus."),
}
_NAMES = {os.strerror(number): number for number in _CAUSES}
_SILENT = (
    "the driver took the number and made none: bnxt_en does so while its interface is down (dmesg: `Reject SRIOV config request since "
    "if is down`)"
)


def refused(path: str, value: str, said: str) -> str:
    """What stands beside the kernel's word for a write of `value`; empty for another attribute or word."""
    number = _NAMES.get(said.strip())
    if posixpath.basename(path) != "sriov_numvfs" or number is None:
        return ""
    cause, remedy = _CAUSES[number]
    if value == "0" and number == errno.EBUSY:
        cause, remedy = "a VF is in use", "Move the guests away from the card's VFs, then run plan again."
    return f": {cause}. {remedy.replace('ADDRESS', posixpath.basename(posixpath.dirname(path)))}"


def not_taken(path: str, value: str, now: str) -> str:
    """The same for a write that was taken and changed nothing."""
    if posixpath.basename(path) != "sriov_numvfs" or value == "0" or now != "0":
        return ""
    return f": {_SILENT}. Set the interface up (ip link set dev NAME up), then run plan again."
