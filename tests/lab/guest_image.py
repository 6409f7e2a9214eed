"""A guest's disk: Debian packages, GPT with a BIOS boot partition and an EFI system partition, GRUB installed by its own grub-install.

Nothing is mounted and no loop device is used: file systems are filled from a directory, and what needs a running machine
(grub-install, update-grub) is done by the machine itself at its first start, which QEMU makes with the kernel given directly.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import emulator, host, stand_ins
from lab.emulator import Emulator

NAME = "lab-compute"
FILES = host.HERE / "guest"
SIZE = 6 << 30
SECTOR = 512
ESP_START, ESP_SIZE = 8 << 20, 64 << 20
ROOT_START = 72 << 20

COMMON = (
    *("linux-image-amd64", "grub-pc", "grub-efi-amd64-bin", "dosfstools", "systemd-sysv", "udev", "dbus", "kmod"),
    *("initramfs-tools", "zstd", "e2fsprogs", "openssh-server", "python3", "python3-venv", "pciutils", "ethtool"),
    *(
        "iproute2",
        "iputils-ping",
        "procps",
        "less",
        "kbd",
        "console-setup",
        "ebtables",
        "nftables",
        "iptables",
        "dnsmasq-base",
        "firewalld",
    ),
    "busybox",
)


@dataclass(frozen=True)
class Image:
    """What a disk is made of."""

    name: str
    suite: str
    extra: tuple[str, ...] = ()
    stand_ins: bool = False
    iommu_off: bool = False  # as a kernel without CONFIG_INTEL_IOMMU_DEFAULT_ON: Ubuntu's before 22.04, RHEL's


IMAGES = {
    image.name: image
    for image in (
        Image(
            "trixie",
            "trixie",
            ("qemu-system-x86", "systemd-boot-tools", "systemd-boot-efi"),
            stand_ins=True,
            iommu_off=True,
        ),
        Image("bookworm", "bookworm"),
    )
}


@dataclass(frozen=True)
class Disk:
    """A finished disk, and the key that its root lets in."""

    path: Path
    ssh_key: Path


def built(name: str) -> bool:
    """Whether the disk of an image is there as it would be built now."""
    return (_directory(IMAGES[name]) / "disk.qcow2").exists()


def get(name: str) -> Disk:
    """The disk of an image, built if it is not there yet."""
    image = IMAGES[name]
    directory = _directory(image)
    if not directory.exists():
        modules = stand_ins.get(image.suite) if image.stand_ins else None
        with host.scratch(f"image-{name}") as place:
            _build(image, emulator.get(), modules, place)
            (place / "out").rename(directory)
    return Disk(directory / "disk.qcow2", directory / "id_ed25519")


def _directory(image: Image) -> Path:
    parts = sorted(path for path in FILES.rglob("*") if path.is_file())
    modules = stand_ins.place(image.suite).name if image.stand_ins else ""
    return (
        host.cache() / f"image-{image.name}-{host.key(repr(image), ' '.join(COMMON), modules, Path(__file__), *parts)}"
    )


def _build(image: Image, qemu: Emulator, modules: Path | None, place: Path) -> None:
    out, root = place / "out", place / "root"
    out.mkdir()
    host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", out / "id_ed25519"])
    _nova_package(place)
    hooks = [f"cp -a {FILES}/etc $1/", f"cp {place}/nova.deb $1/root/nova.deb", f"sh {FILES}/hook.sh $1 {NAME}"]
    if modules:
        hooks.insert(0, f"sh {FILES}/modules.sh $1 {modules}")
    if image.iommu_off:
        hooks.append(f"sh {FILES}/iommu-off.sh $1")
    host.bootstrap(image.suite, root, (*COMMON, *image.extra), "minbase", hooks)
    ssh = root / "root" / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(out / "id_ed25519.pub", ssh / "authorized_keys")
    raw = place / "disk.raw"
    _partition(raw)
    kernel, initramfs = (max((root / "boot").glob(f"{kind}-*")) for kind in ("vmlinuz", "initrd.img"))
    shutil.copy(kernel, place / "vmlinuz")
    shutil.copy(initramfs, place / "initrd")
    _file_systems(root, raw)
    shutil.rmtree(root)
    _install_boot_loader(qemu, place, raw)
    qemu.image("convert", "-O", "qcow2", "-o", "compression_type=zstd", raw, out / "disk.qcow2")


def _nova_package(place: Path) -> None:
    """A package that stands in for nova-compute: a process of that name, its unit, its nova.conf and its user."""
    tree = place / "nova"
    shutil.copytree(FILES / "nova", tree)
    for program in ("DEBIAN/postinst", "usr/bin/nova-compute"):
        (tree / program).chmod(0o755)
    host.run(["dpkg-deb", "--root-owner-group", "--build", tree, place / "nova.deb"])


def _partition(raw: Path) -> None:
    with raw.open("wb") as file:
        file.truncate(SIZE)
    layout = [
        "label: gpt",
        f"start={(1 << 20) // SECTOR}, size={(4 << 20) // SECTOR}, type=21686148-6449-6E6F-744E-656564454649",
        f"start={ESP_START // SECTOR}, size={ESP_SIZE // SECTOR}, type=uefi",
        f"start={ROOT_START // SECTOR}, type=linux",
    ]
    subprocess.run(["sfdisk", "-q", raw], input="\n".join(layout), text=True, check=True)


def _file_systems(root: Path, raw: Path) -> None:
    size = SIZE - ROOT_START - (1 << 20)  # the copy of the partition table at the end
    features = "^metadata_csum_seed,^orphan_file"  # GRUB of Debian 12 reads neither
    host.run(
        [
            *("mkfs.ext4", "-q", "-F", "-L", "labroot", "-O", features, "-d", root),
            *("-E", f"offset={ROOT_START},lazy_itable_init=1", raw, f"{size >> 10}k"),
        ]
    )
    esp = raw.with_name("esp")
    with esp.open("wb") as file:
        file.truncate(ESP_SIZE)
    host.run(["mkfs.vfat", "-n", "LABESP", esp])
    with raw.open("r+b") as file:
        file.seek(ESP_START)
        file.write(esp.read_bytes())
    esp.unlink()


def _install_boot_loader(qemu: Emulator, place: Path, raw: Path) -> None:
    log = place / "first-boot.log"
    arguments = [
        *("-accel", "kvm" if host.hardware_virtualisation() else "tcg,thread=multi", "-machine", "q35", "-cpu", "max"),
        *(
            "-smp",
            "2",
            "-m",
            "1024",
            *qemu.firmware(),
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
        ),
        *("-drive", f"file={raw},if=virtio,format=raw,cache=unsafe", "-serial", f"file:{log}"),
        *("-kernel", place / "vmlinuz", "-initrd", place / "initrd"),
        *("-append", "root=LABEL=labroot ro console=ttyS0 quiet systemd.unit=lab-first-boot.target"),
    ]
    command = qemu.command("qemu-system-x86_64", arguments)
    subprocess.run(command, env=qemu.environment(), stdin=subprocess.DEVNULL, check=True, timeout=900)
    said = log.read_text(encoding="utf-8", errors="replace")
    if "LAB-BOOT-LOADER-INSTALLED" not in said:
        raise RuntimeError(f"the boot loader was not installed; the machine said:\n{said[-3000:]}")
