"""Which PCI functions something holds: a guest, a driver that keeps them for guests, a bridge, a bond, a namespace.

mlx5 takes its VFs away without a look at who has them (pci_disable_sriov), so this has to be known before.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts.network.network import NetworkFacts
from wizard.facts.pci.functions import PciFacts, PciFunction
from wizard.facts.processes import Process, Processes
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

_QEMU = regex(r"qemu-system-\S+|qemu-kvm|kvm")
_HOST_DEVICE = regex(r'\bhost"?[=:]\s*"?((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])')
_RESERVING = regex(r".*vfio.*|pci-stub|uio_pci_generic|igb_uio|pciback")
_VF_DRIVERS = ("mlx5_core", "ixgbevf", "ixgbe", "i40evf", "iavf", "igbvf", "bnxt_en", "ena")
"""Drivers that give every Ethernet VF they have a network interface. mlx4_core leaves that to another module."""
_VFIO = "/dev/vfio/"


@dataclass(frozen=True, slots=True)
class VfUse:
    """A function that something holds: `by` names the guest, driver, bridge or process."""

    address: str
    by: str

    @property
    def by_guest(self) -> bool:
        """Whether a running guest has it, and not the host."""
        return self.by.startswith("guest ")


def guests(running: Processes) -> tuple[Process, ...]:
    """The processes that are running guests."""
    return tuple(process for process in running.seen if _QEMU.fullmatch(process.program))


def guest_name(process: Process) -> str:
    """The name that libvirt gave a guest (`-name guest=instance-0000001a,debug-threads=on`), else its pid."""
    words = process.option("-name").split(",")
    named = [word.removeprefix("guest=") for word in words if word.startswith("guest=") or "=" not in word]
    return next((name for name in named if name), f"pid {process.pid}")


def read(
    node: Node, pci: PciFacts, network: NetworkFacts, running: Processes
) -> tuple[tuple[VfUse, ...], tuple[Unseen, ...]]:
    """Everything that is held, by address, and what could not be seen of it."""
    uses = list(_of_arguments(running))
    kept = [each for each in pci.functions if each.driver and _RESERVING.fullmatch(each.driver)]
    holders, unseen = _holders(node, running) if kept else ({}, ())
    for function in kept:
        nodes = _vfio_nodes(node, function)
        by = [f"{who}" for path in nodes for who in holders.get(path, ())]
        known = any(use.address == function.address for use in uses)
        uses += [VfUse(function.address, each) for each in by or ([] if known else [f"driver {function.driver}"])]
    for function in pci.functions:
        uses += _of_interfaces(function, network)
    ordered = sorted(dict.fromkeys(uses), key=lambda use: use.address)
    return tuple(ordered), unseen


def _of_arguments(running: Processes) -> Iterator[VfUse]:
    """What the guests were started with: `-device vfio-pci,host=0000:04:00.1` or the same as JSON. Needs no root."""
    for process in guests(running):
        for value in process.options("-device"):
            if "vfio" in value:
                for address in _HOST_DEVICE.findall(value):
                    full = address if address.count(":") > 1 else f"0000:{address}"
                    yield VfUse(full, f"guest {guest_name(process)}")


def _vfio_nodes(node: Node, function: PciFunction) -> list[str]:
    """The device nodes through which a function is held: its group's, and its own where the kernel has those."""
    own = best_effort.names(node, f"/sys/bus/pci/devices/{function.address}/vfio-dev")
    group = [] if function.iommu_group is None else [f"{_VFIO}{function.iommu_group}"]
    return [*group, *(f"{_VFIO}devices/{name}" for name in own)]


def _holders(node: Node, running: Processes) -> tuple[dict[str, list[str]], tuple[Unseen, ...]]:
    """Who has which /dev/vfio node open."""
    found: dict[str, list[str]] = {}
    hidden = False
    for process in running.seen:
        place = f"/proc/{process.pid}/fd"
        try:
            descriptors = node.names(place)
        except NodeError:
            hidden = True
            continue
        targets = {node.link(f"{place}/{name}") or "" for name in descriptors}
        for target in sorted(target for target in targets if target.startswith(_VFIO)):
            found.setdefault(target, []).append(_who(process))
    why = "other users' open files may not be seen without root rights"
    return found, (Unseen("who holds /dev/vfio", why),) if hidden else ()


def _who(process: Process) -> str:
    if _QEMU.fullmatch(process.program):
        return f"guest {guest_name(process)}"
    return f"{process.program} (pid {process.pid})"


def _of_interfaces(function: PciFunction, network: NetworkFacts) -> Iterator[VfUse]:
    """Interfaces of a VF that are ports of something, carry another link, or have an address; or that are elsewhere."""
    if not function.is_vf:
        return
    for device in function.netdevs:
        link = network.link(device.name)
        if link is not None and link.master:
            master = network.link(link.master)
            kind = master.kind if master is not None and master.kind in ("bridge", "bond") else "port of"
            yield VfUse(function.address, f"{kind} {link.master}")
        for above in network.links:
            if device.name in above.lower and (link is None or above.name != link.master):
                yield VfUse(function.address, f"{above.name} on {device.name}")
        for address in _own_addresses(device.name, network.addresses):
            yield VfUse(function.address, f"address {address} on {device.name}")
    if network.links and not function.netdevs and _should_have_interface(function):
        yield VfUse(
            function.address, f"{function.driver}, without an interface here: it may be in another network namespace"
        )


def _own_addresses(name: str, addresses: Iterable[tuple[str, str]]) -> Iterator[str]:
    for link, text in addresses:
        try:
            if link == name and not ipaddress.ip_interface(text).ip.is_link_local:
                yield text
        except ValueError:
            continue


def _should_have_interface(function: PciFunction) -> bool:
    infiniband = "InfiniBand" in function.link_layers
    return function.driver in _VF_DRIVERS and function.class_code.startswith("0200") and not infiniband
