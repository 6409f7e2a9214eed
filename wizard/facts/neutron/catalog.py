"""The agents that bring Neutron's ports onto a compute node: by what name each runs, what it reads, who packages it how.

Read in Neutron 2015.1 to 29.0.0 (neutron/cmd, setup.cfg's scripts), in the packages of Debian, Ubuntu and RDO, and in the templates of
kolla-ansible. The table in docs/which.md is made from this one.
"""

from __future__ import annotations

from typing import Literal

from wizard.dataclass import dataclass

Kind = Literal["ovn", "ovs", "linuxbridge", "sriov", "dhcp", "metadata", "ovn-metadata", "ovn-agent"]


@dataclass(frozen=True, slots=True)
class Known:
    """One program. `files` are its own configuration file by age, newest first; `services` are the names of its unit or job."""

    kind: Kind
    program: str
    does: str
    files: tuple[str, ...] = ()
    services: tuple[tuple[str, str], ...] = ()  # (who packages it, its service)
    kolla: str = ""  # its directory below /etc/kolla
    since: str = ""  # the first release that has it
    until: str = ""  # the last one; empty where it is there still
    once: tuple[str, ...] = ()  # names of its program in older releases

    @property
    def service_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, name in self.services))


PLUGINS = "/etc/neutron/plugins/ml2"
AGENTS: tuple[Known, ...] = (
    Known(
        "ovn",
        "ovn-controller",
        "OVN: networks, DHCP answers and flows of this node",
        (),
        (("Debian, Ubuntu", "ovn-host"), ("Ubuntu", "ovn-controller"), ("RDO", "ovn-controller")),
        "ovn-controller",
        "ocata",
    ),
    Known(
        "ovs",
        "neutron-openvswitch-agent",
        "Open vSwitch: networks of this node",
        (f"{PLUGINS}/openvswitch_agent.ini", f"{PLUGINS}/ml2_conf.ini"),
        (
            ("Debian, Ubuntu, RDO", "neutron-openvswitch-agent"),
            ("Ubuntu until Liberty", "neutron-plugin-openvswitch-agent"),
            ("SUSE", "openstack-neutron-openvswitch-agent"),
        ),
        "neutron-openvswitch-agent",
    ),
    Known(
        "linuxbridge",
        "neutron-linuxbridge-agent",
        "Linux bridges: networks of this node",
        (f"{PLUGINS}/linuxbridge_agent.ini", f"{PLUGINS}/ml2_conf.ini"),
        (
            ("Debian, Ubuntu, RDO", "neutron-linuxbridge-agent"),
            ("Ubuntu until Liberty", "neutron-plugin-linuxbridge-agent"),
            ("SUSE", "openstack-neutron-linuxbridge-agent"),
        ),
        "neutron-linuxbridge-agent",
        until="2024.2",
    ),
    Known(
        "sriov",
        "neutron-sriov-nic-agent",
        "SR-IOV: VFs as ports of this node",
        (f"{PLUGINS}/sriov_agent.ini", f"{PLUGINS}/ml2_conf_sriov.ini"),
        (
            ("Debian, Ubuntu", "neutron-sriov-agent"),
            ("RDO", "neutron-sriov-nic-agent"),
            ("Ubuntu until Liberty", "neutron-plugin-sriov-agent"),
            ("SUSE", "openstack-neutron-sriov-nic-agent"),
        ),
        "neutron-sriov-agent",
    ),
    Known(
        "dhcp",
        "neutron-dhcp-agent",
        "DHCP by dnsmasq, and metadata where it is told to",
        ("/etc/neutron/dhcp_agent.ini",),
        (("Debian, Ubuntu, RDO", "neutron-dhcp-agent"), ("SUSE", "openstack-neutron-dhcp-agent")),
        "neutron-dhcp-agent",
    ),
    Known(
        "metadata",
        "neutron-metadata-agent",
        "hands requests for metadata on to nova",
        ("/etc/neutron/metadata_agent.ini",),
        (("Debian, Ubuntu, RDO", "neutron-metadata-agent"), ("SUSE", "openstack-neutron-metadata-agent")),
        "neutron-metadata-agent",
    ),
    Known(
        "ovn-metadata",
        "neutron-ovn-metadata-agent",
        "metadata of OVN's networks on this node",
        (
            "/etc/neutron/neutron_ovn_metadata_agent.ini",
            "/etc/neutron/plugins/networking-ovn/networking-ovn-metadata-agent.ini",
        ),
        (("Debian, Ubuntu, RDO", "neutron-ovn-metadata-agent"), ("RDO until Train", "networking-ovn-metadata-agent")),
        "neutron-ovn-metadata-agent",
        "ocata",
        "2026.1",
        ("networking-ovn-metadata-agent",),
    ),
    Known(
        "ovn-agent",
        "neutron-ovn-agent",
        "metadata and more of OVN's networks on this node",
        (f"{PLUGINS}/ovn_agent.ini", "/etc/neutron/ovn_agent.ini"),
        (("Debian, Ubuntu, RDO", "neutron-ovn-agent"),),
        "neutron-ovn-agent",
        "2024.1",
    ),
)

OPTIONS = frozenset(
    """state_path core_plugin host bridge_mappings integration_bridge datapath_type extensions physical_interface_mappings
    physical_device_mappings exclude_devices resource_provider_bandwidths force_metadata enable_isolated_metadata
    enable_metadata_network nova_metadata_host nova_metadata_ip nova_metadata_port nova_metadata_protocol mechanism_drivers
    network_vlan_ranges global_physnet_mtu supported_pci_vendor_devs agent_required ovn_metadata_enabled""".split()
)
"""The options of Neutron's files whose values may be shown: all that is read here. Such files hold secrets everywhere else."""


def known(kind: Kind) -> Known:
    return next(each for each in AGENTS if each.kind == kind)
