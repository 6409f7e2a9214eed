"""Nova on a node: its networking, its networks and its services."""

from __future__ import annotations

import pytest
from nova_nodes import run, ubuntu

from wizard.facts.nova import nova
from wizard.node.recorded import MemoryNode


@pytest.mark.parametrize(
    ("version", "conf", "expected"),
    [
        ("1:2015.1.4", "", "nova-network"),
        ("2:12.0.6", "network_api_class = nova.network.neutronv2.api.API\n", "neutron"),
        ("1:2015.1.4", "network_api_class = nova.network.api.API\n", "nova-network"),
        ("1:2015.1.4", "network_api_class = my.own.API\n", "unknown"),
        ("2:13.1.4", "", "nova-network"),
        ("2:13.1.4", "use_neutron = true\n", "neutron"),
        ("2:13.1.4", "use_neutron = True\nuse_neutron = False\n", "nova-network"),
        ("2:13.1.4", "network_api_class = nova.network.neutronv2.api.API\n", "neutron"),
        ("2:15.1.5", "", "neutron"),
        ("2:15.1.5", "use_neutron = False\n", "unknown"),
        ("2:15.1.5", "use_neutron = False\n[cells]\nenable = True\n", "nova-network"),
        ("2:20.6.1", "use_neutron = False\n[cells]\nenable = True\n", "unknown"),
        ("2:21.0.0", "use_neutron = False\n", "neutron"),
        ("9:99.0.0", "use_neutron = False\n", "nova-network"),
        ("9:99.0.0", "", "unknown"),
    ],
)
def test_networking_by_the_rules_of_the_release(version: str, conf: str, expected: str) -> None:
    facts = nova.read(ubuntu(version, "[DEFAULT]\n" + conf))
    assert facts.networking == expected, facts.networking_source
    assert facts.networking_source


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("/usr/bin/python2.7", "/usr/bin/nova-network", "--config-file=/etc/nova/nova.conf"), "nova-network"),
        (("dnsmasq", "--pid-file=/var/lib/nova/networks/nova-br5.pid"), "nova-network"),
        (("dnsmasq", "--pid-file=/var/lib/neutron/dhcp/ab/pid"), "unknown"),
        (("python3", "/usr/bin/neutron-openvswitch-agent"), "neutron"),
        (("ovn-controller", "unix:/x"), "neutron"),
        (("vi", "/usr/bin/nova-network"), "unknown"),
        (("tail", "--pid-file=/var/lib/nova/networks/nova-br5.pid"), "unknown"),
    ],
)
def test_networking_by_what_runs(argv: tuple[str, ...], expected: str) -> None:
    node = ubuntu("9:99.0.0")
    run(node, 5, *argv)
    assert nova.read(node).networking == expected


def dnsmasq(label: str, bridge: str, listen: str, start: str) -> tuple[str, ...]:
    state = f"/var/lib/nova/networks/nova-{bridge}"
    return (
        "/usr/sbin/dnsmasq",
        *("--strict-order", "--bind-interfaces", "--conf-file=/etc/dnsmasq-nova.conf", f"--pid-file={state}.pid"),
        *(f"--dhcp-optsfile={state}.opts", f"--listen-address={listen}", "--except-interface=lo"),
        f"--dhcp-range=set:{label},{start},static,255.255.255.0,86400s",
        f"--dhcp-hostsfile={state}.conf",
    )


def test_networks_from_dnsmasq_and_state_files() -> None:
    node = ubuntu()
    for pid in (100, 101):  # nova's dnsmasq is a pair
        run(node, pid, *dnsmasq("demo-net", "br1441", "10.44.1.2", "10.44.1.3"))
    run(node, 102, *dnsmasq("Demo2 Net", "br200", "10.44.2.2", "10.44.2.3"))
    run(node, 103, "/usr/sbin/dnsmasq", "--conf-file=/var/lib/libvirt/dnsmasq/default.conf")
    for name in ("nova-br1441.conf", "nova-br300.conf", "nova-br300.opts", "nova-ra-br300.conf", "other"):
        node.write(f"/var/lib/nova/networks/{name}", "")
    networks = nova.read(node).networks
    assert [(n.label, n.bridge, n.vlan, n.listen, n.cidr, n.dnsmasq_running) for n in networks] == [
        ("Demo2 Net", "br200", 200, "10.44.2.2", "10.44.2.0/24", True),
        ("", "br300", 300, "", "", False),
        ("demo-net", "br1441", 1441, "10.44.1.2", "10.44.1.0/24", True),
    ]
    assert networks[0].pid_file == "/var/lib/nova/networks/nova-br200.pid"


def test_networks_of_a_flat_manager_and_another_place() -> None:
    node = ubuntu(
        conf="[DEFAULT]\nnetwork_manager = nova.network.manager.FlatDHCPManager\n"
        "state_path = /srv/nova\nnetworks_path = $state_path/net\n"
    )
    node.write("/srv/nova/net/nova-br100.conf", "")
    facts = nova.read(node)
    assert facts.networks_path == "/srv/nova/net"
    assert [(n.bridge, n.vlan) for n in facts.networks] == [("br100", None)]


def test_services_of_every_init_system() -> None:
    node = MemoryNode()
    node.write("/etc/init/nova-compute.conf", "")
    node.write("/etc/init/libvirt-bin.conf", "")
    node.write("/usr/lib/systemd/system/openstack-nova-network.service", "")
    node.symlink("/lib", "usr/lib")
    node.write("/etc/init.d/nova-api", "", mode=0o755)
    node.symlink("/etc/systemd/system/libvirtd.service", "/dev/null")
    node.write("/usr/lib/systemd/system/libvirtd.service", "")
    node.write("/etc/init/cron.conf", "")
    assert nova.read(node).services == ("nova-compute", "nova-api", "openstack-nova-network", "libvirt-bin")


@pytest.mark.parametrize(
    ("files", "systemd", "there"),
    [
        ({"/etc/init/nova-network.conf": 0o644}, False, True),
        (
            {"/etc/init/nova-network.conf": 0o644},
            True,
            False,
        ),  # left over from before the upgrade: systemd reads no job
        ({"/etc/init.d/nova-network": 0o755}, True, True),
        ({"/etc/init.d/nova-network": 0o644}, True, False),
        ({"/etc/init.d/nova-network": 0o644}, False, False),
        ({"/lib/systemd/system/nova-network.service": 0o644}, True, True),
        ({"/etc/init/nova-network.conf": 0o644, "/etc/init.d/nova-network": 0o755}, True, True),
    ],
)
def test_a_service_is_what_the_init_system_here_reads(files: dict[str, int], systemd: bool, there: bool) -> None:
    node = MemoryNode()
    for path, mode in files.items():
        node.write(path, "", mode=mode)
    if systemd:
        node.write("/run/systemd/system/.keep", "")
    assert ("nova-network" in nova.read(node).services) is there


def test_a_masked_unit_is_no_service_beside_a_job_or_script_that_is_left_over() -> None:
    node = MemoryNode()
    node.write("/run/systemd/system/.keep", "")
    node.symlink("/etc/systemd/system/nova-network.service", "/dev/null")
    node.write("/etc/init/nova-network.conf", "")
    node.write("/etc/init.d/nova-network", "", mode=0o755)
    assert nova.read(node).services == ()
