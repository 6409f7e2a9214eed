"""What reading asks of a boot loader: the reading half. Its changing half is in `wizard/chapters/iommu/line_editor.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from wizard.dataclass import dataclass
from wizard.node.node import Node, Unseen

HandWay = Literal[
    "systemd-boot",
    "unified-image",
    "proxmox-boot-tool",
    "update-bootloader",
    "sdbootutil",
    "kernelstub",
    "extlinux",
    "u-boot-menu",
    "zipl",
    "bootc",
    "unknown",
]
"""Those that are recognized, and left to the admin."""
Way = Literal["grub-dropin", "grub-inplace", "grubby", "kernel-install", "rpm-ostree", HandWay]
MENU = "what the boot menu holds"


@dataclass(frozen=True, slots=True)
class KernelEntries:
    """What the boot entries of the kernels say: path, arguments and root of each. `arguments` is None where nobody could be asked."""

    kernels: tuple[str, ...] = ()
    arguments: tuple[str, ...] | None = None
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BootEntry:
    """One `linux` line of the generated configuration. `image` is what comes before the arguments (kernel, root=, ro); `made` says
    whether it is made of the sources: memtest, another system's or one of 40_custom is not. `path` is the entry's own file, where
    each has one."""

    title: str
    line: int
    image: str
    arguments: str
    recovery: bool
    made: bool = True
    path: str = ""


class BootLoader:
    """One way in which the next boot's kernel line is made; as it stands, one of which nothing can be read."""

    name: Way = "unknown"
    from_sources: bool = False  # a program makes the line from files of shell assignments
    in_entries: bool = False  # the boot entries hold the line themselves, and a program says what
    asked: str = ""  # that program, as it is called
    line_file: str = ""  # the file that holds the whole line, of which entries are made

    def sources(self, node: Node) -> tuple[str, ...]:
        """The files that make the line, in the order in which they are read."""
        return ()

    def generated(self, node: Node) -> str:
        """The menu that is made of them, or the directory of its entries; empty where there is none."""
        return ""

    def updates(self, node: Node, generated: str) -> tuple[tuple[str, ...], ...]:
        """The commands that make the menu, in their order; none where there is none."""
        return ()

    def menu(self, node: Node, generated: str, unseen: list[Unseen]) -> tuple[BootEntry, ...] | None:
        """What the menu holds, the entry that is booted first; None where it could not be read, or holds none."""
        return None

    def images_follow(self, node: Node) -> bool:
        """Whether an initramfs that is rebuilt is the one that is booted, as far as is known."""
        return True

    def without(self, words: Sequence[str]) -> str:
        """How to boot once without these arguments, or once in another way where there are none, as a part of a sentence."""
        off = f" and take {' '.join(words)} off the line that begins with linux" if words else ""
        return f"press e in the boot menu{off}"

    def entries(self, node: Node, unseen: list[Unseen]) -> KernelEntries:
        """What the kernels' entries say, where they hold the arguments."""
        return KernelEntries()
