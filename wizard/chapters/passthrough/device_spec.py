"""device_spec (pci_passthrough_whitelist before): which devices of this node a value would hand to guests.

Behaviour after nova/pci/devspec.py and whitelist.py: unknown keys are tags, and a missing key matches everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from wizard.errors import FormatError
from wizard.facts.pci.functions import PciFunction

TAGS_SINCE = {
    "physical_network": "kilo",
    "trusted": "rocky",
    "remote_managed": "yoga",
    "resource_class": "zed",
    "traits": "zed",
    "managed": "2025.1",
    "live_migratable": "2025.1",
    "one_time_use": "2025.2",
}
KEYS = frozenset({"vendor_id", "product_id", "address", "devname", *TAGS_SINCE, "device_type", "capability_type"})


@dataclass(frozen=True, slots=True)
class Spec:
    """One object of a device_spec value."""

    fields: tuple[tuple[str, Any], ...]

    def get(self, key: str) -> Any:
        return dict(self.fields).get(key)

    def unknown(self) -> list[str]:
        """Keys that nova does not know as filters: each is a tag, and its misspelt original matches everything."""
        return [key for key, _ in self.fields if key not in KEYS]

    def matches(self, function: PciFunction) -> bool:
        """Whether nova would hand this function out; nothing is known of `devname` but the names that are there now."""
        for key, own in (("vendor_id", function.vendor), ("product_id", function.device)):
            wanted = self.get(key)
            if wanted not in (None, "*") and _number(wanted) != _number(own):
                return False
        devname = self.get("devname")
        if devname is not None and devname not in [device.name for device in function.netdevs]:
            return False
        address = self.get("address")
        if address is None:
            return True
        if isinstance(address, dict):
            return _by_regex(address, function.address)
        return _by_glob(str(address), function.address) or _is_parent(str(address), function)


def parse(value: str) -> list[Spec]:
    """The objects of one value. Raises FormatError where nova-compute would refuse it."""
    try:
        data = json.loads(value)
    except ValueError as error:
        raise FormatError(f"is not JSON: {error}", do="Write strict JSON with double quotes on one line.") from None
    objects = data if isinstance(data, list) else [data]
    if not all(isinstance(each, dict) for each in objects):
        raise FormatError("has to be a JSON object, or a list of objects")
    return [Spec(tuple(each.items())) for each in objects]


def matched(specs: Iterable[Spec], functions: Iterable[PciFunction]) -> list[PciFunction]:
    """The functions that any of the specs hands out."""
    every = list(specs)
    return [function for function in functions if any(spec.matches(function) for spec in every)]


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


def _number(text: object) -> int | None:
    try:
        return int(str(text).strip(), 16)
    except ValueError:
        return None


def _parts(address: str) -> tuple[str, str, str, str]:
    """domain, bus, slot, function; an empty or missing part is '*'. As nova.pci.devspec.PhysicalPciAddress reads it."""
    rest, _, function = address.partition(".")
    pieces = rest.split(":")
    pieces = ["*"] * (3 - len(pieces)) + pieces
    domain, bus, slot = (piece or "*" for piece in pieces[:3])
    return domain, bus, slot, function or "*"


def _by_glob(pattern: str, address: str) -> bool:
    pairs = zip(_parts(pattern), _parts(address), strict=True)
    return all(wanted == "*" or _number(wanted) == _number(own) for wanted, own in pairs)


def _is_parent(pattern: str, function: PciFunction) -> bool:
    """A whole address of a PF hands out its VFs too."""
    return (
        function.physical_function is not None
        and "*" not in _parts(pattern)
        and _by_glob(pattern, function.physical_function)
    )


def _by_regex(wanted: dict[str, Any], address: str) -> bool:
    own = dict(zip(("domain", "bus", "slot", "function"), _parts(address), strict=True))
    try:
        return all(re.match(str(wanted.get(key, ".*")), text) is not None for key, text in own.items())
    except re.error:
        return False
