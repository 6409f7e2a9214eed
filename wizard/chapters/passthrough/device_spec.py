"""device_spec (pci_passthrough_whitelist before): values as this tool writes them, and which functions a value matches."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from wizard.chapters.passthrough.matching import devices, specs
from wizard.chapters.passthrough.matching.rules import NEWEST, Rules
from wizard.chapters.passthrough.matching.specs import KEYS, TAGS_SINCE, Spec
from wizard.facts.pci.functions import PciFunction

__all__ = ["KEYS", "NEWEST", "TAGS_SINCE", "Spec", "matched", "parse", "value", "vf_of"]


def parse(value: str, release: str = NEWEST) -> list[Spec]:
    """The objects of one value. Raises FormatError where nova-compute of that release would refuse it."""
    return specs.parse(value, Rules(release))


def matched(found: Iterable[Spec], functions: Iterable[PciFunction]) -> list[PciFunction]:
    """The functions that any of the specs hands out."""
    every, there = list(found), list(functions)
    if not every:
        return []
    rules = every[0].rules
    host = devices.host(there, rules)
    return [f for f in there if any(spec.matches(devices.device_of(f, rules), host) for spec in every)]


def vf_of(function: PciFunction) -> PciFunction | None:
    """Any VF of a PF, as a spec sees it, before there is one; None where it is not known what its VFs are. It stands at the
    PF's own address, since a spec of addresses that means the one mostly means the others."""
    if function.vf_device is None or function.is_vf:
        return None
    return replace(function, device=function.vf_device, physical_function=function.address, netdevs=(), total_vfs=None)


def value(vendor: str, product: str, address: str | None = None, tags: Iterable[tuple[str, Any]] = ()) -> str:
    """One value in the subset that every release reads alike: lower-case ids, whole address, strict JSON, one line."""
    fields: dict[str, Any] = {"vendor_id": vendor.lower(), "product_id": product.lower()}
    if address:
        fields["address"] = address
    fields.update(tags)
    return json.dumps(fields).replace("$", "$$")
