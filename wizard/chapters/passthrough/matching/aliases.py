"""Aliases: what flavors ask for. Behaviour after nova/pci/request.py (get_alias_from_config), schema included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wizard.chapters.passthrough import nova_options
from wizard.chapters.passthrough.matching.numbers import switch
from wizard.chapters.passthrough.matching.rules import Rules
from wizard.dataclass import dataclass
from wizard.errors import FormatError
from wizard.regex import regex

_ID = regex(r"^[\da-fA-F]{4}$")
_OLD_TYPES = ("NIC", "ACCEL", "GPU")
_TYPES = ("type-PCI", "type-PF", "type-VF")
_MEND = "Fix it, or take it out: one JSON object with a name, on one line."


@dataclass(frozen=True, slots=True)
class Alias:
    """One alias line: `wanted` is what a device has to have, by the names that nova's pools use."""

    name: str
    policy: str
    wanted: tuple[tuple[str, Any], ...]

    @property
    def kind(self) -> Any:
        return dict(self.wanted).get("dev_type")


def keys(rules: Rules) -> tuple[str, ...]:
    """The keys that an alias may have."""
    found = ["name", "capability_type", "product_id", "vendor_id", "device_type"]
    found += ["numa_policy"] if nova_options.numa_policies(rules.release) else []
    found += ["resource_class", "traits"] if rules.has("alias by class") else []
    return (*found, "live_migratable") if rules.has("live_migratable") else tuple(found)


def parse(value: str, rules: Rules) -> Alias:
    """One alias. Raises FormatError with nova's reason where nova does not take it."""
    try:
        data = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}", do=_MEND) from None
    if not isinstance(data, dict):
        raise FormatError("is no JSON object", do=_MEND)
    _against_schema(data, rules)
    name = data["name"].strip() if rules.has("alias name stripped") else data["name"]
    wanted = {key: each for key, each in data.items() if key not in ("name", "numa_policy", "device_type")}
    if data.get("device_type"):
        wanted["dev_type" if rules.has("types in aliases") else "device_type"] = data["device_type"]
    if "live_migratable" in wanted:
        said = switch(wanted["live_migratable"])
        if said is None:
            raise FormatError(f"Unrecognized value '{wanted['live_migratable']}' of live_migratable", do=_MEND)
        wanted["live_migratable"] = "true" if said else "false"
    return Alias(name, data.get("numa_policy") or "legacy", tuple(wanted.items()))


def _against_schema(data: dict[str, Any], rules: Rules) -> None:
    more = [key for key in data if key not in keys(rules)]
    if more:
        raise FormatError(
            f"Additional properties are not allowed ({', '.join(more)}): nova {rules.release} knows {', '.join(keys(rules))}",
            do="Take them out: an alias has no address and no physical network, and the type is device_type.",
        )
    if "name" not in data:
        raise FormatError("name is a required property", do=_MEND)
    for key, value in data.items():
        if not isinstance(value, str):
            raise FormatError(f"{key}: {json.dumps(value)} is not a string", do='Write it as a string: "…".')
    if not 1 <= len(data["name"]) <= 256:
        raise FormatError("name has to have 1 to 256 characters", do=_MEND)
    for key in ("vendor_id", "product_id"):
        if key in data and not _ID.search(data[key]):
            raise FormatError(
                f"{key} '{data[key]}' does not match four hexadecimal digits",
                do='Write four hexadecimal digits without 0x: "15b3".',
            )
    choices = {
        "capability_type": ("pci",),
        "device_type": _TYPES if rules.has("types in aliases") else _OLD_TYPES,
        "numa_policy": nova_options.numa_policies(rules.release),
    }
    for key, known in choices.items():
        if key in data and data[key] not in known:
            raise FormatError(f"{key} '{data[key]}' is not one of {', '.join(known)}", do="Write one of these.")


def against(one: Alias, other: Alias, rules: Rules) -> str:
    """Why nova refuses two lines of the same name beside each other, `one` being the first; empty where it takes them."""
    if one.policy != other.policy:
        return f"NUMA policy {one.policy} in one line, {other.policy} in another"
    key = "dev_type" if rules.has("types in aliases") else "device_type"
    kinds = [dict(each.wanted).get(key) for each in (one, other)]
    if None in kinds:
        return "without a device_type in each of its lines a name may be there only once"
    if kinds[0] != kinds[1]:
        return f"device_type {kinds[0]} in one line, {kinds[1]} in another"
    if rules.in_placement and rules.has("one line a name in placement"):
        return "with pci_in_placement a name may be there only once"
    return ""


def lacks_ids(alias: Alias, rules: Rules) -> str:
    """Why nova refuses an alias that names no device, from 31.3.1 on; empty where it takes it."""
    wanted = dict(alias.wanted)
    if not rules.has("aliases read at start") or ("vendor_id" in wanted and "product_id" in wanted):
        return ""
    if rules.in_placement and "resource_class" in wanted:
        return ""
    return "has no vendor_id and product_id (refused from 31.3.1 on)"


def asked_for(alias: Alias, pool: Mapping[str, Any], rules: Rules) -> bool:
    """Whether a device with these properties is one that the alias asks for (nova/pci/stats.py, _filter_pools)."""
    wanted = {key: value for key, value in alias.wanted if key not in rules.ignored_tags}
    if not all(rules.same(pool.get(key), value) for key, value in wanted.items()):
        return False
    if rules.has("counts cards") and pool.get("dev_type") == "type-PF" and alias.kind != "type-PF":
        return False
    if rules.has("vdpa") and pool.get("dev_type") == "vdpa":
        return False
    return not (rules.has("remote_managed") and switch(pool.get("remote_managed") or False))
