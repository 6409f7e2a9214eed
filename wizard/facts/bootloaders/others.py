"""Boot loaders whose line this tool does not change: it says what is to be added, and where."""

from __future__ import annotations

import re
from typing import get_args

from wizard.facts import boot_evidence
from wizard.facts.bootloaders import kernel_install
from wizard.facts.bootloaders.kernel_install import CMDLINE
from wizard.facts.bootloaders.loader import BootLoader, HandWay, Way
from wizard.facts.system import SystemFacts
from wizard.node.node import Node

PARTITIONS = "/etc/kernel/proxmox-boot-uuids"
LOADER_SETTINGS = "/etc/sysconfig/bootloader"
EXTLINUX = "/boot/extlinux/extlinux.conf"
BY_HAND: tuple[HandWay, ...] = get_args(HandWay)


class ByHand(BootLoader):
    """One that is recognized, and no more."""

    def __init__(self, name: HandWay) -> None:
        self.name = name

    def sources(self, node: Node) -> tuple[str, ...]:
        own = self.name in ("systemd-boot", "unified-image") and node.exists(CMDLINE)
        return (CMDLINE,) if own else ()


def own_tool(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    """Systems whose own tool makes the entries, whatever else is installed."""
    if node.command("proxmox-boot-tool") and _has_partitions(node):
        return "proxmox-boot-tool", "proxmox-boot-tool makes the boot entries here"
    if node.command("zipl") and node.exists("/etc/zipl.conf"):  # grubby changes its entries, and writes no boot record
        return "zipl", "zipl makes the boot record here (/etc/zipl.conf)"
    if node.command("kernelstub") and "BOOT_IMAGE=" not in (
        node.text("/proc/cmdline") or ""
    ):  # else GRUB booted this kernel
        return "kernelstub", "kernelstub makes the boot entries here"
    return None


def _has_partitions(node: Node) -> bool:
    """Whether proxmox-boot-tool looks after any boot partition: their list is empty where it was only installed. An old recording
    has its name alone."""
    return node.exists(PARTITIONS) and bool(not node.live or (node.text(PARTITIONS) or "").strip())


def suse(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    kind = re.findall(r"^LOADER_TYPE=[\"']?([\w-]*)", node.text(LOADER_SETTINGS) or "", re.MULTILINE)
    by_entries = not kind or kind[-1] not in ("grub2", "grub2-efi")
    by_grub = "BOOT_IMAGE=" in (node.text("/proc/cmdline") or "")
    if node.command("sdbootutil") and by_entries and (kind or not by_grub):  # it serves grub2-bls, too
        return "sdbootutil", "sdbootutil makes the boot entries here"
    if {"suse", "opensuse"} & set(system.os_like) and node.exists(LOADER_SETTINGS):
        return "update-bootloader", f"{LOADER_SETTINGS}: update-bootloader makes the boot entries here"
    return None


def booted_this_kernel(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    """What the firmware or the running line say: a GRUB that only lies there makes no next boot."""
    evidence, by = boot_evidence.not_grub(node)
    if by == "systemd-boot":
        return _systemd_boot(node, evidence)
    if by == "unified-image":
        return "unified-image", evidence
    if by:
        return _extlinux(node, system) or ("unknown", evidence)
    return None


def without_grub(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    """Where neither GRUB nor evidence of another loader was found: what is installed."""
    if node.exists(CMDLINE):
        return _systemd_boot(node, f"systemd-boot: {CMDLINE} is here, and no GRUB in use")
    return _extlinux(node, system)


def _systemd_boot(node: Node, evidence: str) -> tuple[Way, str]:
    obstacle = kernel_install.obstacle(node)
    if obstacle:
        return "systemd-boot", f"{evidence}; its entries are not made by this tool: {obstacle}"
    return "kernel-install", f"{evidence}; kernel-install makes its entries of {CMDLINE}"


def _extlinux(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    if not node.exists(EXTLINUX):
        return None
    if node.command("u-boot-update"):
        return "u-boot-menu", f"{EXTLINUX} is here, and u-boot-update makes it"
    return "extlinux", f"{EXTLINUX} is here, and no GRUB in use"
