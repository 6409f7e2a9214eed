"""What nova hands out: for each device the line that it takes, and with it the aliases and the network that get the device.

Behaviour after nova/pci/whitelist.py (the first spec that matches decides), stats.py (pools) and manager.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from wizard.chapters.passthrough.matching import aliases, specs
from wizard.chapters.passthrough.matching.aliases import Alias
from wizard.chapters.passthrough.matching.devices import Device, Host
from wizard.chapters.passthrough.matching.rules import Rules
from wizard.chapters.passthrough.matching.specs import Spec
from wizard.dataclass import dataclass
from wizard.errors import FormatError
from wizard.facts.nova.nova import NovaSetting


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that nova does not take: then it takes none of its kind."""

    setting: NovaSetting
    why: str
    do: str


@dataclass(frozen=True, slots=True)
class Row:
    """One device: the line that it is handed out by, None where there is none. `doubt` says why that cannot be told for certain."""

    device: Device
    setting: NovaSetting | None = None
    spec: Spec | None = None
    aliases: tuple[str, ...] = ()
    doubt: str = ""
    maybe: NovaSetting | None = None  # a line before it that may match, too: its address decides

    @property
    def for_ports(self) -> bool:
        return self.spec is not None and self.spec.for_ports

    @property
    def network(self) -> str | None:
        """The physical network of Neutron's ports; None where there is none, or a tunnelled one (then `for_ports` says so)."""
        value = self.spec.get("physical_network") if self.spec is not None else None
        return None if value is None else str(value)

    @property
    def place(self) -> str:
        return self.setting.place if self.setting is not None else "no line"

    @property
    def to(self) -> str:
        """Who gets the device, for the admin's eyes."""
        if self.spec is None:
            return "nobody"
        found = []
        if self.for_ports:
            found.append(f"ports on {self.network}" if self.network else "ports of tunnelled networks")
        found += [f"alias {name}" for name in self.aliases]
        return ", ".join(found) or "no alias here asks for it"


@dataclass(frozen=True)
class Handout:
    """All devices, and the lines that nova refuses. Where a device line is refused, no device is handed out, whatever `rows` say:
    these are without that line."""

    rules: Rules
    host: Host
    rows: tuple[Row, ...]
    refused: tuple[Refusal, ...]
    refused_aliases: tuple[Refusal, ...]

    @cached_property
    def _by_device(self) -> dict[Device, Row]:
        return {row.device: row for row in self.rows}

    def of(self, device: Device) -> Row:
        return self._by_device.get(device) or Row(device)


def handout(
    host: Host,
    lines: Iterable[NovaSetting],
    alias_lines: Iterable[NovaSetting],
    rules: Rules,
    unread: str = "",
) -> Handout:
    """What these lines hand out, both in the order in which nova reads them. `unread` says which file could not be read."""
    read: list[tuple[NovaSetting, list[Spec] | None]] = []
    refused: list[Refusal] = []
    for setting in lines:
        if setting.unknown:
            read.append((setting, None))
            continue
        try:
            read.append((setting, specs.parse(setting.value, rules, host)))
        except FormatError as error:
            refused.append(Refusal(setting, error.what, error.do))
    known, refused_aliases = _aliases(alias_lines, rules)
    rows = tuple(_row(device, host, read, known, rules, unread) for device in host.devices)
    return Handout(rules, host, rows, tuple(refused), tuple(refused_aliases))


def _row(
    device: Device,
    host: Host,
    read: list[tuple[NovaSetting, list[Spec] | None]],
    known: dict[str, list[Alias]],
    rules: Rules,
    unread: str,
) -> Row:
    if device.is_card and not rules.has("counts cards"):
        return Row(device)
    doubt, maybe = unread, None
    for setting, found in read:
        if found is None:
            doubt = doubt or f"{setting.place}: {setting.unknown}"
            continue
        for spec in found:
            matches = spec.matches(device, host)
            if matches is None:
                doubt, maybe = (
                    doubt or f"{setting.place} names an address that these VFs may have, once they are there",
                    maybe or setting,
                )
            elif matches:
                pool = pool_of(device, spec, rules)
                takers = tuple(
                    name for name, each in known.items() if any(aliases.asked_for(a, pool, rules) for a in each)
                )
                return Row(device, setting, spec, takers, doubt, maybe)
    return Row(device, doubt=doubt, maybe=maybe)


def pool_of(device: Device, spec: Spec, rules: Rules) -> dict[str, Any]:
    """The properties that an alias or a port is held against: a tag takes the place of the device's own (stats.py,
    _create_pool_keys_from_dev)."""
    pool: dict[str, Any] = {"vendor_id": device.vendor, "product_id": device.product, "numa_node": device.numa_node}
    if rules.has("counts cards"):
        pool["dev_type"] = device.kind
    pool |= {key: value for key, value in spec.tags().items() if key not in rules.ignored_tags}
    if rules.has("remote_managed") and device.kind != "type-PCI" and pool.get("remote_managed") is None:
        pool["remote_managed"] = "false"
    return pool


def port_gets(row: Row, network: str, trusted: bool | None, rules: Rules, *, whole: bool = False) -> bool:
    """Whether a port on this network gets the device: of vnic-type direct, or direct-physical, which asks for a `whole` PF."""
    if row.spec is None:
        return False
    pool = pool_of(row.device, row.spec, rules)
    if not rules.same(pool.get("physical_network"), network):
        return False
    if rules.has("remote_managed") and not rules.same(pool.get("remote_managed"), "False"):  # as a port asks for it
        return False
    kind = pool.get("dev_type", row.device.kind)
    if rules.has("counts cards") and (kind != "type-PF" if whole else kind in ("type-PF", "vdpa")):
        return False
    return trusted is not True or not rules.has("any case") or rules.same(pool.get("trusted"), "true")


def _aliases(lines: Iterable[NovaSetting], rules: Rules) -> tuple[dict[str, list[Alias]], list[Refusal]]:
    """The aliases by name, and the lines that nova refuses."""
    found: dict[str, list[Alias]] = {}
    refused: list[Refusal] = []
    for setting in lines:
        if setting.unknown:
            continue
        try:
            alias = aliases.parse(setting.value, rules)
        except FormatError as error:
            refused.append(Refusal(setting, error.what, error.do))
            continue
        before = found.get(alias.name)
        lacks = aliases.lacks_ids(alias, rules)
        why = lacks or (aliases.against(before[0], alias, rules) if before else "")
        if why:
            refused.append(Refusal(setting, why, "" if not lacks else "Give it vendor_id and product_id."))
        if not lacks:
            found.setdefault(alias.name, []).append(alias)
    return found, refused
