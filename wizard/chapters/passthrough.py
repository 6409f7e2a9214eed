"""Passthrough: tell nova which devices it may hand to guests, and by what name flavors ask for them."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from wizard import cards, device_spec, handover, nova_names, services
from wizard.answers import AllAnswers
from wizard.cards import AnswersModel, CardAnswers, Match
from wizard.chapters import passthrough_findings, passthrough_questions
from wizard.chapters.passthrough_questions import Policy
from wizard.formats import oslo_config
from wizard.node.facts import Facts
from wizard.node.nova_release import RELEASES
from wizard.node.pci import PciFunction
from wizard.nova_owner import OwnerAnswers
from wizard.plan import Finding
from wizard.questions import Check
from wizard.wants import Edit, Product, Wants

NAME = "passthrough"
TITLE = "Passthrough"
WHY = (
    "nova hands a device to a guest only if it is named in nova.conf here, if the scheduler looks at devices, and if a flavor "
    "asks for it by its alias. What belongs on the controller is printed for you: this node cannot see it."
)
NEEDS: tuple[str, ...] = ("iommu", "vfs")


class Flavor(AnswersModel):
    """A flavor that asks for `count` devices of the pool."""

    name: str
    count: int = 1

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

    vendor_id: str
    product_id: str
    address: str | None = None

    @field_validator("vendor_id", "product_id")
    @classmethod
    def _id(cls, value: str) -> str:
        if not re.fullmatch(r"[0-9a-fA-F]{4}", value):
            raise ValueError("type four hexadecimal digits without 0x, such as 15b3")
        return value.lower()

    @field_validator("address")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not cards.ADDRESS.fullmatch(value.lower()):
            raise ValueError("type a whole PCI address such as 0000:3b:00.1")
        return value.lower() if value else value


class Pool(AnswersModel):
    """Devices under one name. `name` is the alias that flavors ask for."""

    name: str
    cards: Literal["all"] | Match | None = None
    devices: Literal["vfs"] | list[Device] | None = None
    flavor: Flavor | None = None
    numa_policy: Policy | None = None
    physical_network: str | None = None
    trusted: bool | None = None

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,63}", value):
            raise ValueError(
                f"{value!r} is no alias: letters, digits, '.', '_' or '-', since ':' and ',' break the flavor's syntax"
            )
        return value

    @field_validator("physical_network")
    @classmethod
    def _physical(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,63}", value):
            raise ValueError("type a physical network's name of letters, digits, '.', '_' or '-', such as physnet1")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Pool:
        if isinstance(self.devices, list) and self.cards is not None:
            raise ValueError("give cards or devices, not both")
        return self


class Answers(OwnerAnswers):
    """`release`, `manager` and `config_file` are "auto" or what the admin knows better."""

    release: str = "auto"
    config_file: str = "auto"
    pool: list[Pool] = Field(default=[])

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


def suggest(facts: Facts) -> Answers | None:
    """What the last run was answered, where it still stands in nova.conf; else one pool over all cards."""
    offered = [function for function in facts.pci.functions if function.offer == "offered" and function.is_mellanox]
    if not facts.nova.installed:
        return None
    standing = _last_answers(facts)
    if standing is not None:
        return standing
    if not offered:
        return None
    ib = any("InfiniBand" in function.link_layers or "ib" in "".join(function.port_types) for function in offered)
    name = "ib" if ib else "mlx"
    return Answers(pool=[Pool(name=name, cards="all", flavor=Flavor(name=f"m1.{name}"))])


def _last_answers(facts: Facts) -> Answers | None:
    last = facts.history.last
    if last is None or NAME not in last.answers:
        return None
    try:
        answers = Answers.model_validate(last.answers[NAME])
    except ValueError:  # of another version of this tool
        return None
    release = release_of(facts, answers)
    if release is None:
        return None
    section, option = nova_names.device_option(release)
    there = {setting.value for setting in facts.nova.all(section, option)}
    own = _own_values(facts, answers)
    return answers if not own or there & own else None


questions = passthrough_questions.questions


def pool_functions(facts: Facts, answers: AllAnswers, pool: Pool) -> list[PciFunction]:
    """The PFs whose VFs a pool hands out."""
    asked = answers.of(CardAnswers)
    if asked is None:
        functions = [function for function in facts.pci.functions if function.num_vfs]
    else:
        functions = [request.function for request in cards.requests(asked, facts.pci) if request.count]
    if isinstance(pool.cards, Match):
        chosen = cards.select(pool.cards, facts.pci)
        return [function for function in functions if function in chosen]
    return functions


def specs(facts: Facts, answers: AllAnswers, pool: Pool) -> list[str]:
    """The values of device_spec for a pool: by ids where that is enough, else one for each PF."""
    if isinstance(pool.devices, list):
        return [device_spec.value(device.vendor_id, device.product_id, device.address) for device in pool.devices]
    tags = [(key, value) for key, value in (("physical_network", pool.physical_network),) if value]
    release = release_of(facts, mine) if (mine := answers.of(Answers)) else None
    if pool.trusted is not None and (release is None or nova_names.knows_trusted(release)):
        tags.append(("trusted", "true" if pool.trusted else "false"))
    functions = pool_functions(facts, answers, pool)
    found = []
    for function in functions:
        product = function.vf_device
        if product is not None:
            address = function.address if tags or _shared_id(facts, function, product, functions) else None
            found.append(device_spec.value(function.vendor, product, address, tags))
    return list(dict.fromkeys(found))


def _shared_id(facts: Facts, function: PciFunction, product: str, functions: list[PciFunction]) -> bool:
    """Whether VFs of a PF outside the pool have the same ids: then only the PF's address tells them apart."""
    others = [f for f in facts.pci.functions if not f.is_vf and f not in functions and f.vendor == function.vendor]
    return any(other.vf_device == product and other.offer == "offered" for other in others)


