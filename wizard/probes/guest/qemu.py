"""The guest as QEMU's arguments. Pure."""

from __future__ import annotations

from wizard.dataclass import dataclass

PROGRAMS = ("qemu-system-x86_64", "qemu-kvm", "kvm")
PLACES = ("/usr/libexec/qemu-kvm",)  # where RHEL has it, outside of every PATH
DEVICE = "0000:01:00.0"  # where the guest has the device: the only one behind the only port, as libvirt would place it
MEMORY = 512  # MiB, all of it pinned while the guest runs


@dataclass(frozen=True, slots=True)
class Guest:
    """What is booted: `kernel` and `initramfs` are paths for QEMU; `device` is what goes behind -device, without its place."""

    program: str
    kernel: str
    initramfs: str
    device: str
    mark: str
    kvm: bool


def assigned(address: str) -> str:
    """A PCI function of the node, by vfio-pci; without its option ROM, which could only delay the boot."""
    return f"vfio-pci,host={address},rombar=0"


def arguments(guest: Guest) -> list[str]:
    """No disk, no network, no display, nothing of the user's own configuration: a kernel, an initramfs, one device, one line.

    IPv6 is off, so that an interface that comes up sends nothing by itself; the mitigations are, since TCG pays dearly for them.
    """
    accelerator = ["-accel", "kvm", "-cpu", "host"] if guest.kvm else ["-accel", "tcg", "-cpu", "max"]
    line = f"console=ttyS0 quiet loglevel=1 panic=-1 ipv6.disable=1 mitigations=off CW_MARK={guest.mark} CW_DEVICE={DEVICE}"
    return [
        *(guest.program, "-no-user-config", "-nodefaults", "-no-reboot", "-display", "none", "-machine", "q35"),
        *(*accelerator, "-smp", "1", "-m", str(MEMORY), "-serial", "stdio"),
        *("-kernel", guest.kernel, "-initrd", guest.initramfs, "-append", line),
        *("-device", "pcie-root-port,id=cw,chassis=1", "-device", f"{guest.device},bus=cw"),
    ]
