"""Families of cards: all that follows from which driver makes a function's VFs. A new one is an entry here, and its driver in
`wizard/chapters/vfs/drivers.py`; nobody else asks what family a card is of, only for what follows from it."""

from __future__ import annotations

from wizard.dataclass import dataclass
from wizard.facts.pci.ids import MELLANOX, family_of


@dataclass(frozen=True, slots=True)
class CardFamily:
    """What is known of every card of a family."""

    name: str
    driver: str = ""  # the kernel module that drives it; "" where its own `driver` link is all that says so
    option_module: str = ""  # the module whose options make the VFs when it loads; "" where sysfs makes them
    most_vfs: int | None = None  # what the driver bears of one function; None where the card's own limit counts
    ports_share_function: bool = False  # both ports are one PCI function, and its VFs are told apart by their number
    guids_by_hand: bool = False  # InfiniBand VFs come up without GUIDs
    mstconfig: bool = False  # mstconfig reads and sets its firmware
    for_guests: bool = False  # bought whole to be handed out: suggested, and shown, without being asked for


MLX4 = CardFamily(
    "mlx4",
    driver="mlx4_core",
    option_module="mlx4_core",
    most_vfs=63,  # in-tree mlx4_core refuses to probe above this on a port: the card would be gone after the reboot
    ports_share_function=True,
    mstconfig=True,
    for_guests=True,
)
MLX5 = CardFamily("mlx5", driver="mlx5_core", guids_by_hand=True, mstconfig=True, for_guests=True)
OTHER_MELLANOX = CardFamily("other-mellanox", mstconfig=True, for_guests=True)
"""Bridges of theirs, and cards that answer with an id of recovery mode or one that is not known here."""
OTHER = CardFamily("other")

FAMILIES = (MLX4, MLX5, OTHER_MELLANOX, OTHER)
_BY_NAME = {family.name: family for family in FAMILIES}


def card_family(vendor: str, device: str) -> CardFamily:
    """The family of a PF or VF, by its PCI ids and never by what sysfs offers."""
    return _BY_NAME.get(family_of(vendor, device)) or (OTHER_MELLANOX if vendor == MELLANOX else OTHER)