def alias(facts: Facts, answers: AllAnswers, pool: Pool, release: str) -> list[str]:
    """The alias values of a pool: the same name for each kind of VF in it. None for pools of Neutron ports."""
    if pool.physical_network is not None:
        return []
    if isinstance(pool.devices, list):
        ids = [(device.vendor_id, device.product_id) for device in pool.devices]
        kind = None
    else:
        kind = nova_names.device_type(release)
        ids = [(f.vendor, product) for f in pool_functions(facts, answers, pool) if (product := f.vf_device)]
    found = []
    for vendor, product in dict.fromkeys(ids):
        fields: dict[str, Any] = {"name": pool.name, "vendor_id": vendor, "product_id": product}
        if kind:
            fields["device_type"] = kind
        if pool.numa_policy and pool.numa_policy in nova_names.numa_policies(release):
            fields["numa_policy"] = pool.numa_policy
        found.append(json.dumps(fields))
    return found


def _own_values(facts: Facts, answers: Answers) -> set[str]:
    """Values in nova.conf that an earlier run of this tool added."""
    content = "\n".join(facts.history.file(file_of(facts, answers)).lines)
    return {line.partition("=")[2].strip() for line in content.splitlines() if "=" in line}


def wants(facts: Facts, answers: AllAnswers) -> Wants:
    mine = answers.of(Answers)
    release = release_of(facts, mine) if mine else None
    if mine is None or release is None:
        return Wants()
    path = file_of(facts, mine)
    wanted = {nova_names.device_option(release): [value for pool in mine.pool for value in specs(facts, answers, pool)]}
    if nova_names.alias_on_compute(release):
        values = [value for pool in mine.pool for value in alias(facts, answers, pool, release)]
        wanted[nova_names.alias_option(release)] = values
    own = _own_values(facts, mine)
    edit = Edit(path, _why(mine), lambda old: _edited(old, wanted, own), mode=0o640, secret=True)
    return Wants(
        edits=(edit,),
        products=_restart(facts, path),
        controller=handover.steps(facts, release, _pools(facts, answers, mine, release)) if mine.pool else (),
    )


def _why(answers: Answers) -> str:
    names = ", ".join(pool.name for pool in answers.pool)
    return f"devices that nova may hand out: {names}" if names else "no device is to be handed out any more"


def _pools(facts: Facts, answers: AllAnswers, mine: Answers, release: str) -> list[handover.Pool]:
    return [
        handover.Pool(
            pool.name,
            tuple(alias(facts, answers, pool, release)),
            pool.flavor.name if pool.flavor else "",
            pool.flavor.count if pool.flavor else 1,
            pool.physical_network or "",
        )
        for pool in mine.pool
    ]


def _edited(content: bytes | None, wanted: dict[tuple[str, str], list[str]], own: set[str]) -> bytes | None:
    """nova.conf with what is wanted; ours that is wanted no more goes, what others wrote stays."""
    if content is None:
        return None
    result = content
    for (section, option), values in wanted.items():
        for there in oslo_config.values(oslo_config.parse(result), section, option):
            if there in own and there not in values:
                result = oslo_config.remove_value(result, section, option, there)
        for value in values:
            if value not in oslo_config.values(oslo_config.parse(result), section, option):
                result = oslo_config.append_value(result, section, option, value)
    return result


