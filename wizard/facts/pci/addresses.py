"""What a path in sysfs says about the PCI functions that a device stands on."""

from __future__ import annotations

from wizard.regex import regex

PCI_ADDRESS = regex(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
_ROOT_BUS = regex(r"pci[0-9a-f]{4,8}:[0-9a-f]{2}")


def functions_in(path: str) -> tuple[str, ...]:
    """The PCI functions that carry the device at a resolved path in /sys/devices, the one next to it last.

    The bridges above a function are left out. More than one is found where a function has a PCI root bus of its own
    behind it, as Intel VMD does: `…/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0`.
    """
    found: list[str] = []
    last = ""
    for part in path.split("/"):
        if _ROOT_BUS.fullmatch(part):
            found += [last] if last else []
            last = ""
        elif PCI_ADDRESS.fullmatch(part):
            last = part
    return (*found, last) if last else tuple(found)
