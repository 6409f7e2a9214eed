"""Guests, VFs that something holds, and the functions that the node itself lives on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodes import holding

from wizard.errors import Denied
from wizard.facts import guests
from wizard.facts.guests import GuestFacts, Role
from wizard.facts.network.network import Link, NetworkFacts
from wizard.facts.pci.functions import NetDevice, PciFacts, PciFunction, RdmaDevice, RdmaPort
from wizard.node.recorded import Entry, MemoryNode

PF, VF = "0000:04:00.0", "0000:04:00.1"
HBA = "0000:01:00.0"
NETWORK = NetworkFacts(
    links=(Link("lo", "other", "", "", (), None, ""),),
    default_route_links=(),
    ssh_links=(),
    addresses=(),
    bridge_nf_call_iptables=None,
    listeners=None,
    ebtables=(),
    nat_chains=None,
    openvswitch=False,
    unseen=(),
)
FUNCTION = PciFunction(
    address=PF,
    vendor="15b3",
    device="1017",
    subsystem="",
    class_code="020000",
    model="ConnectX-5",
    driver="mlx5_core",
    numa_node=None,
    iommu_group=None,
    serial=None,
    netdevs=(),
    rdma=(),
    port_types=(),
    total_vfs=8,
    num_vfs=1,
    vf_device="1018",
    autoprobe=None,
    physical_function=None,
    virtual_functions=(VF,),
    offer="offered",
    why_no_vfs="",
)
A_VF = replace(
    FUNCTION, address=VF, device="1018", physical_function=PF, virtual_functions=(), driver=None, iommu_group=42
)


def link(name: str, kind: str = "physical", *, master: str = "", lower: tuple[str, ...] = (), pci: str = "") -> Link:
    return Link(name, kind, "", master, lower, None, pci)


def with_links(*links: Link, **others: Any) -> NetworkFacts:
    return replace(NETWORK, links=links, **others)


def look(node: MemoryNode, *functions: PciFunction, network: NetworkFacts = NETWORK) -> GuestFacts:
    return guests.read(node, PciFacts(functions, ()), network)


def node_with(*processes: tuple[str, ...]) -> MemoryNode:
    node = MemoryNode()
    node.write("/proc/1/cmdline", "/sbin/init")
    for pid, argv in enumerate(processes, start=100):
        node.write(f"/proc/{pid}/cmdline", "\0".join(argv) + "\0")
    return node


def uses(facts: GuestFacts) -> list[tuple[str, str]]:
    return [(use.address, use.by) for use in facts.in_use]


def roles(facts: GuestFacts) -> list[tuple[str, str, str]]:
    return [(role.address, role.role, role.detail) for role in facts.roles]


def test_guests_by_name() -> None:
    facts = look(
        node_with(
            ("/usr/bin/qemu-system-x86_64", "-enable-kvm", "-name", "guest=instance-0000001a,debug-threads=on"),
            ("/usr/bin/qemu-system-x86_64", "-name", "instance-00000002", "-S"),
            ("/usr/libexec/qemu-kvm", "-m", "512"),
            ("/usr/bin/qemu-ga", "-name", "no"),
            ("grep", "qemu-system-x86_64"),
        )
    )
    assert facts.guests == ("instance-00000002", "instance-0000001a", "pid 102")


def test_guests_unknown_where_processes_are_hidden() -> None:
    facts = look(MemoryNode())
    assert facts.guests is None and any(unseen.what == "running guests" for unseen in facts.unseen)
    assert look(node_with()).guests == ()


@pytest.mark.parametrize(
    "device",
    [
        "vfio-pci,host=0000:04:00.1,id=hostdev0,bus=pci.0,addr=0x5",
        "vfio-pci,host=04:00.1,id=hostdev0",
        '{"driver":"vfio-pci","host":"0000:04:00.1","id":"hostdev0"}',
    ],
)
def test_vf_of_a_guest_by_its_arguments(device: str) -> None:
    node = node_with(
        ("qemu-system-x86_64", "-name", "guest=vm1", "-device", "virtio-net,host=05:00.0", "-device", device)
    )
    bound = replace(A_VF, driver="vfio-pci")
    assert uses(look(node, FUNCTION, bound)) == [(VF, "guest vm1")]
    node.symlink("/proc/100/fd/17", "/dev/vfio/42")
    assert uses(look(node, FUNCTION, bound)) == [(VF, "guest vm1")]


def test_vf_by_open_files() -> None:
    node = node_with(("/usr/bin/testpmd", "-l", "1"), ("qemu-kvm", "-name", "guest=vm2"), ("sleep", "1"))
    node.symlink("/proc/100/fd/17", "/dev/vfio/42")
    node.symlink("/proc/100/fd/18", "/dev/vfio/42")
    node.symlink("/proc/101/fd/3", "/dev/vfio/devices/vfio7")
    node.symlink("/proc/102/fd/0", "socket:[123]")
    other = replace(A_VF, address="0000:04:00.2", iommu_group=43, driver="mlx5_vfio_pci")
    node.add("/sys/bus/pci/devices/0000:04:00.2/vfio-dev/vfio7", Entry("directory"))
    idle = replace(A_VF, address="0000:04:00.3", iommu_group=44, driver="pci-stub")
    free = replace(A_VF, address="0000:04:00.4", iommu_group=45)
    facts = look(node, FUNCTION, replace(A_VF, driver="vfio-pci"), other, idle, free)
    assert uses(facts) == [
        (VF, "testpmd (pid 100)"),
        ("0000:04:00.2", "guest vm2"),
        ("0000:04:00.3", "driver pci-stub"),
    ]
    assert facts.uses_of(VF) == facts.in_use[:1] and facts.uses_of(PF) == ()


def test_open_files_that_may_not_be_seen() -> None:
    class Closed(MemoryNode):
        def _names(self, path: str) -> list[str]:
            if path.endswith("/fd"):
                raise Denied("may not be read without root rights", where=path)
            return super()._names(path)

    node = Closed()
    node.write("/proc/7/cmdline", "x\0")
    node.symlink("/proc/7/fd/1", "/dev/vfio/42")
    facts = look(node, replace(A_VF, driver="vfio-pci"))
    assert uses(facts) == [(VF, "driver vfio-pci")]
    assert any("/dev/vfio" in unseen.what for unseen in facts.unseen)
    assert not any("/dev/vfio" in unseen.what for unseen in look(node, A_VF).unseen)


def test_vf_by_its_interface() -> None:
    vf = replace(A_VF, driver="mlx5_core", netdevs=(NetDevice("eth5", "", 1, "up"),))
    node = node_with()
    assert uses(look(node, vf, network=with_links(link("eth5", pci=VF)))) == []
    in_bridge = with_links(link("br0", "bridge", lower=("eth5",)), link("eth5", master="br0", pci=VF))
    assert uses(look(node, vf, network=in_bridge)) == [(VF, "bridge br0")]
    in_bond = with_links(link("bond0", "bond", lower=("eth5",)), link("eth5", master="bond0", pci=VF))
    assert uses(look(node, vf, network=in_bond)) == [(VF, "bond bond0")]
    in_switch = with_links(link("ovs-system", "other", lower=("eth5",)), link("eth5", master="ovs-system", pci=VF))
    assert uses(look(node, vf, network=in_switch)) == [(VF, "port of ovs-system")]
    below = with_links(link("macvtap0", "other", lower=("eth5",)), link("eth5", pci=VF))
    assert uses(look(node, vf, network=below)) == [(VF, "macvtap0 on eth5")]
    addressed = with_links(link("eth5", pci=VF), addresses=(("eth5", "fe80::1/64"), ("eth5", "10.0.0.5/24")))
    assert uses(look(node, vf, network=addressed)) == [(VF, "address 10.0.0.5/24 on eth5")]


def test_a_pf_with_an_address_is_not_held() -> None:
    pf = replace(FUNCTION, netdevs=(NetDevice("eth4", "", 1, "up"),))
    network = with_links(link("eth4", pci=PF), addresses=(("eth4", "10.0.0.5/24"),))
    assert uses(look(node_with(), pf, network=network)) == []


@pytest.mark.parametrize(
    ("changes", "elsewhere"),
    [
        ({"driver": "mlx5_core"}, True),
        ({"driver": "mlx5_core", "class_code": "020700"}, False),
        (
            {"driver": "mlx5_core", "rdma": (RdmaDevice("mlx5_2", "", "", "", (RdmaPort(1, "InfiniBand", "DOWN"),)),)},
            False,
        ),
        ({"driver": "mlx4_core"}, False),
        ({"driver": None}, False),
    ],
)
def test_vf_without_interface(changes: dict[str, Any], elsewhere: bool) -> None:
    facts = look(node_with(), replace(A_VF, **changes))
    assert bool(facts.in_use) == elsewhere
    assert all("namespace" in use.by for use in facts.in_use)


def test_roles_of_the_network() -> None:
    network = with_links(
        link("eth0", master="bond0", pci="0000:02:00.0"),
        link("eth1", master="bond0", pci="0000:02:00.1"),
        link("bond0", "bond", lower=("eth0", "eth1")),
        link("vlan7", "vlan", lower=("bond0",), master="br7"),
        link("br7", "bridge", lower=("vlan7",)),
        link("eth9", pci=VF),
        ssh_links=("br7",),
        default_route_links=("eth9",),
    )
    facts = look(node_with(), FUNCTION, A_VF, network=network)
    assert set(roles(facts)) == {
        *((f"0000:02:00.{n}", "ssh", "br7") for n in (0, 1)),
        *((f"0000:02:00.{n}", "bond", "bond0") for n in (0, 1)),
        *((f"0000:02:00.{n}", "bridge", "br7") for n in (0, 1)),
        (VF, "default route", "eth9"),
        (PF, "default route", f"eth9, on its VF {VF}"),
    }
    assert {role.role for role in facts.roles_of(PF)} == {"default route"}


def test_roles_through_openvswitch() -> None:
    network = with_links(
        link("eth0", master="ovs-system", pci=PF),
        link("ovs-system", "other", lower=("eth0",)),
        link("br-ex", "other"),
        ssh_links=("br-ex",),
        openvswitch=True,
    )
    assert roles(look(node_with(), network=network)) == [
        (PF, "ssh", "br-ex, through Open vSwitch"),
        (PF, "bridge", "Open vSwitch"),
    ]
    assert roles(look(node_with(), network=replace(network, openvswitch=False)))[0][1] == "bridge"


def add_disk(node: MemoryNode, name: str, device: str, *partitions: str, dev: str = "") -> None:
    place = f"{device}/block/{name}" if not device.endswith("block") else f"{device}/{name}"
    for path in (place, *(f"{place}/{partition}" for partition in partitions)):
        node.add(path, Entry("directory"))
        node.symlink(f"/sys/class/block/{path.rpartition('/')[2]}", path)
    if dev:
        node.write(f"{place}/dev", dev + "\n")


def disk_node(*mounts: str) -> MemoryNode:
    """sda on an HBA, dm-0 (vg-root) on sda2, md0 on sdb and sdc, an NVMe with native multipath."""
    node = node_with()
    scsi = f"/sys/devices/pci0000:00/0000:00:01.0/{HBA}/host0/target0:0:0/0:0:0:0"
    add_disk(node, "sda", scsi, "sda1", "sda2")
    for name, address in (("sdb", "0000:05:00.0"), ("sdc", "0000:06:00.0")):
        add_disk(node, name, f"/sys/devices/pci0000:00/0000:00:02.0/{address}/ata1/host1")
    virtual = "/sys/devices/virtual/block"
    add_disk(node, "dm-0", virtual, dev="253:0")
    node.write(f"{virtual}/dm-0/dm/name", "vg-root\n")
    node.symlink(f"{virtual}/dm-0/slaves/sda2", f"{scsi}/block/sda/sda2")
    add_disk(node, "md0", virtual, "md0p1", dev="9:0")
    node.symlink(f"{virtual}/md0/slaves/sdb", "x")
    node.symlink(f"{virtual}/md0/slaves/sdc", "x")
    subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0"
    node.add(f"{subsystem}/nvme0n1", Entry("directory"))
    node.symlink("/sys/class/block/nvme0n1", f"{subsystem}/nvme0n1")
    node.add("/sys/devices/pci0000:00/0000:00:06.0/0000:07:00.0/nvme/nvme0", Entry("directory"))
    node.symlink(f"{subsystem}/nvme0", "/sys/devices/pci0000:00/0000:00:06.0/0000:07:00.0/nvme/nvme0")
    node.write("/proc/self/mountinfo", "\n".join(mounts) + "\n")
    return node


def mount(number: str, point: str, source: str, kind: str = "ext4") -> str:
    return f"36 35 {number} / {point} rw,noatime shared:1 - {kind} {source} rw"


def test_root_on_lvm() -> None:
    facts = look(disk_node(mount("253:0", "/", "/dev/mapper/vg-root"), mount("8:1", "/boot", "/dev/sda1")))
    assert roles(facts) == [(HBA, "root disk", "/ on dm-0"), (HBA, "disk", "/boot on sda1")]
    assert not any("root" in unseen.what for unseen in facts.unseen)


@pytest.mark.parametrize(
    ("line", "addresses"),
    [
        (mount("253:0", "/", "/dev/root"), {HBA}),
        (mount("8:2", "/", "/dev/disk/by-label/x"), {HBA}),
        (mount("9:0", "/", "/dev/md0"), {"0000:05:00.0", "0000:06:00.0"}),
        (mount("259:1", "/", "/dev/md0p1"), {"0000:05:00.0", "0000:06:00.0"}),
        (mount("259:0", "/", "/dev/nvme0n1"), {"0000:07:00.0"}),
        (mount("0:33", "/", "/dev/sdb", "btrfs"), {"0000:05:00.0", "0000:06:00.0"}),
        (mount("0:50", "/", "overlay", "overlay"), set()),
        (mount("0:51", "/", "10.0.0.1:/export", "nfs"), set()),
    ],
)
def test_root_disk(line: str, addresses: set[str]) -> None:
    node = disk_node(line)
    node.symlink("/dev/disk/by-label/x", "../../sda2")
    node.write("/dev/sda2", "")
    for name in ("sdb", "sdc"):
        node.symlink(f"/sys/fs/btrfs/6e1f/devices/{name}", "x")
    facts = look(node)
    assert {role.address for role in facts.roles if role.role == "root disk"} == addresses
    assert any(unseen.what == "root disk" for unseen in facts.unseen) == (not addresses)


def test_many_mounts_of_one_disk_are_one_role() -> None:
    node = disk_node(
        *(mount("8:1", f"/var/lib/x/{n}", "/dev/sda1") for n in range(20)), mount("8:1", "/srv", "/dev/sda1")
    )
    assert roles(look(node)) == [(HBA, "disk", "/srv on sda1")]


def test_swap_and_the_old_table_of_mounts() -> None:
    node = disk_node()
    node.write("/proc/self/mountinfo", "")
    node.write("/proc/mounts", "/dev/sda1 /mnt\\040x ext4 rw 0 0\n")
    node.write("/proc/swaps", "Filename Type Size Used Priority\n/dev/sdb partition 1 0 -2\n")
    assert roles(look(node)) == [(HBA, "disk", "/mnt x on sda1"), ("0000:05:00.0", "disk", "swap on sdb")]


def test_mounts_that_cannot_be_seen() -> None:
    assert any("mounted" in unseen.what for unseen in look(node_with()).unseen)


def test_roles_are_listed_once() -> None:
    network = with_links(link("eth0", pci=PF), ssh_links=("eth0", "eth0"), default_route_links=("eth0",))
    assert look(node_with(), network=network).roles == (Role(PF, "ssh", "eth0"), Role(PF, "default route", "eth0"))


ANYTHING = st.one_of(
    st.binary(max_size=200), st.text("-namedvice guest=host:04.1,\n\0/8\\", max_size=200).map(str.encode)
)
PLACES = (
    *("/proc/5/cmdline", "/proc/self/mountinfo", "/proc/mounts", "/proc/swaps", "/proc/5/fd/3", "/proc/self/mounts"),
    *("/sys/class/block/sda/dev", "/sys/class/block/dm-0/dm/name", "/sys/fs/btrfs/x/devices/sda"),
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(PLACES), ANYTHING))
def test_any_content_is_survived(contents: dict[str, bytes]) -> None:
    node = holding(contents)
    facts = look(node, FUNCTION, replace(A_VF, driver="vfio-pci"))
    assert facts == look(node, FUNCTION, replace(A_VF, driver="vfio-pci"))
    assert VF in {use.address for use in facts.in_use}
