"""What a card's firmware is set to, asked of mstconfig or mlxconfig (root only), and whether they may ask at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wizard.dataclass import dataclass
from wizard.errors import NodeError, NotThere
from wizard.facts import firmware_query
from wizard.facts.pci.functions import PciFacts, PciFunction
from wizard.node import best_effort
from wizard.node.node import Node, Output, Unseen

TOOLS = ("mstconfig", "mlxconfig")
_WAYS = (("-e",), ())
_OWNERS_OF_DPU = ("INTERNAL_CPU_PAGE_SUPPLIER", "INTERNAL_CPU_ESWITCH_MANAGER", "INTERNAL_CPU_IB_VPORT0")
_TIMEOUT = 60.0  # seconds; a card whose firmware is busy is asked again and again by the tool
_LOCKDOWN = "/sys/kernel/security/lockdown"


SETTINGS_OF = "firmware settings of "  # and an address: what is in `unseen`
OF_ALL_CARDS = f"{SETTINGS_OF}the cards"


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

    @property
    def per_function(self) -> bool:
        """Whether each function of the card has a number of VFs of its own."""
        return self.value("PF_NUM_OF_VF_VALID") in ("1", "True")

    @property
    def dpu_mode(self) -> bool:
        """Whether a BlueField's own processor owns the card (DPU or ECPF mode), so that the host only borrows it.

        In NIC mode its processor is embedded as well, and its offload engine is disabled (NVIDIA: BlueField modes of operation).
        """
        owned = [self._now(name) for name in _OWNERS_OF_DPU]
        return (
            self._now("INTERNAL_CPU_MODEL").startswith("EMBEDDED_CPU")
            and not self._now("INTERNAL_CPU_OFFLOAD_ENGINE").startswith("DISABLED")
            and (not any(owned) or any(each.startswith("ECPF") for each in owned))
        )

    def _now(self, name: str) -> str:
        """A value in force, as it is printed; where the card does not tell it, the one of the next boot."""
        return dict(self.current or ()).get(name) or dict(self.next_boot).get(name) or ""


@dataclass(frozen=True, slots=True)
class FirmwareFacts:
    """`tool` is the command that can read and set firmware ('mstconfig', 'mlxconfig'), None where there is none."""

    tool: str | None
    lockdown: str  # none, integrity, confidentiality, or "" where the kernel has no lockdown
    cards: tuple[CardFirmware, ...]
    unseen: tuple[Unseen, ...]

    def card(self, address: str) -> CardFirmware | None:
        """The settings of the card behind a PCI function: its own, else those of a function of the same card, unless each of them has
        its own number of VFs."""
        slot = address.partition(".")[0]
        same = [card for card in self.cards if card.address.partition(".")[0] == slot]
        own = next((card for card in same if card.address == address), None)
        return own or next((card for card in same if not card.per_function), None)

    def why_untold(self, address: str) -> str:
        """Why the settings of the card behind a function are not known: any function of the card may have been asked. Empty where
        nothing says so."""
        card = f"{SETTINGS_OF}{address.partition('.')[0]}."
        told = (each.why for each in self.unseen if each.what == OF_ALL_CARDS or each.what.startswith(card))
        return next(told, "")


def read(node: Node, pci: PciFacts) -> FirmwareFacts:
    """Ask every Mellanox card. Changes nothing, and never fails: what cannot be asked is in `unseen`."""
    lockdown = _lockdown(node)
    slots = _cards(pci)
    tool = _tool(node, slots)
    what = OF_ALL_CARDS
    if not slots:
        return FirmwareFacts(tool, lockdown, (), ())
    if tool is None:
        why = "neither mstconfig nor mlxconfig is there (package mstflint)" if node.live else "they were not recorded"
        return FirmwareFacts(None, lockdown, (), (Unseen(what, why),))
    if node.live and not node.privileged:
        return FirmwareFacts(tool, lockdown, (), (Unseen(what, "only root may ask for them"),))
    found = [each for functions in slots for each in _of_card(node, tool, functions, lockdown)]
    cards = tuple(each for each in found if isinstance(each, CardFirmware))
    return FirmwareFacts(tool, lockdown, cards, tuple(each for each in found if isinstance(each, Unseen)))


def _tool(node: Node, slots: Sequence[Sequence[PciFunction]]) -> str | None:
    """The tool that is there; for a recorded node, which may not have its programs, the one whose answers were recorded."""
    there = next((name for name in TOOLS if node.command(name)), None)
    if there is not None or node.live or not slots:
        return there
    address = slots[0][0].address
    asked = {name: [(name, "-d", address, *extra, "q") for extra in _WAYS] for name in TOOLS}
    return next((name for name in TOOLS if any(best_effort.ask(node, argv) for argv in asked[name])), None)


def _lockdown(node: Node) -> str:
    """The word in brackets of `none [integrity] confidentiality`."""
    match = re.search(r"\[([a-z]+)\]", node.text(_LOCKDOWN) or "")
    return match[1] if match else ""


def _cards(pci: PciFacts) -> list[list[PciFunction]]:
    """The Mellanox PFs, those of one card together."""
    slots: dict[str, list[PciFunction]] = {}
    for function in pci.functions:
        if function.has_settings:
            slots.setdefault(function.address.partition(".")[0], []).append(function)
    return list(slots.values())


def _of_card(node: Node, tool: str, functions: Sequence[PciFunction], lockdown: str) -> Iterator[CardFirmware | Unseen]:
    """The settings by the first function that tells them; by each, where every function has a number of VFs of its own.

    The last complaint where none tells them."""
    complaint: Unseen | None = None
    told: CardFirmware | None = None
    for function in functions:
        if told is not None and told.value("PF_NUM_OF_VF_VALID") not in ("1", "True"):
            return
        found = _ask(node, tool, function.address, lockdown)
        if isinstance(found, Unseen):
            complaint = found
        else:
            told = told or found
            yield found
    if told is None and complaint is not None:
        yield complaint


def _said(node: Node, tool: str, address: str, extra: Sequence[str]) -> Output | None:
    try:
        return node.run((tool, "-d", address, *extra, "q"), timeout=_TIMEOUT)
    except NotThere:
        return None


def _ask(node: Node, tool: str, address: str, lockdown: str) -> CardFirmware | Unseen:
    """With -e, which tells what holds now too; without it where the tool or the card does not know it."""
    why = f"{tool} cannot be run" if node.live else "they were not recorded"
    for extra in _WAYS:
        try:
            said = _said(node, tool, address, extra)
        except NodeError as error:
            return Unseen(f"{SETTINGS_OF}{address}", error.what)
        query = firmware_query.parse(said.stdout) if said is not None else None
        if query is not None:
            return CardFirmware(address, query.device_type, query.next_boot, query.current)
        why = _complaint(said, tool) if said is not None else why
    if lockdown in ("integrity", "confidentiality"):
        why += f" (the kernel is locked down for {lockdown}: Secure Boot keeps programs away from the card)"
    return Unseen(f"{SETTINGS_OF}{address}", why)


def _complaint(said: Output, tool: str) -> str:
    lines = [line.strip() for line in (said.stderr + "\n" + said.stdout).splitlines() if line.strip()]
    told = firmware_query.errors(said.stdout + "\n" + said.stderr)
    return told or (lines[-1] if lines else f"{tool} ended with status {said.status} and said nothing")
