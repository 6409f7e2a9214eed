"""What things are called in which release of nova. Sources: nova/conf/pci.py, scheduler.py and release notes, by tag."""

from __future__ import annotations

from wizard.facts.nova.release import at_least

FILTER = "PciPassthroughFilter"
FLAVOR_KEY = "pci_passthrough:alias"

_HEAD = "RetryFilter,AvailabilityZoneFilter"
_TAIL = "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter"
# Newest first: the default list from that release on. PciPassthroughFilter is in none of them.
_DEFAULT_FILTERS = (
    ("xena", _TAIL),
    ("train", f"AvailabilityZoneFilter,{_TAIL}"),
    ("pike", f"{_HEAD},{_TAIL}"),
    ("liberty", f"{_HEAD},RamFilter,DiskFilter,{_TAIL}"),
    ("kilo", f"{_HEAD},RamFilter,{_TAIL}"),
)


def device_option(release: str) -> tuple[str, str]:
    """(section, option) that says which devices may be passed through, on compute nodes."""
    if not at_least(release, "ocata"):
        return ("DEFAULT", "pci_passthrough_whitelist")
    return ("pci", "device_spec") if at_least(release, "zed") else ("pci", "passthrough_whitelist")


def device_options_read(release: str) -> tuple[tuple[str, str], ...]:
    """Every name under which this release reads devices: older names are joined to the current one, never overridden."""
    names = (("DEFAULT", "pci_passthrough_whitelist"), ("pci", "passthrough_whitelist"), ("pci", "device_spec"))
    return names[: names.index(device_option(release)) + 1]


def alias_option(release: str) -> tuple[str, str]:
    return ("pci", "alias") if at_least(release, "ocata") else ("DEFAULT", "pci_alias")


def alias_options_read(release: str) -> tuple[tuple[str, str], ...]:
    """Every name under which this release reads aliases, as for devices."""
    names = (("DEFAULT", "pci_alias"), ("pci", "alias"))
    return names[: names.index(alias_option(release)) + 1]


def alias_on_compute(release: str) -> bool:
    """From Newton on, resize and cold migration read the alias on compute nodes too."""
    return at_least(release, "newton")


def filter_option(release: str) -> tuple[str, str]:
    """(section, option) of the scheduler's filters."""
    if at_least(release, "ocata"):
        return ("filter_scheduler", "enabled_filters")
    return ("DEFAULT", "scheduler_default_filters")


def default_filters(release: str) -> str:
    """The release's own list, for a controller where the option is not set."""
    return next(filters for since, filters in _DEFAULT_FILTERS if at_least(release, since) or since == "kilo")


def device_type(release: str, *, whole: bool = False) -> str | None:
    """What an alias says for VFs, or for whole PFs, which are given only to who asks for them so (nova/pci/stats.py,
    _filter_pools_for_unrequested_pfs). None for Kilo and Liberty, whose device_type never matches a plain whitelist."""
    if not at_least(release, "mitaka"):
        return None
    return "type-PF" if whole else "type-VF"


def numa_policies(release: str) -> tuple[str, ...]:
    if at_least(release, "wallaby"):
        return ("required", "legacy", "preferred", "socket")
    return ("required", "legacy", "preferred") if at_least(release, "queens") else ()


def knows_placement(release: str) -> bool:
    """[pci] report_in_placement; the scheduler asks for it from 2023.1 on ([filter_scheduler] pci_in_placement)."""
    return at_least(release, "zed")


def knows_trusted(release: str) -> bool:
    return at_least(release, "rocky")


def knows_migration(release: str) -> bool:
    """The tags managed and live_migratable of a device, and live_migratable of an alias (31.3.1:nova/pci/devspec.py, request.py)."""
    return at_least(release, "2025.1")


def port_options(release: str, trusted: bool, numa_policy: str) -> tuple[list[str], list[str]]:
    """What `openstack port create` says for a port whose VF is to be trusted, or on the NUMA node of its guest; and the reasons.
    nova looks at binding:profile for trust (nova/network/neutron.py, create_resource_requests), and at the port's NUMA policy
    from Wallaby on (23.2.2:nova/network/constants.py:33)."""
    words, why = [], []
    if trusted and knows_trusted(release):
        words.append("--binding-profile trusted=true")
        why.append("As admin: a port that does not ask for trust gets a VF without it")
        if at_least(release, "2024.2"):
            why[-1] += "; Neutron of 2024.2 and newer has --trusted for it, too"
    if numa_policy and ports_know_numa(release):
        words.append(f"--numa-policy-{numa_policy}")
        why.append("The NUMA policy is the port's: an alias has one, and a port uses no alias")
    return words, why


def ports_know_numa(release: str) -> bool:
    """Whether nova looks at a port's NUMA policy."""
    return at_least(release, "wallaby")


def flavor_commands(release: str, flavor: str, alias: str, count: int) -> list[str]:
    """The commands of that time: the nova client first, the openstack client from Newton on."""
    request = f'"{FLAVOR_KEY}"="{alias}:{count}"'
    if not at_least(release, "newton"):
        return [f"nova flavor-create {flavor} auto 2048 20 2", f"nova flavor-key {flavor} set {request}"]
    return [
        f"openstack flavor create {flavor} --ram 2048 --disk 20 --vcpus 2",
        f"openstack flavor set {flavor} --property {request}",
    ]


def service_commands(release: str, host: str) -> tuple[str, str]:
    """Words that disable and enable the compute service of a host."""
    if not at_least(release, "newton"):
        return (f"nova service-disable {host} nova-compute", f"nova service-enable {host} nova-compute")
    words = "openstack compute service set"
    return (f"{words} --disable {host} nova-compute", f"{words} --enable {host} nova-compute")


def test_needs_enabled_service(release: str) -> bool:
    """From Train on Placement offers no host whose service is disabled, also where it is named (nova/scheduler/request_filter.py,
    compute_status_filter; not in 19.3.2)."""
    return at_least(release, "train")


def test_command(release: str, flavor: str, host: str) -> str:
    """A first VM on this very node. `--host` (API 2.74 and openstackclient 4.0.0, both of Train) lets the scheduler's filters
    judge the node; a host in the availability zone skips them all (nova/scheduler/host_manager.py, get_filtered_hosts)."""
    if test_needs_enabled_service(release):
        words = "openstack --os-compute-api-version 2.74 server create"
        return f"{words} --flavor {flavor} --image IMAGE --host {host} --network NETWORK pci-test"
    return any_host_command(release, flavor, "pci-test", f"--availability-zone nova:{host} ")


def any_host_command(release: str, flavor: str, name: str = "pci-test-2", where: str = "") -> str:
    """A VM on whatever node the scheduler finds."""
    if not at_least(release, "newton"):
        return f"nova boot --flavor {flavor} --image IMAGE {where}--nic net-id=NETWORK {name}"
    return f"openstack server create --flavor {flavor} --image IMAGE {where}--network NETWORK {name}"
