"""The next boot: which program makes the kernel's command line, from what sources, and what it would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wizard.node.node import Node, Unseen

Way = Literal["grub-dropin", "grub-inplace", "grubby", "systemd-boot", "unknown"]
InitramfsTool = Literal["update-initramfs", "dracut", "none"]


@dataclass(frozen=True, slots=True)
class BootEntry:
    """One `linux` line of the generated configuration. `image` is what comes before the arguments (kernel, root=, ro)."""

    title: str
    line: int
    image: str
    arguments: str
    recovery: bool


@dataclass(frozen=True, slots=True)
class BootFacts:
    """How the kernel's command line is made on this node.

    grub-dropin: grub-mkconfig reads /etc/default/grub.d (a patch of Debian and Ubuntu: looked for in the program itself);
    grub-inplace: it does not; grubby: BLS entries; systemd-boot: /etc/kernel/cmdline.
    """

    way: Way
    because: str  # the evidence, one sentence
    sources: tuple[str, ...]  # the files that make the line, in the order in which they are read
    update: tuple[str, ...]  # the command that generates the configuration, () where unknown
    generated: str  # "/boot/grub/grub.cfg", or "" where unknown
    entries: tuple[BootEntry, ...] | None  # of the generated file; None where it could not be read (root only)
    grubby_arguments: tuple[str, ...] | None  # grubby only: the args of each kernel; None where not asked
    initramfs: InitramfsTool
    initramfs_images: tuple[str, ...]  # of the installed kernels, newest last
    kernels: tuple[str, ...]  # releases installed, as /boot/vmlinuz-* names them
    unseen: tuple[Unseen, ...]
