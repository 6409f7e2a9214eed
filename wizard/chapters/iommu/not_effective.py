"""Why kernel arguments are not in effect after the reboot that was to bring them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from wizard.facts.bootloaders.loader import BootEntry
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments


def arguments(facts: Facts, words: Sequence[str]) -> tuple[str, str]:
    """For arguments that the boot menu holds and the running kernel was not given: what was seen, and what to do."""
    line = facts.iommu.command_line
    missing = " ".join(kernel_arguments.missing(line, words))
    if not missing:
        return (
            f"/proc/cmdline is {line}: it holds what was asked for, and the kernel made something else of it",
            "Look for another argument on that line that has the last word, and at `dmesg | grep -i iommu`.",
        )
    held = (
        f"{facts.boot.generated or facts.boot.loader.asked or 'the boot menu'} holds {missing}, /proc/cmdline does not"
    )
    if facts.boot.loader.line_file:
        return (
            f"{held}: another entry was booted, or the line was edited in the menu",
            "Look at `bootctl list` and `bootctl status` for the entry that was selected, and at `efibootmgr -v` for the loader.",
        )
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
