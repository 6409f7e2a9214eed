"""The lists of the SR-IOV agent's file, by the agent's own rules: it ends at its start over what is against them.

After neutron/plugins/ml2/drivers/mech_sriov/agent (sriov_nic_agent.py SriovNicAgentConfigParser, common/config.py
parse_exclude_devices), neutron/common/utils.py validate_rp_bandwidth, and neutron_lib's parse_mappings and parse_rp_bandwidths.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MAPPINGS, EXCLUDED, BANDWIDTHS = "physical_device_mappings", "exclude_devices", "resource_provider_bandwidths"


class Refused(Exception):
    """What the agent refuses; the text is a clause that names the part."""


def parts(text: str) -> list[str]:
    """A list option's parts, as oslo.config splits it (oslo_config/types.py, List): an empty one stays, but for those at the end."""
    kept = text.strip().rstrip(",")
    return [part.strip() for part in kept.split(",")] if kept else []


def mappings(text: str) -> dict[str, list[str]]:
    """Devices by physical network. Raises Refused."""
    found: dict[str, list[str]] = {}
    for part in filter(None, parts(text)):
        pieces = [piece.strip() for piece in part.split(":")]
        if len(pieces) != 2 or not all(pieces):
            raise Refused(f"{part!r} is not PHYSICAL_NETWORK:DEVICE")
        devices = found.setdefault(pieces[0], [])
        if pieces[1] not in devices:
            devices.append(pieces[1])
    return found


def excluded(text: str) -> dict[str, tuple[str, ...]]:
    """PCI addresses of excluded VFs by device. Raises Refused."""
    found: dict[str, tuple[str, ...]] = {}
    for part in parts(text):
        device, colon, rest = part.partition(":")
        device = device.strip()
        if not colon or not device:
            raise Refused(f"{part!r} is not DEVICE:ADDRESS;ADDRESS")
        if device in found:
            raise Refused(f"{device} is there twice")
        found[device] = tuple(dict.fromkeys(each.strip() for each in rest.split(";") if each.strip()))
    return found


def bandwidths(text: str) -> tuple[str, ...]:
    """The devices of the bandwidths. Raises Refused."""
    found: list[str] = []
    for part in parts(text):
        device, *numbers = part.split(":")
        if len(numbers) not in (0, 2) or not all(map(_is_rate, numbers)):
            raise Refused(f"{part!r} is not DEVICE:EGRESS:INGRESS in kbit/s")
        if device in found:
            raise Refused(f"{device} is there twice")
        found.append(device)
    return tuple(found)


def _is_rate(text: str) -> bool:
    """As neutron_lib/placement/utils.py, _parse_rp_rate: nothing, or what int() takes and is not negative."""
    return not text or re.fullmatch(r"\s*(\+?\d+(_\d+)*|-0+)\s*", text) is not None


def problems(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """(option, why) for each at which the agent ends; empty where it starts. `values` are those of [sriov_nic], by option."""
    found: list[tuple[str, str]] = []
    mapped: set[str] | None = None
    try:
        mapped = {device for devices in mappings(values.get(MAPPINGS, "")).values() for device in devices}
    except Refused as error:
        found.append((MAPPINGS, str(error)))
    for option, named in ((EXCLUDED, excluded), (BANDWIDTHS, bandwidths)):
        try:
            devices = list(named(values.get(option, "")))
        except Refused as error:
            found.append((option, str(error)))
            continue
        missing = [device for device in devices if mapped is not None and device not in mapped]
        found += [(option, f"{device} is not in {MAPPINGS}") for device in missing]
    return found


def with_mapping(text: str, network: str, device: str) -> str:
    """The list with one mapping more; all else as it is."""
    own = f"{network}:{device}"
    every = [part for part in parts(text) if part]
    return ",".join(every if own in every else [*every, own])


def with_excluded(text: str, device: str, addresses: Sequence[str]) -> str:
    """The list with these VFs of a device excluded, too; all else as it is. Raises Refused for a list that cannot be read."""
    there = excluded(text)
    if not addresses:
        return ",".join(parts(text))
    there[device] = tuple(dict.fromkeys([*there.get(device, ()), *addresses]))
    return ",".join(f"{name}:{';'.join(each)}" for name, each in there.items())
