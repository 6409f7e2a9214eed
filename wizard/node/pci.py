"""PCI functions, from sysfs: no root needed, no lspci."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wizard.node.node import Node, Unseen

Offer = Literal["offered", "off", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class NetDevice:
    """A network interface of a PCI function. `port` counts from 1; None where the kernel does not say."""

    name: str
    mac: str
    port: int | None
    state: str


@dataclass(frozen=True, slots=True)
class RdmaPort:
    """A port of an RDMA device: `link_layer` is 'InfiniBand' or 'Ethernet', `state` such as 'ACTIVE' or 'DOWN'."""

    number: int
    link_layer: str
    state: str


@dataclass(frozen=True, slots=True)
class RdmaDevice:
    """An RDMA device (mlx4_0, mlx5_1 …) with its firmware version, board id (PSID), node GUID and ports."""

    name: str
    firmware: str
    board_id: str
    node_guid: str
    ports: tuple[RdmaPort, ...]


@dataclass(frozen=True, slots=True)
class PciFunction:
    """One PCI function. Ids are four lower-case hex digits; None means that the node does not say."""

    address: str  # dddd:bb:ss.f
    vendor: str
    device: str
    subsystem: str  # "15b3:0006", or "" where unknown
    class_code: str  # six hex digits
    model: str  # "ConnectX-3 Pro", or "15b3:1007" where it has no name here
    driver: str | None
    numa_node: int | None
    iommu_group: int | None
    serial: str | None
    netdevs: tuple[NetDevice, ...]
    rdma: tuple[RdmaDevice, ...]
    port_types: tuple[str, ...]  # mlx4 only: "ib", "eth" or "auto", a port each
    total_vfs: int | None  # what the kernel would allow now: firmware's TotalVFs, or less by the driver
    num_vfs: int | None
    vf_device: str | None  # the device id that this PF's VFs have
    autoprobe: bool | None
    physical_function: str | None  # of a VF: its PF's address
    virtual_functions: tuple[str, ...]  # of a PF, in order of their number
    offer: Offer  # offered: VFs can be had; off: the card could, firmware or BIOS does not let it; none: not an SR-IOV device
    why_no_vfs: str  # a sentence for the admin; empty where VFs are offered

    @property
    def is_mellanox(self) -> bool:
        return self.vendor == "15b3"

    @property
    def is_vf(self) -> bool:
        return self.physical_function is not None

    @property
    def family(self) -> Literal["mlx4", "mlx5", ""]:
        """Which Mellanox driver family this is, by PCI id and never by what sysfs offers; empty for other vendors."""
        return family_of(self.vendor, self.device)

    @property
    def is_network(self) -> bool:
        """Ethernet, InfiniBand or other network controller by its class."""
        return self.class_code.startswith("02")

    @property
    def link_layers(self) -> tuple[str, ...]:
        """'InfiniBand' or 'Ethernet' for each port that says so."""
        return tuple(port.link_layer for device in self.rdma for port in device.ports)


@dataclass(frozen=True, slots=True)
class PciFacts:
    """All PCI functions, Mellanox PFs first, then other PFs that offer VFs, then the rest, each by address."""

    functions: tuple[PciFunction, ...]
    unseen: tuple[Unseen, ...]
