"""Nodes that boot by something else than GRUB's menu. Modelled after the documentation of each loader: none was recorded on a machine."""

from __future__ import annotations

from collections.abc import Sequence

from nodes import remove, replace, today

from wizard.facts import boot_evidence
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode

TOKEN = "0123456789abcdef0123456789abcdef"
KERNELS = ("6.12.57+deb13-amd64", "6.12.48+deb13-amd64")
LINE = "root=UUID=4711 ro console=ttyS0"
ENTRIES = "/boot/efi/loader/entries"
CMDLINE = "/etc/kernel/cmdline"
INSTALL = "/usr/lib/kernel/install.d"
KARGS = ("rpm-ostree", "kargs")
INFO = ("grubby", "--info=ALL")


def efi(node: MemoryNode, **variables: str) -> MemoryNode:
    """Variables that a boot loader left, such as LoaderInfo."""
    for name, text in variables.items():
        content = b"\6\0\0\0" + text.encode("utf-16-le") + b"\0\0"
        node.write(f"{boot_evidence.EFI_VARIABLES}/{name}-{boot_evidence.LOADER_GUID}", content)
    return node


def without_grub() -> MemoryNode:
    """A node whose IOMMU is off unless its kernel is told, and which boots by nothing that is known."""
    node = today()
    for path in [path for path in node.entries if "grub" in path]:
        remove(node, path)
    for path in [path for path in node.entries if path.startswith("/boot/config-")]:
        replace(node, path, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y", "# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set")
    for path in [path for path in node.entries if path.startswith(("/boot/vmlinuz-", "/boot/initrd.img-"))]:
        remove(node, path)
    remove(node, "/sys/kernel/iommu_groups")
    return node


def entry(version: str, options: str, token: str = TOKEN) -> str:
    return (
        f"title      Debian GNU/Linux 13 (trixie)\nversion    {version}\nmachine-id {token}\nsort-key   debian\n"
        f"options    {options} systemd.machine_id={token}\nlinux      /{token}/{version}/linux\n"
        f"initrd     /{token}/{version}/initrd.img-{version}\n"
    )


def systemd_boot(line: str = LINE, kernels: Sequence[str] = KERNELS) -> MemoryNode:
    """Debian 13 with systemd-boot, whose kernel-install makes an entry for each kernel."""
    node = efi(without_grub(), LoaderInfo="systemd-boot 257.9-1~deb13u1")
    node.write(
        "/proc/cmdline", f"initrd=\\{TOKEN}\\{kernels[0]}\\initrd.img-{kernels[0]} {line} systemd.machine_id={TOKEN}\n"
    )
    node.write(CMDLINE, f"{line}\n")
    node.write("/usr/bin/kernel-install", "", mode=0o755)
    node.write(f"{INSTALL}/90-loaderentry.install", "", mode=0o755)
    for version in kernels:
        node.write(f"/boot/vmlinuz-{version}", "kernel")
        node.write(f"/boot/initrd.img-{version}", "image")
        node.write(f"{ENTRIES}/{TOKEN}-{version}.conf", entry(version, line))
    return node


def ostree(kargs: str = "root=UUID=4711 rw $ignition_firstboot quiet") -> MemoryNode:
    """Fedora CoreOS or its like: rpm-ostree keeps the arguments."""
    node = without_grub()
    node.write("/run/ostree-booted", "")
    node.write("/usr/bin/rpm-ostree", "", mode=0o755)
    node.write("/proc/cmdline", f"BOOT_IMAGE=(hd0,gpt3)/ostree/fedora-coreos-1/vmlinuz-6.12 {kargs}\n")
    node.commands[KARGS] = Output(KARGS, 0, f"{kargs}\n", "")
    return node


def rhel(
    version: str = "9.4", kernels: Sequence[str] = ("5.14.0-427.el9", "5.14.0-362.el9"), words: str = "ro rhgb quiet"
) -> MemoryNode:
    """RHEL or one of its children: BLS entries, which grubby changes."""
    node = without_grub()
    node.write(
        "/usr/lib/os-release",
        f'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="{version}"\n',
    )
    node.write("/usr/sbin/grubby", "", mode=0o755)
    node.write("/etc/default/grub", 'GRUB_ENABLE_BLSCFG=true\nGRUB_CMDLINE_LINUX="rhgb quiet"\n')
    node.write("/proc/cmdline", f"BOOT_IMAGE=(hd0,gpt2)/vmlinuz-{kernels[0]} root=UUID=4711 ro rhgb quiet\n")
    said = [
        f'index={number}\nkernel="/boot/vmlinuz-{name}"\nargs="{words}"\nroot="UUID=4711"\ntitle="Rocky {name}"\n'
        for number, name in enumerate(kernels)
    ]
    node.commands[INFO] = Output(INFO, 0, "".join(said), "")
    return node
