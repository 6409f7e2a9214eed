"""Pools: what is asked for, and what it comes to in nova's words."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from wizard.chapters.passthrough import device_spec, nova_options
from wizard.chapters.passthrough.matching import outlook
from wizard.chapters.passthrough.matching.handout import Row
from wizard.chapters.passthrough.questions import Policy
from wizard.chapters.shared import cards
from wizard.chapters.shared.cards import CardAnswers, HexId, Match, PciAddress
from wizard.chapters.shared.nova_owner import OwnerAnswers
from wizard.facts.facts import Facts
from wizard.facts.nova.release import RELEASES
from wizard.facts.pci.functions import PciFunction
from wizard.model.answers import AllAnswers, AnswersModel

NAME_OF_POOL = "[A-Za-z0-9._][A-Za-z0-9._-]{0,63}"


class Flavor(AnswersModel):
    """A flavor that asks for `count` devices of the pool."""

    name: str = Field(description="name of the flavor")
    count: int = Field(
        default=1, description="devices that one guest gets", json_schema_extra={"minimum": 1, "maximum": 64}
    )

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not re.fullmatch(r"[\w.@][\w.@-]{0,254}", value, re.ASCII):
            raise ValueError("type a flavor name of letters, digits, '.', '_' or '-', such as m1.ib")
        return value

    @field_validator("count")
    @classmethod
    def _count(cls, value: int) -> int:
        if not 1 <= value <= 64:
            raise ValueError("type how many devices one guest gets: 1 to 64")
        return value


class Device(AnswersModel):
    """A device by its ids and, if wanted, one address."""

    vendor_id: HexId = Field(description="PCI vendor id")
    product_id: HexId = Field(description="PCI device id")
    address: PciAddress | None = Field(default=None, description="this address alone")


class Pool(AnswersModel):
    """Devices under one name. `name` is the alias that flavors ask for."""

    name: str = Field(description="the alias that flavors ask for", json_schema_extra={"pattern": f"^{NAME_OF_POOL}$"})
    cards: Literal["all"] | Match | None = Field(
        default=None, description="whose VFs: of all cards, or of those selected"
    )
    devices: Literal["vfs"] | list[Device] | None = Field(
        default=None, description='"vfs", or a list of devices by their ids in place of cards'
    )
    flavor: Flavor | None = Field(default=None, description="a flavor that asks for devices of this pool")
    numa_policy: Policy | None = Field(default=None, description="NUMA affinity that nova asks for")
    physical_network: str | None = Field(
        default=None,
        description="for Neutron ports: the physical network",
        json_schema_extra={"pattern": f"^{NAME_OF_POOL}$"},
    )
    trusted: bool | None = Field(
        default=None,
        description="for Neutron ports: guests may set a VF to trusted mode",
        json_schema_extra={"x-with": "physical_network"},
    )
    managed: bool | None = Field(
        default=None,
        description="for pools of an alias: whether libvirt binds the devices; from 2025.1 on",
        json_schema_extra={"x-without": "physical_network"},
    )
    live_migratable: bool | None = Field(
        default=None,
        description="for pools of an alias: guests may be migrated live with a device; from 2025.1 on",
        json_schema_extra={"x-without": "physical_network"},
    )

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not re.fullmatch(NAME_OF_POOL, value):
            raise ValueError(
                f"{value!r} is no alias: letters, digits, '.', '_' or '-', since ':' and ',' break the flavor's syntax"
            )
        return value

    @field_validator("physical_network")
    @classmethod
    def _physical(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(NAME_OF_POOL, value):
            raise ValueError("type a physical network's name of letters, digits, '.', '_' or '-', such as physnet1")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Pool:
        if isinstance(self.devices, list) and self.cards is not None:
            raise ValueError("give cards or devices, not both")
        return self


def _with_short_form(schema: dict[str, Any]) -> None:
    """Keys of the short form, which are taken before the model sees them."""
    schema["properties"] |= {
        "alias": {
            "type": "string",
            "pattern": f"^{NAME_OF_POOL}$",
            "description": "short form: one pool of this name over all cards",
        },
        "devices": {
            "anyOf": [{"const": "vfs"}, {"type": "array", "items": {"$ref": "#/$defs/Device"}}],
            "description": "short form: its devices",
        },
        "flavor": {"$ref": "#/$defs/Flavor", "description": "short form: its flavor"},
    }
    schema["dependentRequired"] = {"devices": ["alias"], "flavor": ["alias"]}


class Answers(OwnerAnswers):
    """`release`, `manager` and `config_file` are "auto" or what the admin knows better. `sriov_agent`: whether the lists of Neutron's
    SR-IOV agent on this node are written for pools of ports."""

    model_config = ConfigDict(json_schema_extra=_with_short_form)

    release: str = Field(
        default="auto",
        description="nova's release; auto: as found on the node",
        json_schema_extra={"enum": ["auto", *RELEASES]},
    )
    config_file: str = Field(default="auto", description="nova.conf's path; auto: as nova-compute is started with")
    sriov_agent: bool | None = Field(
        default=None,
        description="for pools of Neutron ports: write the lists of Neutron's SR-IOV agent on this node",
    )
    pool: list[Pool] = Field(default=[], description="one entry a pool")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        """`alias = "ib"`, `devices = "vfs"`, `flavor = {…}`: one pool over all cards."""
        if not isinstance(data, dict) or "alias" not in data:
            return data
        kept = {key: value for key, value in data.items() if key not in ("alias", "devices", "flavor")}
        if kept.get("pool"):
            raise ValueError("alias is the short form of one pool: it cannot stand beside [[passthrough.pool]]")
        pool = {"name": data["alias"], "cards": "all"} | ({"flavor": data["flavor"]} if "flavor" in data else {})
        if data.get("devices", "vfs") != "vfs":
            pool |= {"devices": data["devices"], "cards": None}
        return {**kept, "pool": [pool]}

    @field_validator("release")
    @classmethod
    def _release(cls, value: str) -> str:
        if value != "auto" and value not in RELEASES:
            raise ValueError(f"has to be auto or a release of nova, {RELEASES[0]} to {RELEASES[-1]}, not {value!r}")
        return value

    @field_validator("config_file")
    @classmethod
    def _config_file(cls, value: str) -> str:
        if value != "auto" and (
            not value.startswith("/") or ".." in value.split("/") or value.endswith("/") or not value.isprintable()
        ):
            raise ValueError("has to be auto, or a whole path such as /etc/nova/nova.conf")
        return value

    @model_validator(mode="after")
    def _once(self) -> Answers:
        names = [pool.name for pool in self.pool]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the pool {name} is there twice: give each pool its own name")
        return self


def release_of(facts: Facts, answers: Answers) -> str | None:
    return facts.nova.release if answers.release == "auto" else answers.release


def file_of(facts: Facts, answers: Answers) -> str:
    return facts.nova.main_file if answers.config_file == "auto" else answers.config_file


def own_values(facts: Facts, answers: Answers) -> set[str]:
    """Values in nova.conf that an earlier run of this tool added."""
    content = "\n".join(facts.history.file(file_of(facts, answers)).lines)
    return {line.partition("=")[2].strip() for line in content.splitlines() if "=" in line}


def with_vfs(facts: Facts, answers: AllAnswers) -> list[PciFunction]:
    """The PFs that are to have VFs, or have them where nothing is asked of cards."""
    asked = answers.of(CardAnswers)
    if asked is None:
        return [function for function in facts.pci.functions if function.num_vfs]
    return [request.function for request in cards.requests(asked, facts.pci) if request.count]


def pool_functions(facts: Facts, answers: AllAnswers, pool: Pool) -> list[PciFunction]:
    """The PFs whose VFs a pool hands out."""
    functions = with_vfs(facts, answers)
    if isinstance(pool.cards, Match):
        chosen = cards.select(pool.cards, facts.pci)
        return [function for function in functions if function in chosen]
    return functions


def specs(facts: Facts, answers: AllAnswers, pool: Pool) -> list[str]:
    """The values of device_spec for a pool: by ids where that is enough, else one for each PF."""
    tags = [(key, value) for key, value in (("physical_network", pool.physical_network),) if value]
    release = release_of(facts, mine) if (mine := answers.of(Answers)) else None
    if pool.trusted is not None and (release is None or nova_options.knows_trusted(release)):
        tags.append(("trusted", "true" if pool.trusted else "false"))
    if pool.physical_network is None and (release is None or nova_options.knows_migration(release)):
        tags += [
            (key, "yes" if said else "no")
            for key, said in (("managed", pool.managed), ("live_migratable", pool.live_migratable))
            if said is not None
        ]
    if isinstance(pool.devices, list):
        return [device_spec.value(each.vendor_id, each.product_id, each.address, tags) for each in pool.devices]
    functions = pool_functions(facts, answers, pool)
    found = []
    for function in functions:
        product = function.vf_device
        if product is not None:
            address = function.address if tags or _shared_id(facts, function, product, functions) else None
            found.append(device_spec.value(function.vendor, product, address, tags))
    return list(dict.fromkeys(found))


def due(facts: Facts, answers: AllAnswers, pool: Pool, own: Collection[str]) -> list[str]:
    """Those values of a pool that nova.conf needs: none for a PF whose VFs are ports of that network already, by lines of others in
    whatever form. `own` are values that an earlier run of this tool wrote: these stay."""
    served = already(facts, answers, pool, own)
    return [value for value in specs(facts, answers, pool) if not any(f'"{address}"' in value for address in served)]


def already(facts: Facts, answers: AllAnswers, pool: Pool, own: Collection[str]) -> dict[str, set[str]]:
    """Addresses of the PFs of a pool whose VFs are ports of its network already, with the values of others' lines that say so."""
    mine = answers.of(Answers)
    release = release_of(facts, mine) if mine else None
    if pool.physical_network is None or isinstance(pool.devices, list) or release is None:
        return {}
    functions = pool_functions(facts, answers, pool)
    coming = {f.address: f.num_vfs or 1 for f in functions}
    there = outlook.of(facts, release, tuple(s for s in facts.nova.settings if s.value not in own), coming).rows
    found: dict[str, set[str]] = {}
    for function in functions:
        rows = [row for row in there if row.device.parent == function.address]
        if _is_served(pool, rows):
            found[function.address] = {row.setting.value for row in rows if row.setting is not None}
    return found


