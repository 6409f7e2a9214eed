"""What has to be done on the controller: as data, since a compute node cannot see what is set there."""

from __future__ import annotations

from wizard.chapters.passthrough import nova_options
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.nova.release import at_least
from wizard.model.plan import ControllerStep
from wizard.regex import regex

CONFIG = "/etc/nova/nova.conf"
HOST = regex(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")  # anything else is no name, and is to be pasted nowhere


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as the controller sees it: its alias values and the flavor that asks for it."""

    name: str
    aliases: tuple[str, ...]
    flavor: str
    count: int
    physical_network: str
    infiniband: bool = False
    trusted: bool = False
    numa_policy: str = ""
    whole: bool = False  # cards, not their VFs
    kinds: tuple[tuple[str, str], ...] = ()  # (vendor, product) of its devices


def steps(facts: Facts, release: str, pools: list[Pool]) -> tuple[ControllerStep, ...]:
    """In their order: move guests away, alias, scheduler, flavors, then enable and test as the release allows it."""
    host = facts.system.hostname if HOST.fullmatch(facts.system.hostname) else "THIS-HOST"
    rdo = any(name.startswith("openstack-nova") for name in facts.nova.services)
    prefix = "openstack-" if rdo else ""  # a controller is packaged as its nodes are, mostly
    disable, enable = nova_options.service_commands(release, host)
    found = [_run(disable, "no new guest comes while this node is changed; then move the guests that are here")]
    section, option = nova_options.alias_option(release)
    for pool in pools:
        found += [_alias(section, option, value, prefix) for value in pool.aliases]
    found.append(_filter(release, prefix))
    for pool in pools:
        if pool.physical_network:
            found += _ports(pool, release)
        elif pool.flavor:
            words = nova_options.flavor_commands(release, pool.flavor, pool.name, pool.count)
            found += [_run(command, f"a flavor that takes {pool.count} of {pool.name}") for command in words]
    flavors = [pool.flavor for pool in pools if pool.flavor and not pool.physical_network]
    found += _tested(release, host, flavors[0], enable) if flavors else [_run(enable, "after the reboot and verify")]
    return tuple(step.model_copy(update={"order": number}) for number, step in enumerate(found, 1))


def _tested(release: str, host: str, flavor: str, enable: str) -> list[ControllerStep]:
    """A VM that gets its device shows alias, flavor and this node; that the filter is asked, only the scheduler's log does."""
    command = nova_options.test_command(release, flavor, host)
    log = f'with debug the scheduler\'s log says "Filter {nova_options.FILTER} returned", else the filter is not in the list'
    if nova_options.test_needs_enabled_service(release):
        return [
            _run(enable, "after the reboot and verify: a disabled node gets no guest, and no test VM"),
            _run(
                command,
                f"as admin, a VM here that the filters judge too; log in, and see the card with lspci; {log}. "
                "Where it fails, disable the service again",
            ),
        ]
    return [
        _run(
            command,
            "after the reboot and verify, as admin: a VM here, past all filters; log in, and see the card with lspci",
        ),
        _run(enable, "when the test VM has its device"),
        _run(
            nova_options.any_host_command(release, flavor),
            f"one that the filters judge, on any node with such devices; {log}",
        ),
    ]


def _run(command: str, why: str) -> ControllerStep:
    return ControllerStep(service="client", op="run", value=command, why=why)


def _alias(section: str, option: str, value: str, prefix: str) -> ControllerStep:
    return ControllerStep(
        service="nova-api",
        file=CONFIG,
        section=section,
        option=option,
        op="append",
        value=value,
        restart=f"{prefix}nova-api",
        why="without it the API answers: PCI alias is not defined",
    )


def _filter(release: str, prefix: str) -> ControllerStep:
    section, option = nova_options.filter_option(release)
    return ControllerStep(
        service="nova-scheduler",
        file=CONFIG,
        section=section,
        option=option,
        op="append_to_list",
        value=nova_options.FILTER,
        restart=f"{prefix}nova-scheduler",
        why="append it to the list that is there; only where the option is not set at all, write the default of this release "
        f"with it: {nova_options.default_filters(release)},{nova_options.FILTER}",
    )


def _supported(pool: Pool, release: str) -> list[ControllerStep]:
    """Neutron's server of an old release binds only ids that it is told (2015.1 to mitaka: mech_sriov/mech_driver/mech_driver.py)."""
    if at_least(release, "newton") or pool.infiniband:
        return []
    return [
        ControllerStep(
            service="neutron-server",
            file="/etc/neutron/plugins/ml2/ml2_conf_sriov.ini",
            section="ml2_sriov",
            option="supported_pci_vendor_devs",
            op="append_to_list",
            value=f"{vendor}:{product}",
            restart="neutron-server",
            why="the mechanism driver of this release binds no port to a device whose ids are not in this list",
        )
        for vendor, product in pool.kinds
    ]


def _ports(pool: Pool, release: str) -> list[ControllerStep]:
    by = "mechanism driver sriovnicswitch, and the SR-IOV agent on this node"
    if pool.infiniband:
        by = "mechanism driver mlnx_infiniband of networking-mlnx, and its eswitchd on this node; sriovnicswitch is Ethernet only"
    words, why = nova_options.port_options(release, pool.trusted, pool.numa_policy)
    kind = "direct-physical" if pool.whole else "direct"
    return [
        *_supported(pool, release),
        _run(
            " ".join(["openstack port create --network NETWORK --vnic-type", kind, *words, "PORT"]),
            ". ".join([f"guests get devices of {pool.name} as Neutron ports on {pool.physical_network}: {by}", *why]),
        ),
    ]
