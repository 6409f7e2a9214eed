"""The networks that get a gateway of their own: shared by the chapters that name gateways and that redirect metadata."""

from __future__ import annotations

import ipaddress

from pydantic import Field, field_validator, model_validator

from wizard.formats import dnsmasq
from wizard.model.answers import AnswersModel


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


class Network(AnswersModel):
    """One network of nova-network: `label` as nova has it to the letter; `router` the gateway its guests are to use."""

    label: str = Field(description="the network's label in nova, to the letter")
    router: str = Field(description="IPv4 address of the external gateway")
    vlan: int | None = Field(default=None, description="VLAN id", json_schema_extra={"minimum": 1, "maximum": 4094})
    cidr: str | None = Field(default=None, description="the network, such as 10.44.1.0/24; the router has to be in it")
    bridge: str | None = Field(default=None, description="name of its bridge; without it, br and the VLAN id")

    @field_validator("label")
    @classmethod
    def _label(cls, value: str) -> str:
        problem = dnsmasq.label_problem(value)
        if problem:
            raise ValueError(problem)
        return value

    @field_validator("router")
    @classmethod
    def _router(cls, value: str) -> str:
        try:
            address = ipaddress.IPv4Address(value)
        except ValueError:
            raise ValueError(f"type the gateway's IPv4 address alone, such as 10.44.1.1, not {value!r}") from None
        if address.is_unspecified or address.is_multicast or address.is_loopback or address.is_reserved:
            raise ValueError(f"{value} is no address that a router can have; type one such as 10.44.1.1")
        return str(address)

    @field_validator("vlan")
    @classmethod
    def _vlan(cls, value: int | None) -> int | None:
        if value is not None and not 1 <= value <= 4094:
            raise ValueError("type a VLAN from 1 to 4094")
        return value

    @field_validator("cidr")
    @classmethod
    def _cidr(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return str(ipaddress.IPv4Network(value))
        except ValueError as error:
            raise ValueError(f"type a network such as 10.44.1.0/24: {error}") from None

    @field_validator("bridge")
    @classmethod
    def _bridge(cls, value: str | None) -> str | None:
        if value is not None and value.endswith("+"):
            raise ValueError(f"{value!r} is no bridge: type the whole name, such as br1441")
        return None if value is None else interface_name(value)

    @model_validator(mode="after")
    def _inside(self) -> Network:
        if self.cidr is None:
            return self
        network, router = ipaddress.IPv4Network(self.cidr), ipaddress.IPv4Address(self.router)
        if router not in network:
            raise ValueError(f"the router {self.router} of {self.label} is not in its network {self.cidr}")
        if network.prefixlen < 31 and router in (network.network_address, network.broadcast_address):
            raise ValueError(f"the router {self.router} of {self.label} is the network's own or broadcast address")
        return self

    @property
    def bridge_name(self) -> str | None:
        """The bridge: as answered, else as VlanManager names it."""
        return self.bridge or (f"br{self.vlan}" if self.vlan is not None else None)


class NetworkAnswers(AnswersModel):
    """The list of networks, without doubles."""

    network: list[Network] = Field(default=[], description="one entry a network")

    @model_validator(mode="after")
    def _once(self) -> NetworkAnswers:
        for field in ("label", "vlan"):
            seen: set[object] = set()
            for network in self.network:
                own = getattr(network, field)
                if own is not None and own in seen:
                    raise ValueError(f"{field} {own} is there twice: give each network its own")
                seen.add(own)
        return self


def interface_name(value: str) -> str:
    """A network interface's name, with a final + as wildcard; at most 15 characters (IFNAMSIZ). Raises ValueError."""
    bare = value.removesuffix("+")
    if (
        not bare
        or len(bare) > 15
        or not all(c.isascii() and (c.isalnum() or c in "._-") for c in bare)
        or bare[0] == "-"
    ):
        raise ValueError(f"{value!r} is no interface name: up to 15 letters, digits, '.', '_' or '-', such as br1441")
    return value
