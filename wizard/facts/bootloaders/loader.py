"""What reading asks of a boot loader: the reading half. Its changing half is in `wizard/chapters/iommu/line_editor.py`."""

from __future__ import annotations

from typing import Literal, Protocol

from wizard.dataclass import dataclass
from wizard.node.node import Node, Unseen

Way = Literal["grub-dropin", "grub-inplace", "grubby", "systemd-boot", "unknown"]


@dataclass(frozen=True, slots=True)
class KernelEntries:
    """What the boot entries of the kernels say: path, arguments and root of each. `arguments` is None where nobody could be asked."""

    kernels: tuple[str, ...] = ()
    arguments: tuple[str, ...] | None = None
    roots: tuple[str, ...] = ()


class BootLoader(Protocol):
    """One way in which the next boot's kernel line is made."""

    name: Way
    from_sources: bool  # a program makes it from files of shell assignments
    in_entries: bool  # each kernel's boot entry holds its own, and a program says what

    def sources(self, node: Node) -> tuple[str, ...]:
        """The files that make the line, in the order in which they are read."""

    def generated(self, node: Node) -> str:
        """The menu that is made of them; empty where there is none."""

    def update(self, node: Node, generated: str) -> tuple[str, ...]:
        """The command that makes the menu; empty where there is none."""

    def entries(self, node: Node, unseen: list[Unseen]) -> KernelEntries:
        """What the kernels' entries say, where they hold the arguments."""