def _restart(facts: Facts, path: str) -> tuple[Product, ...]:
    service = services.find(facts, "nova-compute", "openstack-nova-compute")
    if service is None:
        return ()
    why = "nova-compute reads its devices only when it starts"
    return (services.restarted(facts, service, why, (path,), waits_for_reboot=True),)


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    mine = answers.of(Answers)
    if mine is None:
        return []
    release = release_of(facts, mine)
    values = [value for pool in mine.pool for value in specs(facts, answers, pool)]
    lines = []
    if release is not None:
        section, option = nova_names.device_option(release)
        lines = [f"[{section}]", *(f"{option} = {value}" for value in values)]
    question = passthrough_findings.Asked(release, file_of(facts, mine), mine, tuple(values), tuple(lines))
    found = passthrough_findings.findings(facts, question) + _empty_pools(facts, answers, mine)
    return found + (_not_in_release(mine, release) if release is not None else [])


def _not_in_release(mine: Answers, release: str) -> list[Finding]:
    """What is answered and this release of nova does not know: it is left out, and nobody is to think that it counts."""
    wrong = [
        *(
            f"{pool.name}: trusted"
            for pool in mine.pool
            if pool.trusted is not None and not nova_names.knows_trusted(release)
        ),
        *(
            f"{pool.name}: numa_policy = {pool.numa_policy}"
            for pool in mine.pool
            if pool.numa_policy is not None and pool.numa_policy not in nova_names.numa_policies(release)
        ),
    ]
    if not wrong:
        return []
    return [
        Finding(
            code="PASSTHROUGH-NOT-IN-RELEASE",
            severity="warns",
            chapter=NAME,
            seen=f"{'; '.join(wrong)}: nova {release} does not know it",
            why="It is left out of nova.conf: nova would take it for a tag, or refuse the alias.",
            do="Take it out of the answers, or live without it until nova is upgraded.",
        )
    ]


def _empty_pools(facts: Facts, answers: AllAnswers, mine: Answers) -> list[Finding]:
    return [
        Finding(
            code="PASSTHROUGH-EMPTY-POOL",
            severity="blocks",
            chapter=NAME,
            seen=f"the pool {pool.name} names no device of this node",
            why="A pool without devices would leave nova.conf as it is, and a flavor that asks for it finds no host.",
            do="Give its cards VFs in the chapter before, or name its devices.",
        )
        for pool in mine.pool
        if not specs(facts, answers, pool)
    ] + [
        Finding(
            code="PASSTHROUGH-EMPTY-POOL",
            severity="warns",
            chapter=NAME,
            seen=f"the pool {pool.name}: no device of this node is {device.vendor_id}:{device.product_id}"
            + (f" at {device.address}" if device.address else ""),
            why="nova would have nothing to hand out, and a flavor that asks for it finds no host.",
            do="Compare with `lspci -nn`: VFs have a product id of their own, and it is theirs that counts.",
        )
        for pool in mine.pool
        for device in (pool.devices if isinstance(pool.devices, list) else [])
        if not _is_here(facts, device)
    ]


def _is_here(facts: Facts, device: Device) -> bool:
    """Whether there is such a device, or a card whose VFs will be such."""
    for function in facts.pci.functions:
        same = function.vendor == device.vendor_id
        if same and device.product_id == function.device and device.address in (None, function.address):
            return True
        if same and device.product_id == function.vf_device:
            return True
    return False


def checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    mine = answers.of(Answers)
    release = release_of(facts, mine) if mine else None
    if mine is None or release is None:
        return []
    section, option = nova_names.device_option(release)
    path = file_of(facts, mine)
    found = []
    for pool in mine.pool:
        what = f"nova may hand out the devices of {pool.name}"
        values = specs(facts, answers, pool)
        there = [setting.value for setting in facts.nova.all(section, option)]
        if facts.hidden(path):
            found.append(Check(NAME, what, "unknown", f"{path} {facts.hidden(path)}", "Run verify as root."))
        elif values and all(value in there for value in values):
            found.append(_loaded(facts, path, what, option))
        else:
            found.append(Check(NAME, what, "failed", f"{path} does not say so", "Run plan, then apply."))
    return found


def _loaded(facts: Facts, path: str, what: str, option: str) -> Check:
    """nova-compute reads its configuration when it starts, and never again."""
    snapshot = facts.files.get(path)
    started = facts.nova.compute_started
    if not facts.nova.compute_running or snapshot is None or started is None:
        return Check(NAME, what, "held", f"{option} in {path}; nova-compute is not running here now")
    if started < snapshot.modified:
        return Check(NAME, what, "pending", f"{path} is newer than the running nova-compute", "Restart it, or reboot.")
    return Check(NAME, what, "held", f"{option} in {path}, read by the running nova-compute")


def summary(facts: Facts) -> list[str]:
    nova = facts.nova
    if not nova.installed:
        return ["nova is not installed on this node"]
    managers = ", ".join(f"{manager.name} ({manager.evidence})" for manager in nova.managers) or "nobody else"
    return [
        f"nova {nova.release or 'of unknown release'} ({nova.release_source})",
        f"configuration: {', '.join(nova.config_files) or 'none'}, from the {nova.config_source}; also written by: {managers}",
    ]
