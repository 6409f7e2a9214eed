"""The PCI functions of a node as nova sees them, now or with the VFs that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

from wizard.chapters.passthrough.matching.rules import Rules
from wizard.dataclass import dataclass
from wizard.facts.pci.functions import PciFunction

Kind = Literal["type-PCI", "type-PF", "type-VF"]


@dataclass(frozen=True, slots=True)
class Device:
    """A device, or `number` VFs of one PF that are not there yet (`coming`): their addresses are not known, `address` is the PF's."""

    address: str
    vendor: str
    product: str
    kind: Kind
    parent: str | None = None
    names: tuple[str, ...] = ()
    numa_node: int | None = None
    is_card: bool = False  # whether nova takes it for a PF when it reads an address or a name
    coming: bool = False
    number: int = 1

    @property
    def said(self) -> str:
        """The device for the admin's eyes."""
        if self.coming:
            return f"{self.number} VF{'s' if self.number > 1 else ''} of {self.address}"
        return f"{self.address} (VF of {self.parent})" if self.parent else self.address


@dataclass(frozen=True)
class Host:
    """All devices of a node: nova looks interfaces and addresses up when it reads a line."""

    devices: tuple[Device, ...]

    @cached_property
    def _by_address(self) -> dict[str, Device]:
        return {each.address: each for each in self.devices if not each.coming}

    @cached_property
    def _by_name(self) -> dict[str, Device]:
        return {name: each for each in reversed(self.devices) for name in each.names}

    def at(self, address: str) -> Device | None:
        return self._by_address.get(address)

    def named(self, interface: str) -> Device | None:
        return self._by_name.get(interface)


def host(functions: Iterable[PciFunction], rules: Rules, asked: Mapping[str, int] | None = None) -> Host:
    """The devices that are there; with `asked` (address of a PF -> VFs) as they are once it has so many."""
    functions = list(functions)
    asked = asked or {}
    kept = {
        address
        for function in functions
        for address in function.virtual_functions[: asked.get(function.address, len(function.virtual_functions))]
    }
    found: list[Device] = []
    for function in functions:
        if function.is_vf:
            gone = function.physical_function in asked and function.address not in kept
            found += [] if gone else [device_of(function, rules)]
            continue
        count = asked.get(function.address, function.num_vfs or 0)
        found.append(device_of(function, rules, count))
        more = count - len(function.virtual_functions)
        if function.address in asked and more > 0 and function.vf_device is not None:
            found.append(_coming(function, more))
    return Host(tuple(found))


def device_of(function: PciFunction, rules: Rules, vfs: int | None = None) -> Device:
    """One function. `vfs` is how many VFs it has then; as many as now where it is not given."""
    able = bool(function.total_vfs)
    has = bool(function.num_vfs if vfs is None else vfs)
    is_card = not function.is_vf and ((able or has) if rules.has("card by totalvfs") else has)
    return Device(
        address=function.address,
        vendor=function.vendor,
        product=function.device,
        kind="type-VF" if function.is_vf else "type-PF" if is_card else "type-PCI",
        parent=function.physical_function,
        names=tuple(device.name for device in function.netdevs),
        numa_node=function.numa_node,
        is_card=is_card,
    )


def _coming(function: PciFunction, number: int) -> Device:
    return Device(
        address=function.address,
        vendor=function.vendor,
        product=function.vf_device or "",
        kind="type-VF",
        parent=function.address,
        numa_node=function.numa_node,
        coming=True,
        number=number,
    )
