"""What is read from a PCI function as bytes: its SR-IOV capability, its serial number; and where its VFs will be."""

from __future__ import annotations

from wizard.dataclass import dataclass
from wizard.regex import regex

_EXTENDED = 0x100  # where the extended capabilities begin
_SPACE = 0x1000  # the whole configuration space
_SRIOV = 0x0010  # PCI_EXT_CAP_ID_SRIOV in include/uapi/linux/pci_regs.h
_SRIOV_SIZE = 0x40
_READ_ONLY, _END = 0x90, 0x78  # tags of the vital product data, drivers/pci/vpd.c
_ADDRESS = regex(r"([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])")


@dataclass(frozen=True, slots=True)
class SriovCapability:
    """The SR-IOV extended capability: how many VFs the hardware offers, where they are, and their device id."""

    total_vfs: int
    offset: int
    stride: int
    vf_device: str


def is_whole(config: bytes) -> bool:
    """Whether the extended part was read. The kernel stops at byte 64 for all but root, at 256 where there is no ECAM."""
    return len(config) > _EXTENDED


def sriov_capability(config: bytes) -> SriovCapability | None:
    """The SR-IOV capability of a configuration space of 4096 bytes, or None. Garbled or looping chains end the search."""
    where, seen = _EXTENDED, set()
    while _EXTENDED <= where <= min(len(config), _SPACE) - 4 and where not in seen:
        seen.add(where)
        header = _number(config, where, 4)
        if header in (0, 0xFFFFFFFF):
            return None
        if header & 0xFFFF == _SRIOV and where + _SRIOV_SIZE <= len(config):
            return SriovCapability(
                total_vfs=_number(config, where + 0x0E, 2),
                offset=_number(config, where + 0x14, 2),
                stride=_number(config, where + 0x16, 2),
                vf_device=f"{_number(config, where + 0x1A, 2):04x}",
            )
        where = header >> 20 & 0xFFC
    return None


def _number(content: bytes, where: int, size: int) -> int:
    return int.from_bytes(content[where : where + size], "little")


def serial_number(vpd: bytes) -> str | None:
    """The serial number (keyword SN) of vital product data, or None. The form is that of PCI Local Bus 3.0, appendix I."""
    where = 0
    while where < len(vpd):
        tag = vpd[where]
        if tag == _END:
            return None
        large = tag & 0x80
        size = _number(vpd, where + 1, 2) if large else tag & 0x07
        start = where + (3 if large else 1)
        if tag == _READ_ONLY:
            return _keyword(vpd[start : start + size], b"SN")
        where = start + size
    return None


def _keyword(fields: bytes, name: bytes) -> str | None:
    where = 0
    while where + 3 <= len(fields):
        size = fields[where + 2]
        value = fields[where + 3 : where + 3 + size]
        if fields[where : where + 2] == name:
            text = value.rstrip(b"\0 ").strip().decode("latin-1")
            return text if text and text.isascii() and text.isprintable() and len(value) == size else None
        where += 3 + size
    return None


def sort_key(address: str) -> tuple[int, ...]:
    """The numbers of an address, so that addresses sort as the bus does. Raises ValueError for what is no address."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(f"{address!r} is no PCI address such as 0000:3b:00.0")
    return tuple(int(part, 16) for part in match.groups())


def vf_addresses(address: str, offset: int, stride: int, count: int) -> tuple[str, ...]:
    """Where the VFs of a PF are or will be, in order of their number (pci_iov_virtfn_bus in drivers/pci/iov.c).

    `offset` and `stride` are the first VF's distance from the PF, and that from one VF to the next, in functions.
    Raises ValueError for what is no address, and where the VFs run out of the 256 buses of a domain.
    """
    _, bus, slot, function = sort_key(address)
    domain = address.partition(":")[0]
    first = (bus << 8 | slot << 3 | function) + offset
    if count > 0 and not 0 <= first + (count - 1) * stride <= 0xFFFF:
        raise ValueError(f"{count} VFs of {address} do not fit on the buses behind it")
    found = [first + number * stride for number in range(count)]
    return tuple(f"{domain}:{each >> 8:02x}:{each >> 3 & 0x1F:02x}.{each & 7}" for each in found)
