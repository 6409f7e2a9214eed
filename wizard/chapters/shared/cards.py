"""Which cards are meant, and how many VFs each is to have: shared by the chapters that make VFs and that hand them out."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from wizard.chapters.shared import guids
from wizard.dataclass import dataclass
from wizard.facts.pci.addresses import PCI_ADDRESS
from wizard.facts.pci.functions import PciFacts, PciFunction
from wizard.model.answers import AnswersModel

MOST_VFS = 1024  # of one function; what asks for more is a mistake


def _hex_id(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{4}", value):
        raise ValueError("type four hexadecimal digits without 0x, such as 15b3")
    return value.lower()


def _pci_address(value: str) -> str:
    if not PCI_ADDRESS.fullmatch(value.lower()):
        raise ValueError("type a whole PCI address such as 0000:3b:00.0")
    return value.lower()


HexId = Annotated[str, AfterValidator(_hex_id), WithJsonSchema({"type": "string", "pattern": "^[0-9a-fA-F]{4}$"})]
PciAddress = Annotated[
    str, AfterValidator(_pci_address), WithJsonSchema({"type": "string", "examples": ["0000:3b:00.0"]})
]
MAC = r"([0-9a-fA-F]{2}:){5}([0-9a-fA-F]{2}|([0-9a-fA-F]{2}:){14}[0-9a-fA-F]{2})"
_WAYS: list[JsonValue] = [
    {"required": [name] if isinstance(name, str) else [*name]}
    for name in ("serial", "mac", "netdev", "address", ("vendor", "product"))
]


class Match(AnswersModel):
    """One card by serial, MAC, network interface or PCI address; or all functions of a vendor and product."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [*_WAYS]})

    serial: str | None = Field(default=None, description="serial number from the card's VPD: every port of that card")
    mac: str | None = Field(
        default=None, description="MAC address that a port came with", json_schema_extra={"pattern": f"^{MAC}$"}
    )
    netdev: str | None = Field(default=None, description="name of a network interface")
    address: PciAddress | None = Field(default=None, description="PCI address, such as 0000:3b:00.0")
    vendor: HexId | None = Field(default=None, description="PCI vendor id; with product, every card of that kind")
    product: HexId | None = Field(default=None, description="PCI device id; with vendor")

    @field_validator("mac")
    @classmethod
    def _mac(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(MAC, value):
            raise ValueError("type a MAC address such as 24:8a:07:11:22:33")
        return value.lower() if value else value

    @model_validator(mode="after")
    def _one(self) -> Match:
        ways = [name for name in ("serial", "mac", "netdev", "address") if getattr(self, name) is not None]
        if self.vendor is not None or self.product is not None:
            if self.vendor is None or self.product is None:
                raise ValueError("vendor and product belong together")
            ways.append("vendor + product")
        if len(ways) != 1:
            raise ValueError("give exactly one of serial, mac, netdev, address, or vendor with product")
        return self

    def __str__(self) -> str:
        return " ".join(f"{name} {value}" for name, value in self if value is not None)


Ports = Literal["infiniband", "ethernet", "keep"]
Policy = Literal["follow", "up", "down"]


class Card(AnswersModel):
    """How many VFs each PCI function of a card is to have, and what its ports are to be."""

    match: Match = Field(description="which card: one of serial, mac, netdev, address, or vendor with product")
    count: int | Literal["max"] = Field(
        union_mode="left_to_right",
        description='VFs of each PCI function; "max" is what the card offers, 0 none',
        json_schema_extra={"minimum": 0, "maximum": MOST_VFS},
    )
    ports: Ports | list[Ports] = Field(
        default="keep", description="ConnectX-3: what the ports are to be, one word for all or a list"
    )
    host_vfs: int = Field(
        default=0,
        description="VFs that the host itself uses",
        json_schema_extra={"minimum": 0, "maximum": MOST_VFS},
    )
    firmware: Literal["keep", "set"] = Field(
        default="keep",
        description='"set": SR-IOV is switched on in the firmware; irreversible, needs --accept one-way',
    )

    guids: str = Field(
        default="",
        description="InfiniBand, mlx5: GUIDs of the VFs, each or FIRST-LAST; of several ports each gets an equal part",
    )
    policy: Policy = Field(
        default="follow",
        description="InfiniBand, mlx5: the state of each VF's port",
        json_schema_extra={"x-with": "guids"},
    )

    @model_serializer(mode="wrap")
    def _without_guids(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Nothing is said of GUIDs where there are none."""
        data: dict[str, Any] = handler(self)
        return data if self.guids else {name: value for name, value in data.items() if name not in ("guids", "policy")}

    @field_validator("guids")
    @classmethod
    def _guids(cls, value: str) -> str:
        guids.parse(value)
        return value.strip()

    @field_validator("count", mode="before")
    @classmethod
    def _count(cls, value: object) -> object:
        if isinstance(value, bool) or not (value == "max" or (isinstance(value, int) and 0 <= value <= MOST_VFS)):
            raise ValueError(f'type a number from 0 to {MOST_VFS}, or "max"')
        return value

    @field_validator("host_vfs")
    @classmethod
    def _host(cls, value: int) -> int:
        if not 0 <= value <= MOST_VFS:
            raise ValueError("type how many VFs the host itself keeps: 0 or more")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Card:
        if isinstance(self.count, int) and self.host_vfs > self.count:
            raise ValueError(f"the host cannot keep {self.host_vfs} of {self.count} VFs")
        return self


class CardAnswers(AnswersModel):
    """The list of cards. The chapter that makes VFs answers with this; the one that hands them out reads it."""

    card: list[Card] = Field(default_factory=list, description="one entry a card; the first that selects a port wins")


@dataclass(frozen=True, slots=True)
class Request:
    """One PCI function and what is asked of it. `limit` is None where no limit is known; `count` is always a number."""

    function: PciFunction
    card: Card
    count: int
    limit: int | None


def select(match: Match, pci: PciFacts) -> list[PciFunction]:
    """The functions that a match means; never VFs."""
    functions = [function for function in pci.functions if not function.is_vf]
    if match.serial is not None:
        return [f for f in functions if f.serial == match.serial]
    if match.mac is not None:
        return _by_mac(match.mac, functions)
    if match.netdev is not None:
        return [f for f in functions if any(device.name == match.netdev for device in f.netdevs)]
    if match.address is not None:
        return [f for f in functions if f.address == match.address]
    return [f for f in functions if (f.vendor, f.device) == (match.vendor, match.product)]


def _by_mac(mac: str, functions: list[PciFunction]) -> list[PciFunction]:
    """Those that came with this address: in a bond several have it, and one came with it. Else those that have it now."""
    came = [f for f in functions if any(device.own == mac for device in f.netdevs)]
    return came or [f for f in functions if any(device.mac == mac for device in f.netdevs)]


def own_mac(function: PciFunction) -> str | None:
    """The Ethernet address that an interface of this function is known to have come with."""
    found = (device.own for device in function.netdevs)
    return next((mac for mac in found if re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", mac)), None)


def limit(function: PciFunction) -> int | None:
    """How many VFs the function can have: what sysfs says, and what its driver bears."""
    most = function.card_family.most_vfs
    return function.total_vfs if function.total_vfs is None or most is None else min(function.total_vfs, most)


def above_driver(function: PciFunction, count: int) -> bool:
    """Whether so many VFs are more than its driver bears, whatever the card offers."""
    most = function.card_family.most_vfs
    return most is not None and count > most


def requests(answers: CardAnswers, pci: PciFacts) -> list[Request]:
    """One request for each function that a card of the answers means, in the order of the answers; the first match wins."""
    found: dict[str, Request] = {}
    for card in answers.card:
        for function in select(card.match, pci):
            if function.address in found:
                continue
            bound = limit(function)
            count = (bound or 0) if card.count == "max" else card.count
            found[function.address] = Request(function, card, count, bound)
    return list(found.values())


def identity(function: PciFunction) -> Match:
    """The steadiest way to name a card: serial, else the MAC it came with, else interface, else address.

    A serial names every function of its card: what a Mellanox card is bought for; of other cards one port often carries the
    node itself, so each port is named by its own MAC.
    """
    if function.serial and function.card_family.for_guests:
        return Match(serial=function.serial)
    return port_identity(function)


def port_identity(function: PciFunction) -> Match:
    """The steadiest way to name one port of a card."""
    mac = own_mac(function)
    if mac is not None:
        return Match(mac=mac)
    # an interface without one: its address is a bond's, or was set
    named = next((device.name for device in function.netdevs if not device.own), None)
    return Match(netdev=named) if named is not None else Match(address=function.address)