def _is_served(pool: Pool, rows: list[Row]) -> bool:
    """Whether all these VFs are certainly ports of the pool's network, trusted as it is asked."""
    if not rows or any(row.doubt or row.maybe or row.spec is None or not row.for_ports for row in rows):
        return False
    if any(row.network != pool.physical_network for row in rows):
        return False
    said = {str(row.spec.get("trusted") or "").lower() for row in rows if row.spec is not None}
    return pool.trusted is None or said == {"true" if pool.trusted else "false"}


def _shared_id(facts: Facts, function: PciFunction, product: str, functions: list[PciFunction]) -> bool:
    """Whether VFs of a PF outside the pool have the same ids: then only the PF's address tells them apart."""
    others = [f for f in facts.pci.functions if not f.is_vf and f not in functions and f.vendor == function.vendor]
    return any(other.vf_device == product and other.offer == "offered" for other in others)


def kinds(facts: Facts, answers: AllAnswers, pool: Pool) -> list[tuple[str, str]]:
    """(vendor, product) of each kind of device in a pool."""
    if isinstance(pool.devices, list):
        ids = [(device.vendor_id, device.product_id) for device in pool.devices]
    else:
        ids = [(f.vendor, product) for f in pool_functions(facts, answers, pool) if (product := f.vf_device)]
    return list(dict.fromkeys(ids))


