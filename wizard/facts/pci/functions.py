"""PCI functions, from sysfs: no root needed, no lspci. Every file there but vendor, device and class is optional."""

from __future__ import annotations

from dataclasses import replace

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts.pci import config_space, sriov_support, vf_guids
from wizard.facts.pci import ids as pci_names
from wizard.facts.pci.addresses import PCI_ADDRESS
from wizard.facts.pci.children import NetDevice, RdmaDevice, RdmaPort, is_switchdev, netdevs, rdma
from wizard.facts.pci.config_space import vf_addresses
from wizard.facts.pci.directory import Links, Place
from wizard.facts.pci.families import CardFamily, card_family
from wizard.facts.pci.ids import CARDS, MELLANOX, VFS, family_of
from wizard.facts.pci.permanent_address import OwnAddresses
from wizard.facts.pci.sriov_support import NoVfs, Offer
from wizard.facts.pci.vf_guids import VfPort
from wizard.node.node import Node, Unseen

__all__ = [
    "NetDevice",
    "NoVfs",
    "Offer",
    "PciFacts",
    "PciFunction",
    "RdmaDevice",
    "RdmaPort",
    "family_of",
    "read",
    "vf_addresses",
]

DEVICES = "/sys/bus/pci/devices"


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
    port_types: tuple[str, ...]  # mlx4 only: what each port is now, "ib" or "eth"
    total_vfs: int | None  # what the kernel would allow now: firmware's TotalVFs, or less by the driver
    num_vfs: int | None
    vf_device: str | None  # the device id that this PF's VFs have
    autoprobe: bool | None
    physical_function: str | None  # of a VF: its PF's address
    virtual_functions: tuple[str, ...]  # of a PF, in order of their number
    offer: Offer  # offered: VFs can be had; off: the card could, firmware or BIOS does not let it; none: not an SR-IOV device
    why_no_vfs: str  # a sentence for the admin; empty where VFs are offered
    no_vfs: NoVfs = NoVfs.NOTHING  # the same as a reason, from which advice follows
    switchdev: bool = False  # a card whose embedded switch Open vSwitch programs: its VFs are hardware offload's
    vf_ports: tuple[VfPort, ...] | None = None  # of an InfiniBand PF: what each VF has; None where nothing says it

    @property
    def is_mellanox(self) -> bool:
        return self.vendor == MELLANOX

    @property
    def is_vf(self) -> bool:
        return self.physical_function is not None

    @property
    def family(self) -> pci_names.Family:
        """Which Mellanox driver family this is, by PCI id and never by what sysfs offers; empty for other vendors."""
        return family_of(self.vendor, self.device)

    @property
    def card_family(self) -> CardFamily:
        """What follows from its family: asked for in place of its name."""
        return card_family(self.vendor, self.device)

    @property
    def has_settings(self) -> bool:
        """Whether it is a PF whose firmware mstconfig can be asked about."""
        return self.card_family.mstconfig and self.device in CARDS and not self.is_vf

    @property
    def is_listed(self) -> bool:
        """Whether it is a PF that offers VFs, could offer them, or is expected to."""
        return not self.is_vf and (self.offer in ("offered", "off") or self.card_family.for_guests)

    @property
    def is_network(self) -> bool:
        """Ethernet, InfiniBand or other network controller by its class."""
        return self.class_code.startswith("02")

    @property
    def link_layers(self) -> tuple[str, ...]:
        """'InfiniBand' or 'Ethernet' for each port that says so."""
        return tuple(port.link_layer for device in self.rdma for port in device.ports)

    @property
    def is_infiniband(self) -> bool:
        """By its ports; where none of them says so, since mlx5_ib is not loaded for one, by its class."""
        if self.link_layers or self.port_types:
            return "InfiniBand" in self.link_layers or "ib" in self.port_types
        return self.class_code.startswith("0207")


@dataclass(frozen=True, slots=True)
class PciFacts:
    """All PCI functions, Mellanox PFs first, then other PFs that offer VFs, then the rest, each by address."""

    functions: tuple[PciFunction, ...]
    unseen: tuple[Unseen, ...]


def read(node: Node) -> PciFacts:
    """Look at every function. Changes nothing, and never fails: what cannot be read or understood is in `unseen`."""
    places, unseen = _places(node)
    has_iov = any("sriov_totalvfs" in place.names or "physfn" in place.names for place in places.values())
    others = {place.ids for place in places.values() if pci_names.own_name(*place.ids) is None}
    names, unseen_names = pci_names.read_names(node, others)
    serials, unseen_serials = _serials(list(places.values()))
    own = OwnAddresses(node)
    functions = [_function(place, places, names, serials, has_iov, own) for place in places.values()]
    found = [each for place in places.values() for each in place.unseen]
    return PciFacts(tuple(sorted(functions, key=_rank)), (*unseen, *unseen_names, *unseen_serials, *found))


def _rank(function: PciFunction) -> tuple[int, tuple[int, ...]]:
    if function.is_vf:
        kind = 2
    elif function.is_mellanox and (function.is_network or function.device in CARDS) and function.device not in VFS:
        kind = 0
    else:
        kind = 1 if function.offer == "offered" else 2
    return kind, config_space.sort_key(function.address)


