"""Nodes with Neutron, each of a driver and a way of deployment, made of the built-in node of today."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from nodes import remove, replace, today

from wizard.facts.neutron import switch
from wizard.facts.neutron.served import flows_command
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode

NET = "9d1e7a30-6c2b-4a6e-9a55-0d4c1b2a3f44"
MAC = "fa:16:3e:5b:0c:71"
HEAD = "00.00.00.02.00.00.00.00.00.01.de.10.00.00.00.63"
ROUTED = f"{HEAD}.0a.2c.01.14.79.0e.20.a9.fe.a9.fe.0a.2c.01.02.00.0a.2c.01.01.33.04.00.00.a8.c0.03.04.0a.2c.01.01"
UNROUTED = f"{HEAD}.0a.2c.01.14.33.04.00.00.a8.c0.01.04.ff.ff.ff.00.03.04.0a.2c.01.01"
CX5 = ("enp59s0f0np0", "enp59s0f1np1")
PF = ("0000:3b:00.0", "0000:3b:00.1")


def run(node: MemoryNode, pid: int, *argv: str, cgroup: str = "0::/system.slice/x.service") -> None:
    """Let a process run."""
    node.write(f"/proc/{pid}/cmdline", "\0".join(argv) + "\0")
    node.write(f"/proc/{pid}/cgroup", cgroup + "\n")
    node.write(f"/proc/{pid}/stat", f"{pid} (x) S 1 {'0 ' * 17}2310 0 0\n")


def agent(node: MemoryNode, pid: int, program: str, *files: str, titled: bool = False, cgroup: str = "0::/x") -> None:
    """Let an agent of Neutron run, by its interpreter, or with a title of its own in place of its arguments."""
    words = ["/usr/bin/python3", f"/usr/bin/{program}", *(f"--config-file={path}" for path in files)]
    run(node, pid, *([f"{program} ({' '.join(words)})"] if titled else words), cgroup=cgroup)


def flow(userdata: str, mac: str = MAC, network: str = "0x2") -> str:
    """A flow of OVN's DHCP, as ovs-ofctl prints it."""
    return (
        f" cookie=0x77, duration=81.1s, table=30, n_packets=2, n_bytes=684, priority=100,conj_id=31,udp,reg14=0x3,metadata={network},"
        f"dl_src={mac},tp_src=68,tp_dst=67 actions=controller(userdata={userdata},pause),resubmit(,31)\n"
    )


def answer(node: MemoryNode, argv: tuple[str, ...], stdout: str, status: int = 0) -> None:
    node.commands[argv] = Output(argv, status, stdout, "")


