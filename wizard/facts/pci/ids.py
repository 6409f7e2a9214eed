"""What PCI ids mean: Mellanox's from a small table of our own, others' from the node's pci.ids.

The table follows the kernel's device tables (mlx4/main.c, mlx5/core/main.c) and pci.ids.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Literal

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.node.node import MAX_FILE, Node, Unseen

Family = Literal["mlx4", "mlx5", ""]
MELLANOX = "15b3"
_PLACES = ("/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/usr/share/pci.ids")


@dataclass(frozen=True, slots=True)
class Card:
    """A Mellanox PF: its model, driver family, and the device id of its VFs."""

    model: str
    family: Literal["mlx4", "mlx5"]
    vf_device: str


def _connectx2() -> dict[str, Card]:
    ids = "6340 634a 6354 6368 6372 6732 673c 6746 6750 675a 6764 676e"
    return {device: Card("ConnectX-2", "mlx4", "1002") for device in ids.split()}


CARDS: dict[str, Card] = _connectx2() | {
    "1003": Card("ConnectX-3", "mlx4", "1004"),
    "1007": Card("ConnectX-3 Pro", "mlx4", "1004"),
    "1011": Card("Connect-IB", "mlx5", "1012"),
    "1013": Card("ConnectX-4", "mlx5", "1014"),
    "1015": Card("ConnectX-4 Lx", "mlx5", "1016"),
    "1017": Card("ConnectX-5", "mlx5", "1018"),
    "1019": Card("ConnectX-5 Ex", "mlx5", "101a"),
    "101b": Card("ConnectX-6", "mlx5", "101c"),
    "101d": Card("ConnectX-6 Dx", "mlx5", "101e"),
    "101f": Card("ConnectX-6 Lx", "mlx5", "101e"),
    "1021": Card("ConnectX-7", "mlx5", "101e"),
    "1023": Card("ConnectX-8", "mlx5", "101e"),
    "1025": Card("ConnectX-9", "mlx5", "101e"),
    "1027": Card("ConnectX-10", "mlx5", "101e"),
    "a2d2": Card("BlueField", "mlx5", "a2d3"),
    "a2d6": Card("BlueField-2", "mlx5", "101e"),
    "a2d9": Card("BlueField-3 Lx", "mlx5", "101e"),
    "a2dc": Card("BlueField-3", "mlx5", "101e"),
    "a2df": Card("BlueField-4", "mlx5", "101e"),
}
"""Every PF that can have VFs, by device id."""

VFS: dict[str, tuple[str, Literal["mlx4", "mlx5"]]] = {
    "1002": ("ConnectX-2 VF", "mlx4"),
    "1004": ("ConnectX-3 or ConnectX-3 Pro VF", "mlx4"),
    "1012": ("Connect-IB VF", "mlx5"),
    "1014": ("ConnectX-4 VF", "mlx5"),
    "1016": ("ConnectX-4 Lx VF", "mlx5"),
    "1018": ("ConnectX-5 VF", "mlx5"),
    "101a": ("ConnectX-5 Ex VF", "mlx5"),
    "101c": ("ConnectX-6 VF", "mlx5"),
    "101e": ("ConnectX-6 Dx or newer VF", "mlx5"),
    "a2d3": ("BlueField VF", "mlx5"),
}
"""Model and family of the VFs; 1004 and 101e are shared by generations: the PF tells which it is."""

_RECOVERY = {"01f6": "ConnectX-3", "01f8": "ConnectX-3 Pro"}
_OTHER_RECOVERY = frozenset({0x1FF, 0x209, 0x20B, 0x20D, *range(0x20F, 0x220), *range(0x222, 0x22A)})


def family_of(vendor: str, device: str) -> Family:
    """Which Mellanox driver family a PF or VF belongs to; empty for other vendors, bridges and cards in recovery mode."""
    if vendor != MELLANOX:
        return ""
    if device in CARDS:
        return CARDS[device].family
    return VFS[device][1] if device in VFS else ""


def recovery_model(vendor: str, device: str) -> str | None:
    """The model of a card that answers with the id of its flash recovery mode; None for anything else."""
    if vendor != MELLANOX:
        return None
    if int(device, 16) in _OTHER_RECOVERY:
        return "Mellanox card"
    return _RECOVERY.get(device)


def own_name(vendor: str, device: str) -> str | None:
    """The name of a Mellanox function by the table here, or None."""
    if vendor != MELLANOX:
        return None
    recovery = recovery_model(vendor, device)
    if recovery:
        return f"{recovery} in recovery mode"
    if device in CARDS:
        return CARDS[device].model
    return VFS[device][0] if device in VFS else None


def names_in(text: str, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Device names by (vendor, device) from the text of a pci.ids file (its form: pciutils, pci.ids)."""
    devices: dict[str, set[str]] = {}
    for vendor, device in wanted:
        devices.setdefault(vendor, set()).add(device)
    found: dict[tuple[str, str], str] = {}
    vendor = ""
    for line in text.splitlines():
        if not line or line[0] == "#":
            continue
        if line[0] != "\t":
            vendor = line[:4].lower()
            if line.startswith("C "):  # the list of classes follows, and nothing after it
                break
        elif vendor in devices and line[1:2] != "\t" and line[1:5].lower() in devices[vendor]:
            found[vendor, line[1:5].lower()] = line[5:].strip()
    return found


def read_names(node: Node, wanted: Iterable[tuple[str, str]]) -> tuple[dict[tuple[str, str], str], tuple[Unseen, ...]]:
    """Device names from the node's own pci.ids, plain or compressed; without one, none are known."""
    pairs = sorted(set(wanted))
    if not pairs:
        return {}, ()
    for path in (f"{place}{suffix}" for place in _PLACES for suffix in ("", ".gz")):
        try:
            content = node.read(path)
            text = _unpacked(content) if path.endswith(".gz") else content
        except zlib.error as error:
            return {}, (Unseen("names of PCI devices", f"{path} cannot be unpacked: {error}"),)
        except NodeError:
            continue
        return names_in(text.decode("utf-8", "replace"), pairs), ()
    return {}, ()


def _unpacked(content: bytes) -> bytes:
    """The content of a gzip file, up to the size of the largest file that is read. Raises zlib.error."""
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, MAX_FILE)
