"""device_spec (pci_passthrough_whitelist before): the objects of a value, and which devices each matches.

Behaviour after nova/pci/devspec.py and whitelist.py: unknown keys are tags, and a missing key matches everything.
"""

from __future__ import annotations

import json
from typing import Any

from wizard.chapters.passthrough.matching import addresses
from wizard.chapters.passthrough.matching.addresses import Pattern
from wizard.chapters.passthrough.matching.devices import Device, Host
from wizard.chapters.passthrough.matching.numbers import ANY, hexadecimal, switch
from wizard.chapters.passthrough.matching.rules import NEWEST, Rules
from wizard.dataclass import dataclass
from wizard.errors import FormatError

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
FILTERS = ("vendor_id", "product_id", "address", "devname")
KEYS = frozenset({*FILTERS, *TAGS_SINCE, "device_type", "capability_type"})


@dataclass(frozen=True, slots=True)
class Spec:
    """One object of a device_spec value. `pattern` is None where it names an interface, `devname`."""

    fields: tuple[tuple[str, Any], ...]
    rules: Rules
    vendor: str
    product: str
    pattern: Pattern | None
    devname: str = ""

    def get(self, key: str) -> Any:
        return dict(self.fields).get(key)

    @property
    def for_ports(self) -> bool:
        """Whether its devices are Neutron's: a physical_network that is null is that of a tunnelled network (hardware offload)."""
        return any(key == "physical_network" for key, _ in self.fields)

    def tags(self) -> dict[str, Any]:
        """What nova keeps with each device that the spec matches."""
        found = {key: value for key, value in self.fields if key not in FILTERS}
        for tag in self.rules.switches:
            if found.get(tag) is not None:
                found[tag] = "true" if switch(found[tag]) else "false"
        return found

    def unknown(self) -> list[str]:
        """Keys that nova does not know as filters: each is a tag, and its misspelt original matches everything."""
        return [key for key, _ in self.fields if key not in KEYS]

    @property
    def is_narrow(self) -> bool:
        """Whether ids, a name or an address keep it from matching the whole machine."""
        return ANY not in (self.vendor, self.product) or self.pattern is None or not self.pattern.is_any

    def matches(self, device: Device, host: Host) -> bool | None:
        """Whether nova would hand this device out by this spec; None where its address decides and is not known yet."""
        if self.vendor not in (ANY, device.vendor) or self.product not in (ANY, device.product):
            return False
        asked, pattern = self._asked(host)
        if pattern is None:
            return False
        if asked is not None and asked.is_card:
            if device.parent is not None and pattern.matches(device.parent):
                return True
            if not self.rules.has("card with its vfs"):
                return False
        return _not_there_yet(pattern, device, host) if device.coming else pattern.matches(device.address)

    def _asked(self, host: Host) -> tuple[Device | None, Pattern | None]:
        """The one device that is named, where there is such, and the pattern that is held against addresses."""
        if self.pattern is None:
            named = host.named(self.devname)
            return named, addresses.whole(named.address) if named else None
        return host.at(self.pattern.single) if self.pattern.single else None, self.pattern


def _not_there_yet(pattern: Pattern, device: Device, host: Host) -> bool | None:
    """Of a VF that is not there yet, only the domain of its address is known, and that no other function has it."""
    if not pattern.domain_matches(device.address):
        return False
    if pattern.is_any:
        return True
    return False if pattern.single and host.at(pattern.single) is not None else None


def parse(value: str, rules: Rules | None = None, host: Host | None = None) -> list[Spec]:
    """The objects of one value. Raises FormatError, with nova's reason, where nova-compute would refuse it. What depends on the
    node (`devname`, remote_managed) is looked at where `host` is given."""
    rules = rules or Rules(NEWEST)
    try:
        data = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}", do="Write strict JSON with double quotes on one line.") from None
    objects = data if isinstance(data, list) else [data]
    if not all(isinstance(each, dict) for each in objects):
        raise FormatError("has to be a JSON object, or a list of objects")
    return [_spec(each, rules, host) for each in objects]


def _spec(fields: dict[str, Any], rules: Rules, host: Host | None) -> Spec:
    vendor = fields.get("vendor_id", ANY)
    vendor = hexadecimal("vendor_id", vendor.strip() if isinstance(vendor, str) else vendor, 0xFFFF, rules)
    product = hexadecimal("product_id", fields.get("product_id", ANY), 0xFFFF, rules)
    devname, address = fields.get("devname"), fields.get("address")
    if devname and address:
        raise FormatError("devname or address, but not both", do="Keep the address: names of interfaces change.")
    pattern = None if devname else addresses.pattern(address, rules)
    spec = Spec(tuple(fields.items()), rules, vendor, product, pattern, str(devname or ""))
    _switches(spec)
    if devname and rules.has("placement") and rules.reported:
        raise FormatError("devname is not taken where report_in_placement is on", do="Write the address instead.")
    if host is not None:
        _on_this_node(spec, host)
    return spec


def _switches(spec: Spec) -> None:
    for tag in spec.rules.switches:
        value = spec.get(tag)
        if value is not None and switch(value) is None:
            raise FormatError(
                f"Cannot parse tag '{tag}': Unrecognized value '{value}'", do=f'Write "true" or "false" for {tag}.'
            )
    once = spec.rules.has("one_time_use") and switch(spec.get("one_time_use") or False)
    if once and not spec.rules.reported:
        raise FormatError(
            "one_time_use=true needs report_in_placement",
            do="Take one_time_use out, or switch [pci] report_in_placement on: there is no way back from that.",
        )


def _on_this_node(spec: Spec, host: Host) -> None:
    named = host.named(spec.devname) if spec.devname else None
    if spec.devname and named is None and not spec.rules.has("absent devname"):
        raise FormatError(
            f"there is no interface {spec.devname}, and nova {spec.rules.release} looks for it when it starts",
            do="Write the address instead of the name.",
        )
    if not spec.rules.has("remote_managed") or not switch(spec.get("remote_managed") or False):
        return
    if spec.devname and named is None:
        raise FormatError(f"remote_managed, and there is no interface {spec.devname}", do="Write the address instead.")
    card = named or (host.at(spec.pattern.single) if spec.pattern is not None and spec.pattern.single else None)
    if card is None or not card.is_card:
        return
    if (
        named is None
    ):  # str() of a glob is no address: nova then looks for the PF's files in vain (devspec.py, _init_dev_details)
        raise FormatError(
            f"remote_managed, and the address is the PF {card.address}: nova does not find its VFs' id by it",
            do="Name the VFs by their vendor_id and product_id, with a glob as address where only some are meant.",
        )
    vf = next((each for each in host.devices if each.parent == card.address), None)
    if spec.vendor not in (ANY, card.vendor) or vf is None or spec.product != vf.product:
        raise FormatError(
            f"remote_managed, and these are not the ids of the VFs of {card.address}: nova takes no PF",
            do="Name its VFs by their own product id.",
        )
