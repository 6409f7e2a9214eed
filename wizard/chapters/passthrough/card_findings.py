"""Whole cards (PFs) among what nova may hand out, and InfiniBand cards among Neutron's ports.

Behaviour after nova/pci/stats.py (_filter_pools_for_unrequested_pfs, _handle_device_dependents) and
nova/compute/pci_placement_translator.py; Kilo and Liberty leave a PF with VFs out where they read the devices
(nova/compute/resource_tracker.py, nova/pci/manager.py).
"""

from __future__ import annotations

from wizard.chapters.passthrough import device_spec, pools
from wizard.chapters.passthrough.device_spec import Spec
from wizard.chapters.passthrough.existing import Asked
from wizard.chapters.passthrough.matching.handout import Row
from wizard.chapters.passthrough.pools import Pool
from wizard.errors import FormatError
from wizard.facts.nova.nova import NovaSetting
from wizard.facts.nova.release import at_least
from wizard.facts.pci.functions import PciFunction
from wizard.model.findings import Finding, Severity

CHAPTER = "passthrough"


def findings(asked: Asked) -> list[Finding]:
    both = _with_their_vfs(asked)
    there = [] if both else [found for setting in asked.devices for found in _there_already(asked, setting)]
    return [found for pool in asked.mine.pool for found in (*_named(asked, pool), *_ports(asked, pool))] + both + there


def _finding(code: str, severity: Severity, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do)


def _list(functions: list[PciFunction]) -> str:
    named = ", ".join(f"{function.address} {function.model}" for function in functions[:4])
    return named + (f" and {len(functions) - 4} more" if len(functions) > 4 else "")


def _named(asked: Asked, pool: Pool) -> list[Finding]:
    """A pool by a card's own id: a slip mostly, since VFs have another."""
    hit = pools.whole(asked.facts, asked.answers, pool)
    if not hit:
        return []
    why = (
        "The alias asks for type-PF, or nova would never give it: one guest takes the whole port, the node loses it and its VFs with "
        "it; and while a guest has one of its VFs it is not given."
        if at_least(asked.release, "mitaka")
        else f"nova {asked.release} leaves out a card whose VFs are enabled: a flavor that asks for it finds no host. "
        "One without VFs is given away whole, and the node loses it."
    )
    ids = ", ".join(dict.fromkeys(f"{f.vendor}:{f.vf_device}" for f in hit if f.vf_device not in (None, f.device)))
    vfs = 'devices = "vfs"' + (f", or their own ids {ids}" if ids else "")
    return [
        _finding(
            "PASSTHROUGH-WHOLE-CARD",
            "warns",
            f"the pool {pool.name} names {_list(hit)} itself, not its VFs",
            why,
            f"If VFs are meant, answer {vfs}. If the card is meant, give it no VFs.",
        )
    ]


def _specs(value: str, release: str) -> list[Spec]:
    """The objects of a value; none where nova would refuse it, which is told elsewhere."""
    try:
        return device_spec.parse(value, release)
    except FormatError:
        return []


def _there_already(asked: Asked, setting: NovaSetting) -> list[Finding]:
    """A line that matches cards beside their VFs. With a physical_network it is Neutron's way to name a card's VFs."""
    if setting.unknown:
        return []
    specs = [spec for spec in _specs(setting.value, asked.release) if not spec.for_ports]
    skipped = [] if at_least(asked.release, "mitaka") else pools.with_vfs(asked.facts, asked.answers)
    hit = [
        function
        for function in device_spec.matched(specs, asked.facts.pci.functions)
        if function.total_vfs and function not in skipped and not asked.facts.guests.roles_of(function.address)
    ]
    if not hit:
        return []
    return [
        _finding(
            "PASSTHROUGH-WHOLE-CARD",
            "tells",
            f"{setting.place}: {setting.value} matches {_list(hit)} itself",
            "An alias with its ids (from Mitaka on, with type-PF) gets the whole card, and its VFs go with it. From Zed on, with "
            "report_in_placement, nova-compute does not start where a card and its VFs are both listed.",
            "If VFs alone are meant, name them by their own product id, with the address of their card where only its are meant.",
        )
    ]


def _with_their_vfs(asked: Asked) -> list[Finding]:
    """What Placement does not take: a card and its VFs. The first spec that matches a device counts, and Neutron's are left out."""
    if not asked.reported:
        return []
    listed = [row for row in asked.outlook.after.rows if row.spec is not None and not row.for_ports]
    for row in listed:
        vf = next((each for each in listed if row.device.is_card and each.device.parent == row.device.address), None)
        if vf is not None:
            model = next(f.model for f in asked.facts.pci.functions if f.address == row.device.address)
            return [
                _finding(
                    "PASSTHROUGH-WHOLE-CARD",
                    "blocks",
                    f"{row.device.address} {model} is listed ({_lister(asked, row)}), and so are its VFs ({_lister(asked, vf)})",
                    "report_in_placement is on, and nova-compute does not start with both: Placement takes a card or its VFs.",
                    "Leave one of them out: name VFs by their own product id, and cards by their whole address.",
                )
            ]
    return []


def _lister(asked: Asked, row: Row) -> str:
    """Whose line it is: a place in nova.conf, or a pool."""
    if row.setting in asked.devices:
        return row.place
    pool = next((pool for pool in asked.mine.pool if row in asked.meant(pool)), None)
    return f"the pool {pool.name}" if pool is not None else row.place


def _ports(asked: Asked, pool: Pool) -> list[Finding]:
    """Neutron's own SR-IOV driver is for Ethernet."""
    hit = pools.infiniband(asked.facts, asked.answers, pool)
    if pool.physical_network is None or not hit:
        return []
    return [
        _finding(
            "PASSTHROUGH-IB-PORTS",
            "warns",
            f"the pool {pool.name} is for Neutron ports on {pool.physical_network}, and {_list(hit)} is InfiniBand",
            "Neutron's sriovnicswitch and its agent are for Ethernet: ports on InfiniBand need networking-mlnx (mechanism driver "
            "mlnx_infiniband, and its eswitchd on this node), which this tool does not see.",
            "Leave physical_network empty and give the pool a flavor: an alias needs none of that. Or set networking-mlnx up first.",
        )
    ]
