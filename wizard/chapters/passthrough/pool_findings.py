"""What is wrong, or will go wrong, with the pools that are asked for."""

from __future__ import annotations

from wizard.chapters.passthrough import nova_options, pools
from wizard.chapters.passthrough.pools import Answers, Device, Pool, specs
from wizard.facts.facts import Facts
from wizard.facts.nova.release import at_least
from wizard.model.answers import AllAnswers
from wizard.model.findings import Finding

CHAPTER = "passthrough"


def findings(facts: Facts, answers: AllAnswers, mine: Answers, release: str | None) -> list[Finding]:
    found = _empty_pools(facts, answers, mine)
    if release is not None:
        found += _not_in_release(mine, release) + _not_of_ports(mine, release) + _not_of_aliases(mine, release)
        found += [finding for pool in mine.pool for finding in _mixed(facts, answers, pool, release)]
    return found


def _mixed(facts: Facts, answers: AllAnswers, pool: Pool, release: str) -> list[Finding]:
    """Devices of several kinds under one alias: nova takes either, or refuses it (nova/pci/request.py, get_alias_from_config)."""
    kinds = pools.kinds(facts, answers, pool)
    if pool.physical_network is not None or len(kinds) < 2:
        return []
    names = ", ".join(f"{vendor}:{product}" for vendor, product in kinds)
    types = {pools.device_type(facts, answers, pool, release, kind) for kind in kinds}
    typed = len(types) == 1 and None not in types
    apart = "devices" if isinstance(pool.devices, list) else "cards"
    return [
        Finding(
            code="PASSTHROUGH-MIXED-POOL",
            severity="warns" if typed else "blocks",
            chapter=CHAPTER,
            seen=f"the pool {pool.name} holds {len(kinds)} kinds of devices: {names}",
            why="A flavor that asks for it gets any of them: a guest may find another card than the one it has drivers and cables for; "
            "and where nova counts devices in Placement, it refuses a name that is there twice."
            if typed
            else f"Their alias would be there once for each kind, without one device_type for all, and nova {release} refuses that: "
            "Invalid PCI alias definition.",
            do=f"Make a pool with a name of its own for each kind ({apart} of one vendor and product). A flavor may ask for several: "
            + ",".join(f"{pool.name}{number}:1" for number in range(1, len(kinds) + 1))
            + ".",
        )
    ]


def _not_in_release(mine: Answers, release: str) -> list[Finding]:
    """What is answered and this release of nova does not know: it is left out, and nobody is to think that it counts."""
    wrong = [
        *(
            f"{pool.name}: trusted"
            for pool in mine.pool
            if pool.trusted is not None and not nova_options.knows_trusted(release)
        ),
        *(
            f"{pool.name}: numa_policy = {pool.numa_policy}"
            for pool in mine.pool
            if pool.numa_policy is not None and pool.numa_policy not in nova_options.numa_policies(release)
        ),
        *(
            f"{pool.name}: {name}"
            for pool in mine.pool
            for name, said in _migration(pool)
            if said is not None and not nova_options.knows_migration(release)
        ),
    ]
    if not wrong:
        return []
    return [
        Finding(
            code="PASSTHROUGH-NOT-IN-RELEASE",
            severity="warns",
            chapter=CHAPTER,
            seen=f"{'; '.join(wrong)}: nova {release} does not know it",
            why="It is left out of nova.conf: nova would take it for a tag, or refuse the alias.",
            do="Take it out of the answers, or live without it until nova is upgraded.",
        )
    ]


def _not_of_ports(mine: Answers, release: str) -> list[Finding]:
    """A pool of ports has no alias: what an alias and a flavor would say is left out, and has another place."""
    found = []
    for pool in mine.pool:
        said = [f"numa_policy = {pool.numa_policy}"] if pool.numa_policy else []
        said += [f"flavor {pool.flavor.name}"] if pool.flavor else []
        said += [f"{name} = {'yes' if value else 'no'}" for name, value in _migration(pool) if value is not None]
        if pool.physical_network is None or not said:
            continue
        do = []
        if pool.numa_policy and nova_options.ports_know_numa(release):
            do.append(f"`openstack port create --numa-policy-{pool.numa_policy}`, as the list for the controller says")
        if pool.numa_policy and at_least(release, "ussuri"):
            do.append(f"hw:pci_numa_affinity_policy={pool.numa_policy} in the guest's flavor")
        if pool.numa_policy and not do:
            do.append(
                f"nova {release} has no NUMA policy for ports (from Ussuri on: hw:pci_numa_affinity_policy in the flavor)"
            )
        if any(value is not None for _, value in _migration(pool)):
            do.append("nova migrates ports by taking their VFs off and giving new ones, whatever the device says")
        if pool.flavor:
            do.append("no flavor is needed: guests get as many ports as they are given")
        found.append(
            Finding(
                code="PASSTHROUGH-NOT-OF-PORTS",
                severity="warns",
                chapter=CHAPTER,
                seen=f"{pool.name}: {', '.join(said)}, and its devices are ports on {pool.physical_network}",
                why="Neutron's ports use no alias, and only an alias or its flavor says this in nova: it is left out of nova.conf.",
                do=_sentence(do),
            )
        )
    return found


def _migration(pool: Pool) -> tuple[tuple[str, bool | None], ...]:
    return ("managed", pool.managed), ("live_migratable", pool.live_migratable)


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return (text[0].upper() if text[0].isalpha() and not text.startswith("hw:") else text[0]) + text[1:] + "."


def _not_of_aliases(mine: Answers, release: str) -> list[Finding]:
    """Trust is asked for by a port alone (nova/network/neutron.py, create_resource_requests; nova/virt/libvirt/vif.py)."""
    return [
        Finding(
            code="PASSTHROUGH-NOT-OF-ALIASES",
            severity="warns",
            chapter=CHAPTER,
            seen=f"{pool.name}: trusted, and its devices go to an alias",
            why="nova sets the trust of a VF for Neutron's ports alone; one that is handed out by an alias gets none by it.",
            do="Take trusted out of the answers and set it on the host (`ip link set PF vf N trust on`), or give the pool a "
            "physical_network.",
        )
        for pool in mine.pool
        if pool.trusted and pool.physical_network is None and nova_options.knows_trusted(release)
    ]


def _empty_pools(facts: Facts, answers: AllAnswers, mine: Answers) -> list[Finding]:
    return [
        Finding(
            code="PASSTHROUGH-EMPTY-POOL",
            severity="blocks",
            chapter=CHAPTER,
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
            chapter=CHAPTER,
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
