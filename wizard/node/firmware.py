"""What a card's firmware is set to, asked of mstconfig or mlxconfig (root only), and whether they may ask at all."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.node.node import Node, Unseen
from wizard.node.pci import PciFacts


@dataclass(frozen=True, slots=True)
class CardFirmware:
    """Firmware settings of the card behind one PCI function. `current` is None for cards that do not tell it (ConnectX-3).

    `next_boot` and `current` map names such as SRIOV_EN, NUM_OF_VFS, LINK_TYPE_P1 to values as printed: 'True(1)', '16'.
    """

    address: str
    device_type: str
    next_boot: tuple[tuple[str, str], ...]
    current: tuple[tuple[str, str], ...] | None

    def value(self, name: str) -> str | None:
        """The value at the next boot, without its decoration: 'True(1)' is '1', 'VPI(3)' is '3', '16' is '16'."""
        text = dict(self.next_boot).get(name)
        if text is None:
            return None
        return text[text.rindex("(") + 1 : -1] if text.endswith(")") and "(" in text else text


@dataclass(frozen=True, slots=True)
class FirmwareFacts:
    """`tool` is the command that can read and set firmware ('mstconfig', 'mlxconfig'), None where there is none."""

    tool: str | None
    lockdown: str  # none, integrity, confidentiality, or "" where the kernel has no lockdown
    cards: tuple[CardFirmware, ...]
    unseen: tuple[Unseen, ...]

    def card(self, address: str) -> CardFirmware | None:
        return next((card for card in self.cards if card.address == address), None)