def _places(node: Node) -> tuple[dict[str, Place], list[Unseen]]:
    """The directory of each function that says what it is, by address and in the order of the bus."""
    places: dict[str, Place] = {}
    unseen: list[Unseen] = []
    try:
        addresses = node.names(DEVICES)
    except NodeError as error:
        return {}, [Unseen("PCI functions", f"{DEVICES}: {error.what}")]
    if not addresses:
        unseen.append(Unseen("PCI functions", f"{DEVICES} is empty or not there"))
    links = Links(node, DEVICES)
    for address in addresses:
        if not PCI_ADDRESS.fullmatch(address):
            unseen.append(Unseen(f"{DEVICES}/{address}", "is not named as a PCI function is"))
            continue
        place = Place.open(node, address, links.leads(address))
        if place is None:
            unseen.append(Unseen(f"PCI function {address}", "its vendor, device and class cannot be read"))
        else:
            places[address] = place
    ordered = sorted(places, key=config_space.sort_key)
    return {address: places[address] for address in ordered}, unseen


def _function(
    place: Place,
    places: dict[str, Place],
    names: dict[tuple[str, str], str],
    serials: dict[tuple[str, str], str],
    has_iov: bool,
    own: OwnAddresses,
) -> PciFunction:
    vfs = _numbered(place)
    total, enabled = place.number("sriov_totalvfs"), place.number("sriov_numvfs")
    parent = place.function_behind("physfn")
    driver = place.link_name("driver")
    group = place.link_name("iommu_group")
    numa = place.number("numa_node")
    offer, why, reason = sriov_support.offer(place, driver, total, has_iov)
    function = PciFunction(
        address=place.address,
        vendor=place.vendor,
        device=place.device,
        subsystem=_subsystem(place),
        class_code=place.class_code,
        model=_model(place, places.get(parent or ""), names),
        driver=driver,
        numa_node=numa if numa is not None and numa >= 0 else None,
        iommu_group=int(group) if group and group.isdecimal() else None,
        serial=serials.get((place.slot, place.vendor)) if parent is None else None,
        netdevs=netdevs(place, own),
        rdma=rdma(place),
        port_types=_port_types(place),
        total_vfs=total,
        num_vfs=enabled,
        vf_device=_vf_device(place, vfs, places) if total is not None or place.is_card else None,
        autoprobe={"0": False, "1": True}.get(place.text("sriov_drivers_autoprobe") or ""),
        physical_function=parent,
        virtual_functions=tuple(vfs),
        offer=offer,
        why_no_vfs=why,
        no_vfs=reason,
        switchdev=bool(total) and parent is None and is_switchdev(place),
    )
    if not enabled or function.is_vf or not function.is_infiniband:
        return function
    interfaces = [device.name for device in function.netdevs]
    return replace(function, vf_ports=vf_guids.read(place, interfaces, enabled))


def _numbered(place: Place) -> list[str]:
    """The addresses behind virtfn0, virtfn1 …, by number and not by name: virtfn10 is listed before virtfn2."""
    numbers = sorted(int(name[6:]) for name in place.names if name.startswith("virtfn") and name[6:].isdecimal())
    targets = (place.function_behind(f"virtfn{number}") for number in numbers)
    return [target for target in targets if target is not None]


def _model(place: Place, parent: Place | None, names: dict[tuple[str, str], str]) -> str:
    """By name; a VF after its PF, because generations share the ids of their VFs."""
    if parent is not None and parent.is_card:
        return f"{CARDS[parent.device].model} VF"
    return pci_names.own_name(*place.ids) or names.get(place.ids) or f"{place.vendor}:{place.device}"


def _subsystem(place: Place) -> str:
    vendor, device = place.hexadecimal("subsystem_vendor", 4), place.hexadecimal("subsystem_device", 4)
    return f"{vendor}:{device}" if vendor is not None and device is not None else ""


def _port_types(place: Place) -> tuple[str, ...]:
    texts = (place.text(name) for name in ("mlx4_port1", "mlx4_port2") if name in place.names)
    # "auto (ib)" is InfiniBand that was found out (drivers/net/ethernet/mellanox/mlx4/main.c, show_port_type)
    return tuple(words[-1].strip("()") for text in texts if (words := (text or "").split()))


def _vf_device(place: Place, vfs: list[str], places: dict[str, Place]) -> str | None:
    """What the kernel says (4.15 and newer), what the VFs that are there have, or what the table here says."""
    said = place.hexadecimal("sriov_vf_device", 4)
    if said is not None:
        return said
    if vfs and vfs[0] in places:
        return places[vfs[0]].device
    return CARDS[place.device].vf_device if place.is_card else None


def _serials(places: list[Place]) -> tuple[dict[tuple[str, str], str], list[Unseen]]:
    """Serial numbers of the network cards that have or may have VFs, by slot and vendor: a card's functions share one.

    Only these are asked, and only until one function of the card answers: reading vital product data takes long.
    """
    found: dict[tuple[str, str], str] = {}
    refused: dict[tuple[str, str], Unseen] = {}
    for place in places:
        key = (place.slot, place.vendor)
        able = place.is_card or (place.is_network and "sriov_totalvfs" in place.names)
        if key in found or place.is_vf or not able or "vpd" not in place.names:
            continue
        try:
            serial = config_space.serial_number(place.content("vpd"))
        except NodeError as error:
            refused.setdefault(key, Unseen(f"serial number of {place.address}", f"vpd {error.what}"))
            continue
        if serial is not None:
            found[key] = serial
    return found, [unseen for key, unseen in refused.items() if key not in found]
