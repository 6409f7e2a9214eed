"""Boot loaders whose line this tool does not change: it says what is to be added, and where."""

from __future__ import annotations

from wizard.facts import boot_evidence
from wizard.facts.bootloaders.loader import KernelEntries, Way
from wizard.facts.system import SystemFacts
from wizard.node.node import Node, Unseen

CMDLINE = "/etc/kernel/cmdline"


class Unknown:
    """No way that is known: the next boot's line cannot be determined."""

    name: Way = "unknown"
    from_sources = False
    in_entries = False

    def sources(self, node: Node) -> tuple[str, ...]:
        return ()

    def generated(self, node: Node) -> str:
        return ""

    def update(self, node: Node, generated: str) -> tuple[str, ...]:
        return ()

    def entries(self, node: Node, unseen: list[Unseen]) -> KernelEntries:
        return KernelEntries()


class SystemdBoot(Unknown):
    """/etc/kernel/cmdline, of which kernel-install makes entries or unified images."""

    name: Way = "systemd-boot"

    def sources(self, node: Node) -> tuple[str, ...]:
        return (CMDLINE,) if node.exists(CMDLINE) else ()


def of_image(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    """Systems whose own tool makes the entries, whatever else is installed."""
    if node.exists("/run/ostree-booted"):
        return "unknown", "/run/ostree-booted: this system's kernel arguments belong to rpm-ostree"
    if node.command("proxmox-boot-tool") and node.exists("/etc/kernel/proxmox-boot-uuids"):
        return "unknown", "proxmox-boot-tool makes the boot entries here"
    return None


def suse(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    if {"suse", "opensuse"} & set(system.os_like) and node.exists("/etc/sysconfig/bootloader"):
        return "unknown", "/etc/sysconfig/bootloader: update-bootloader makes the boot entries here"
    return None


def booted_this_kernel(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    """What the firmware or the running line say: a GRUB that only lies there makes no next boot."""
    other, by_systemd = boot_evidence.not_grub(node)
    if not other:
        return None
    return "systemd-boot" if by_systemd else "unknown", other


def systemd_boot(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    if node.exists(CMDLINE):
        return "systemd-boot", "systemd-boot: /etc/kernel/cmdline is here, and no GRUB in use"
    return None