def table(node: MemoryNode, argv: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> None:
    """What ovs-vsctl says of a table."""
    names = next(word for word in argv if word.startswith("--columns=")).partition("=")[2].split(",")
    data = [[row.get(name, ["set", []]) for name in names] for row in rows]
    answer(node, argv, json.dumps({"headings": names, "data": data}) + "\n")


def uuid(number: int) -> list[str]:
    return ["uuid", f"0d6c7a10-0000-4000-8000-{number:012d}"]


def ovs(
    node: MemoryNode,
    bridges: Mapping[str, Iterable[tuple[str, str]]],
    ids: Mapping[str, str] | None = None,
    guests: Iterable[tuple[str, str]] = (),
    other: Mapping[str, str] | None = None,
) -> None:
    """Open vSwitch's database: `bridges` have ports as (name, type), `guests` are (port, MAC) of br-int."""
    node.write("/run/openvswitch/ovs-vswitchd.pid", "1322\n")
    ports, interfaces, rows = [], [], []
    number = 1
    for bridge, own in bridges.items():
        members = []
        for name, kind in own:
            ports.append({"_uuid": uuid(number), "name": name, "interfaces": uuid(number + 1000)})
            interfaces.append(
                {
                    "_uuid": uuid(number + 1000),
                    "name": name,
                    "type": kind,
                    "ofport": number,
                    "external_ids": ["map", []],
                }
            )
            members.append(uuid(number))
            number += 1
        rows.append({"name": bridge, "ports": members[0] if len(members) == 1 else ["set", members]})
    for name, mac in guests:
        pairs = [["attached-mac", mac], ["iface-id", f"id-of-{name}"], ["vm-uuid", "3f9e1c54"]]
        interfaces.append(
            {"_uuid": uuid(number + 1000), "name": name, "type": "", "ofport": number, "external_ids": ["map", pairs]}
        )
        number += 1
    top = {
        "external_ids": ["map", [list(pair) for pair in (ids or {}).items()]],
        "other_config": ["map", [list(pair) for pair in (other or {}).items()]],
        "ovs_version": "3.5.1",
    }
    table(node, switch.OPEN_VSWITCH, [top])
    table(node, switch.BRIDGES, rows)
    table(node, switch.PORTS, ports)
    table(node, switch.INTERFACES, interfaces)


def bare() -> MemoryNode:
    """The node of today without any process, file or answer of Neutron, OVN and Open vSwitch."""
    node = today()
    for pid in (1460, 1822, 1322):
        remove(node, f"/proc/{pid}")
    remove(node, "/etc/neutron")
    remove(node, "/usr/lib/systemd/system/neutron-ovn-metadata-agent.service")
    remove(node, "/run/openvswitch")
    replace(node, "/var/lib/dpkg/status", "Package: neutron-ovn-metadata-agent", "Package: other")
    for argv in [argv for argv in node.commands if argv[0].startswith("ovs-")]:
        del node.commands[argv]
    return node


def ovn(
    flows: str | None = None,
    namespace: bool = True,
    proxy: bool = True,
    ids: Mapping[str, str] | None = None,
    physical: str = "enp24s0f1np1",
) -> MemoryNode:
    """OVN with its metadata agent, a provider network and one guest on it."""
    node = bare()
    run(node, 1460, "ovn-controller", "unix:/var/run/openvswitch/db.sock")
    node.write(
        "/etc/neutron/neutron_ovn_metadata_agent.ini", "[DEFAULT]\nmetadata_proxy_shared_secret = 5b1fd0c27a98\n"
    )
    agent(node, 1822, "neutron-ovn-metadata-agent", "/etc/neutron/neutron_ovn_metadata_agent.ini", titled=True)
    outside = {
        "br-int": [("br-int", "internal")],
        "br-ex": [("br-ex", "internal"), (physical, ""), ("patch-x", "patch")],
    }
    given = {"system-id": "compute-12", "ovn-bridge-mappings": "physnet1:br-ex"} if ids is None else ids
    ovs(node, outside, given, [("tap7c0d1a52-41", MAC)])
    answer(node, flows_command("br-int"), flow(ROUTED) if flows is None else flows)
    if namespace:
        node.write(f"/run/netns/ovnmeta-{NET}", "")
    if proxy:
        run(node, 1830, "haproxy", "-f", f"/var/lib/neutron/ovn-metadata-proxy/{NET}.conf")
    return node


def ovs_agent(ini: str = "[ovs]\nbridge_mappings = physnet1:br-ex\n", dhcp: str | None = None) -> MemoryNode:
    """The Open vSwitch agent; with the DHCP agent, whose file holds `dhcp`, where that is given."""
    node = bare()
    paths = ("/etc/neutron/neutron.conf", "/etc/neutron/plugins/ml2/openvswitch_agent.ini")
    node.write(paths[0], "[DEFAULT]\ntransport_url = rabbit://openstack:s3cr3t@controller\ncore_plugin = ml2\n")
    node.write(paths[1], ini)
    agent(node, 1500, "neutron-openvswitch-agent", *paths, titled=True)
    ovs(node, {"br-int": [("br-int", "internal")], "br-ex": [("br-ex", "internal"), ("enp24s0f1np1", "")]})
    if dhcp is not None:
        node.write("/etc/neutron/dhcp_agent.ini", dhcp)
        agent(node, 1501, "neutron-dhcp-agent", paths[0], "/etc/neutron/dhcp_agent.ini")
    return node


def linuxbridge() -> MemoryNode:
    node = bare()
    path = "/etc/neutron/plugins/ml2/linuxbridge_agent.ini"
    node.write(path, "[linux_bridge]\nphysical_interface_mappings = physnet1:enp24s0f1np1\n")
    agent(node, 1510, "neutron-linuxbridge-agent", path)
    return node


def sriov(node: MemoryNode, ini: str, path: str = "/etc/neutron/plugins/ml2/sriov_agent.ini") -> MemoryNode:
    """The SR-IOV agent on a node, with Debian's service."""
    node.write(path, ini)
    node.write(
        "/usr/lib/systemd/system/neutron-sriov-agent.service",
        "[Service]\nExecStart=/etc/init.d/neutron-sriov-agent systemd-start\n",
    )
    agent(node, 1520, "neutron-sriov-nic-agent", "/etc/neutron/neutron.conf", path)
    return node


def kolla(node: MemoryNode | None = None) -> MemoryNode:
    """The Open vSwitch and SR-IOV agents in kolla's containers: their paths are those inside."""
    node = node or bare()
    cgroup = "0::/system.slice/docker-0123456789abcdef.scope"
    node.write("/etc/kolla/neutron-openvswitch-agent/neutron.conf", "[DEFAULT]\ncore_plugin = ml2\n")
    node.write(
        "/etc/kolla/neutron-openvswitch-agent/openvswitch_agent.ini", "[ovs]\nbridge_mappings = physnet1:br-ex\n"
    )
    inside = ("/etc/neutron/neutron.conf", "/etc/neutron/plugins/ml2/openvswitch_agent.ini")
    agent(node, 1500, "neutron-openvswitch-agent", *inside, cgroup=cgroup)
    node.write(
        "/etc/kolla/neutron-sriov-agent/sriov_agent.ini", f"[sriov_nic]\nphysical_device_mappings = physnet2:{CX5[0]}\n"
    )
    agent(node, 1520, "neutron-sriov-nic-agent", inside[0], "/etc/neutron/plugins/ml2/sriov_agent.ini", cgroup=cgroup)
    return node
