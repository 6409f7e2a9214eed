"""Why a value is not there after the reboot that was to bring it: which layer dropped it. Another reboot would change nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from wizard import mlx4
from wizard.formats import kernel_arguments, mlx4_options
from wizard.node.bootloader import BootEntry
from wizard.node.facts import Facts
from wizard.node.pci import PciFunction


def arguments(facts: Facts, words: Sequence[str]) -> tuple[str, str]:
    """For arguments that the boot menu holds and the running kernel was not given: what was seen, and what to do."""
    line = facts.iommu.command_line
    missing = " ".join(kernel_arguments.missing(line, words))
    if not missing:
        return (
            f"/proc/cmdline is {line}: it holds what was asked for, and the kernel made something else of it",
            "Look for another argument on that line that has the last word, and at `dmesg | grep -i iommu`.",
        )
    held = f"{facts.boot.generated or 'the boot menu'} holds {missing}, /proc/cmdline does not"
    booted = next(iter(kernel_arguments.values(line, "BOOT_IMAGE")), "")
    saved = f" ({facts.boot.saved_entry} in GRUB's environment)" if facts.boot.saved_entry else ""
    if not booted:
        return (
            f"{held}: the line has no BOOT_IMAGE, so it was not GRUB that booted this kernel",
            "Look at `efibootmgr -v` and the boot order in the BIOS: make GRUB boot this node, or add the arguments there.",
        )
    entries = [entry for entry in facts.boot.entries or () if _same_image(entry, booted)]
    if facts.boot.entries is not None and not entries:
        return (
            f"{held}: {booted} was booted, which is in no entry of {facts.boot.generated}: another disk's or loader's menu",
            f"Find the menu that lists {booted} (`efibootmgr -v`, the boot order in the BIOS), and boot this one{saved}.",
        )
    if "single" in line.split() or "recovery" in line.split():
        return (
            f"{held}: a recovery entry was booted{saved}, which lacks them by intention",
            "Choose the normal entry in the boot menu, or take the saved choice away: `grub-editenv - unset saved_entry`.",
        )
    titles = ", ".join(repr(entry.title) for entry in entries if not entry.recovery)
    return (
        f"{held}: {booted} was booted, as {titles or 'no entry that is known'} would{saved}, with another line",
        "Another grub.cfg (an EFI partition's, another disk's), a line edited in the menu, or kexec, which passes the menu by: "
        "compare `efibootmgr -v` and the menu that comes up with the file above.",
    )


def _same_image(entry: BootEntry, booted: str) -> bool:
    """Whether an entry boots this image: GRUB says its path on its own partition, with (hd0,gpt2) before it at times."""
    image = entry.image.split()[0] if entry.image else ""
    return posixpath.basename(image) == posixpath.basename(booted)


def iommu(facts: Facts) -> tuple[str, str]:
    """For an IOMMU that is off although the kernel was told: what was seen, and what to do."""
    return (
        f"/proc/cmdline is {facts.iommu.command_line}, and /sys/kernel/iommu_groups is empty: the kernel or the firmware "
        "dropped it",
        "Look at `dmesg | grep -i -e DMAR -e AMD-Vi -e IOMMU`: the BIOS may offer it for no device, or the table is damaged.",
    )


def vfs(facts: Facts, function: PciFunction, wanted: int) -> tuple[str, str]:
    """For VFs of an mlx4 card that the option file and the initramfs promise: what was seen, and what to do."""
    content = facts.content(f"{mlx4.PARAMETERS}/num_vfs")
    given = (content or b"").decode("ascii", "replace").strip()  # empty where the module was given none
    seen = f"sriov_numvfs is {function.num_vfs}"
    on_line = _on_line(facts, "num_vfs")
    if on_line:
        return (
            f"{seen}: {on_line}",
            "Take it away where it is set; it is the way to boot without VFs, and somebody may have chosen it.",
        )
    if content is None:
        return (
            f"{seen}: {mlx4.MODULE} is not loaded",
            f"Look at `dmesg | grep {mlx4.MODULE}` and for a blacklist of it.",
        )
    if mlx4_options.number(given, function.address) != wanted:
        return (
            f"{seen}: {mlx4.MODULE} was loaded with {f'num_vfs={given}' if given else 'no num_vfs'}, "
            f"{mlx4.said_in(facts, 'num_vfs')} says {wanted}",
            f"Another initramfs was booted, or the module was loaded with other options: /proc/cmdline names "
            f"{' '.join(kernel_arguments.values(facts.iommu.command_line, 'BOOT_IMAGE')) or 'no image'}; see `dmesg | grep "
            f"{mlx4.MODULE}`.",
        )
    return (
        f"{seen}: {mlx4.MODULE} was loaded with num_vfs={given}, and the card did not get them",
        f"The firmware or the BIOS dropped it: see `dmesg | grep {mlx4.MODULE}` (requested vfs, not enough MMIO resources).",
    )


def ports(facts: Facts, function: PciFunction, seen: str) -> tuple[str, str]:
    """For ports of an mlx4 card that came up as something else (`seen`) than the option file and the initramfs ask for."""
    on_line = _on_line(facts, mlx4.PORTS)
    if on_line:
        return f"{seen}: {on_line}", "Take it away where it is set, or answer the ports as they are."
    later = mlx4.set_by_rdma(facts, function)
    if later is not None:
        return (
            f"{seen}: set after the driver by {later}",
            "Take that line away, or write there what is wanted: rdma-core sets the ports when the module is loaded.",
        )
    asked = mlx4.parameters(facts).get(mlx4.PORTS, "")
    given = (facts.content(f"{mlx4.PARAMETERS}/{mlx4.PORTS}") or b"").decode("ascii", "replace").strip()
    if given and given != asked:
        return (
            f"{seen}: {mlx4.MODULE} was loaded with {mlx4.PORTS}={given}, {mlx4.said_in(facts, mlx4.PORTS)} says {asked}",
            f"Another initramfs was booted, or the module was loaded with other options: see `dmesg | grep {mlx4.MODULE}`.",
        )
    return (
        f"{seen}: {mlx4.MODULE} was told {asked}, and the card did not take it",
        f"The firmware may fix the kind of its ports: mstconfig -d {function.address} query LINK_TYPE_P1 LINK_TYPE_P2 (1 "
        f"InfiniBand, 2 Ethernet, 3 both); see also `dmesg | grep {mlx4.MODULE}`.",
    )


def _on_line(facts: Facts, parameter: str) -> str:
    """A sentence about an option of mlx4_core on the running kernel's command line; empty where there is none."""
    name = f"{mlx4.MODULE}.{parameter}"
    words = [word for word in facts.iommu.command_line.split() if kernel_arguments.key(word) == name]
    return f"the kernel's command line holds {words[-1]}, which goes before the files of modprobe.d" if words else ""