def infiniband(facts: Facts, answers: AllAnswers, pool: Pool) -> list[PciFunction]:
    """The PFs of a pool's VFs that are InfiniBand now."""
    wanted = kinds(facts, answers, pool)
    functions = pool_functions(facts, answers, pool)
    return [f for f in functions if f.is_infiniband and (f.vendor, f.vf_device) in wanted]


def whole(facts: Facts, answers: AllAnswers, pool: Pool) -> list[PciFunction]:
    """The PFs that a pool names by their own id. Where VFs have the id of their PF too and are to be there, they are meant."""
    if not isinstance(pool.devices, list):
        return []
    ids = [(device.vendor_id, device.product_id, device.address) for device in pool.devices]
    own = [f for f in facts.pci.functions if not f.is_vf and f.total_vfs]
    named = [f for f in own if any((f.vendor, f.device, place) in ids for place in (None, f.address))]
    parents = with_vfs(facts, answers)
    return [f for f in named if f.vf_device != f.device or f not in parents]


def device_type(facts: Facts, answers: AllAnswers, pool: Pool, release: str, kind: tuple[str, str]) -> str | None:
    """What the alias of a pool says that its devices of a kind are; None where it says nothing of it."""
    if not isinstance(pool.devices, list):
        return nova_options.device_type(release)
    pfs = [(function.vendor, function.device) for function in whole(facts, answers, pool)]
    return nova_options.device_type(release, whole=True) if kind in pfs else None


def alias(facts: Facts, answers: AllAnswers, pool: Pool, release: str) -> list[str]:
    """The alias values of a pool: the same name for each kind of device in it. None for pools of Neutron ports."""
    if pool.physical_network is not None:
        return []
    found = []
    for vendor, product in kinds(facts, answers, pool):
        fields: dict[str, Any] = {"name": pool.name, "vendor_id": vendor, "product_id": product}
        said = device_type(facts, answers, pool, release, (vendor, product))
        if said:
            fields["device_type"] = said
        if pool.numa_policy and pool.numa_policy in nova_options.numa_policies(release):
            fields["numa_policy"] = pool.numa_policy
        if pool.live_migratable is not None and nova_options.knows_migration(release):
            fields["live_migratable"] = "yes" if pool.live_migratable else "no"  # nova refuses true and false there
        found.append(json.dumps(fields))
    return found


def for_node(facts: Facts, answers: AllAnswers, mine: Answers, release: str) -> dict[tuple[str, str], list[str]]:
    """What nova.conf of this node has to say that others do not say already: values by (section, option)."""
    own = own_values(facts, mine)
    found = {
        nova_options.device_option(release): [value for pool in mine.pool for value in due(facts, answers, pool, own)]
    }
    if nova_options.alias_on_compute(release):
        values = [value for pool in mine.pool for value in alias(facts, answers, pool, release)]
        found[nova_options.alias_option(release)] = values
    return found


def fragment(wanted: dict[tuple[str, str], list[str]]) -> list[str]:
    """The same as lines for another place, each section once."""
    lines = []
    for section in dict.fromkeys(section for section, _ in wanted):
        values = [
            f"{option} = {value}" for (where, option), each in wanted.items() if where == section for value in each
        ]
        lines += [f"[{section}]", *values] if values else []
    return lines
