"""Network interfaces and RDMA devices of a PCI function."""

from __future__ import annotations

import re

from wizard.dataclass import dataclass
from wizard.facts.pci.directory import Place
from wizard.facts.pci.permanent_address import OwnAddresses
from wizard.regex import regex

_VIRTIO = regex(r"virtio\d+")
# As devlink names the ports of an embedded switch: of a VF or subfunction, of a host's PF on a DPU; by a number alone before Linux 5.
_REPRESENTOR = regex(r"(c\d+)?pf\d+((vf|sf)\d+)?|\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class NetDevice:
    """A network interface of a PCI function. `port` counts from 1; None where the kernel does not say.

    `mac` is the address that it has now, `own` the one that it came with: a port of a bond has another. `own` is empty where it is
    not known, and for VFs.
    """

    name: str
    mac: str
    port: int | None
    state: str
    own: str = ""


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


def netdevs(place: Place, own: OwnAddresses) -> tuple[NetDevice, ...]:
    """The network interfaces by port and name; a virtio device has its own between itself and the function. Representors of VFs,
    which a card in switchdev mode has beside its own, are Open vSwitch's ports and no way out of the node: they are left out."""
    parents: list[tuple[str, ...]] = [("net",)] if "net" in place.names else []
    parents += [(name, "net") for name in sorted(place.names) if name.startswith("virtio") and _VIRTIO.fullmatch(name)]
    places = [(place.inside(*parent, name), name) for parent in parents for name in place.children(*parent)]
    found = [_netdev(place, where, name, own) for where, name in places if not _is_representor(place, where)]
    return tuple(sorted(found, key=lambda device: (device.port or 0, device.name)))


def is_switchdev(place: Place) -> bool:
    """Whether an interface of a function belongs to an embedded switch: the driver says its id in switchdev mode alone."""
    if "net" not in place.names:
        return False
    return any(_said(place, place.inside("net", name), "phys_switch_id") for name in place.children("net"))


def _said(place: Place, where: str, attribute: str) -> str:
    """What an attribute of a directory says; `where` is its path, without links, or empty where it leads nowhere."""
    return (place.node.text_at(where, attribute) if where else None) or ""


def _is_representor(place: Place, where: str) -> bool:
    port = _said(place, where, "phys_port_name").strip()
    return _REPRESENTOR.fullmatch(port) is not None and bool(_said(place, where, "phys_switch_id"))


def _netdev(place: Place, where: str, name: str, own: OwnAddresses) -> NetDevice:
    def text(attribute: str) -> str:
        return _said(place, where, attribute)

    mac = text("address").lower()
    came_with = "" if place.is_vf else own.of(where, name, mac)
    return NetDevice(name, mac, _port(text("dev_port"), text("dev_id")), text("operstate"), came_with)


def _port(dev_port: str, dev_id: str) -> int | None:
    """Both count from 0. dev_port is there since 3.15, yet IPoIB went on with dev_id alone until 4.19: the larger counts."""
    numbers = [int(dev_port)] if re.fullmatch(r"\d{1,4}", dev_port, re.ASCII) else []
    if re.fullmatch(r"0x[0-9a-f]{1,4}", dev_id, re.IGNORECASE):
        numbers.append(int(dev_id, 16))
    return max(numbers) + 1 if numbers else None


def rdma(place: Place) -> tuple[RdmaDevice, ...]:
    """The RDMA devices by name; there are none as long as mlx4_ib or mlx5_ib is not loaded."""
    if "infiniband" not in place.names:
        return ()
    return tuple(_device(place, ("infiniband", name), name) for name in place.children("infiniband"))


def _device(place: Place, where: tuple[str, ...], name: str) -> RdmaDevice:
    def text(attribute: str, *below: str) -> str:
        return _said(place, place.inside(*where, *below), attribute)

    numbers = sorted(int(port) for port in place.children(*where, "ports") if re.fullmatch(r"\d{1,3}", port, re.ASCII))
    return RdmaDevice(
        name=name,
        firmware=text("fw_ver"),
        board_id=text("board_id"),
        node_guid=text("node_guid"),
        ports=tuple(
            RdmaPort(
                port, text("link_layer", "ports", str(port)), text("state", "ports", str(port)).rpartition(": ")[2]
            )  # "4: ACTIVE"
            for port in numbers
        ),
    )
