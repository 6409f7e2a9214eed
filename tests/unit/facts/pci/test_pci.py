"""PCI functions: one tree of our own making for each family of cards, and for what goes wrong."""

import gzip
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.errors import Denied
from wizard.facts.pci import functions as pci
from wizard.facts.pci.functions import PciFacts, PciFunction, family_of, vf_addresses
from wizard.node.recorded import MemoryNode

ROOT = "/sys/devices/pci0000:00/0000:00:02.0"
SRIOV = {"sriov_totalvfs": "16", "sriov_numvfs": "0"}


def function(node: MemoryNode, address: str, vendor: str, device: str, driver: str = "", **files: str) -> str:
    """Put a function below a root port, as sysfs has it, and give its directory. `__` in a name stands for a slash."""
    place = f"{ROOT}/{address}"
    values = {"vendor": f"0x{vendor}", "device": f"0x{device}", "class": "0x020000", "numa_node": "0", **files}
    for name, value in values.items():
        node.write(f"{place}/{name.replace('__', '/')}", f"{value}\n")
    node.symlink(f"/sys/bus/pci/devices/{address}", f"../../../devices/pci0000:00/0000:00:02.0/{address}")
    if driver:
        node.symlink(f"{place}/driver", f"../../../../bus/pci/drivers/{driver}")
    return place


def add_vfs(node: MemoryNode, parent: str, addresses: tuple[str, ...], device: str, first_group: int = 34) -> None:
    for number, address in enumerate(addresses):
        place = function(node, address, "15b3", device)
        node.symlink(f"{place}/physfn", f"../{parent}")
        node.symlink(f"{place}/iommu_group", f"../../../../kernel/iommu_groups/{first_group + number}")
        node.symlink(f"{ROOT}/{parent}/virtfn{number}", f"../{address}")


def capability(total: int) -> bytes:
    """4096 bytes with the capabilities of a ConnectX-3: ARI at 0x100, then SR-IOV at 0x108."""
    space = bytearray(4096)
    space[0x100:0x104] = (0x108 << 20 | 1 << 16 | 0x000E).to_bytes(4, "little")
    space[0x108:0x10C] = (0x000 << 20 | 1 << 16 | 0x0010).to_bytes(4, "little")
    space[0x108 + 0x0E : 0x108 + 0x10] = total.to_bytes(2, "little")
    return bytes(space)


def read(node: MemoryNode) -> dict[str, PciFunction]:
    return {each.address: each for each in pci.read(node).functions}


def test_connectx3_pro_before_any_vf() -> None:
    node = MemoryNode()
    files = {"mlx4_port1": "ib", "mlx4_port2": "auto (eth)", "subsystem_vendor": "0x15b3", "subsystem_device": "0x0006"}
    place = function(node, "0000:04:00.0", "15b3", "1007", "mlx4_core", **SRIOV, **files)
    for number, name in enumerate(("ib0", "ib1")):
        node.write(f"{place}/net/{name}/address", f"80:00:02:48:FE:80::{number}\n")
        node.write(f"{place}/net/{name}/dev_id", f"0x{number}\n")
        node.write(f"{place}/net/{name}/dev_port", "0\n")
        node.write(f"{place}/net/{name}/operstate", "up\n")
    device = f"{place}/infiniband/mlx4_0"
    node.write(f"{device}/fw_ver", "2.42.5000\n")
    node.write(f"{device}/board_id", "MT_1090111019\n")
    node.write(f"{device}/node_guid", "7cfe:9003:00a6:6ca0\n")
    for port in (2, 10, 1):
        node.write(f"{device}/ports/{port}/link_layer", "InfiniBand\n")
        node.write(f"{device}/ports/{port}/state", "4: ACTIVE\n")
    card = read(node)["0000:04:00.0"]
    assert (card.model, card.family, card.driver, card.offer, card.why_no_vfs) == (
        *("ConnectX-3 Pro", "mlx4", "mlx4_core", "offered", ""),
    )
    assert (card.total_vfs, card.num_vfs, card.vf_device, card.autoprobe) == (16, 0, "1004", None)
    assert (card.subsystem, card.class_code, card.numa_node, card.iommu_group) == ("15b3:0006", "020000", 0, None)
    assert card.port_types == ("ib", "eth")
    assert [(device.name, device.port, device.state) for device in card.netdevs] == [("ib0", 1, "up"), ("ib1", 2, "up")]
    assert card.netdevs[0].mac.startswith("80:00:02:48:fe")
    assert (card.rdma[0].name, card.rdma[0].firmware, card.rdma[0].board_id) == ("mlx4_0", "2.42.5000", "MT_1090111019")
    assert [(port.number, port.state) for port in card.rdma[0].ports] == [(1, "ACTIVE"), (2, "ACTIVE"), (10, "ACTIVE")]
    assert card.link_layers == ("InfiniBand",) * 3


def test_connectx3_pro_with_sixteen_vfs_in_the_order_of_their_numbers() -> None:
    node = MemoryNode()
    function(node, "0000:04:00.0", "15b3", "1007", "mlx4_core", sriov_totalvfs="16", sriov_numvfs="16")
    addresses = vf_addresses("0000:04:00.0", 1, 1, 16)
    add_vfs(node, "0000:04:00.0", addresses, "1004")
    found = read(node)
    assert found["0000:04:00.0"].virtual_functions == addresses
    assert (addresses[0], addresses[7], addresses[15]) == ("0000:04:00.1", "0000:04:01.0", "0000:04:02.0")
    last = found["0000:04:02.0"]
    assert (last.physical_function, last.is_vf, last.iommu_group, last.driver) == ("0000:04:00.0", True, 49, None)
    assert (last.model, last.family, last.offer) == ("ConnectX-3 Pro VF", "mlx4", "none")
    assert "0000:04:00.0" in last.why_no_vfs


def test_connectx5_with_two_ports_is_two_functions() -> None:
    node = MemoryNode()
    modern = {"sriov_totalvfs": "8", "sriov_vf_device": "1018", "sriov_drivers_autoprobe": "0", "sriov_stride": "1"}
    for number, enabled in ((0, "8"), (1, "0")):
        files = {f"net__enp129s0f{number}np{number}__dev_port": "0", "sriov_numvfs": enabled}
        function(node, f"0000:81:00.{number}", "15b3", "1017", "mlx5_core", **modern, **files)
    add_vfs(node, "0000:81:00.0", vf_addresses("0000:81:00.0", 2, 1, 8), "1018")
    found = pci.read(node).functions
    assert [each.address for each in found[:2]] == ["0000:81:00.0", "0000:81:00.1"]
    assert found[0].virtual_functions[-1] == "0000:81:01.1"
    assert [(each.vf_device, each.autoprobe, each.netdevs[0].port) for each in found[:2]] == [("1018", False, 1)] * 2
    assert all(each.is_vf and each.model == "ConnectX-5 VF" for each in found[2:])


def test_vfs_of_shared_id_are_named_after_their_pf() -> None:
    node = MemoryNode()
    function(node, "0000:c1:00.0", "15b3", "101d", "mlx5_core", **SRIOV, sriov_vf_device="101e")
    add_vfs(node, "0000:c1:00.0", ("0000:c1:00.2",), "101e")
    function(node, "0000:82:00.0", "15b3", "a2d6", "mlx5_core", **SRIOV)
    add_vfs(node, "0000:82:00.0", ("0000:82:00.3",), "101e")
    found = read(node)
    assert found["0000:c1:00.2"].model == "ConnectX-6 Dx VF"
    assert found["0000:82:00.3"].model == "BlueField-2 VF"
    assert found["0000:82:00.0"].vf_device == "101e"


def test_vf_device_of_another_vendor_is_read_from_the_vfs_that_are_there() -> None:
    node = MemoryNode()
    function(node, "0000:07:00.0", "8086", "1521", "igb", **SRIOV)
    assert read(node)["0000:07:00.0"].vf_device is None
    add_vfs(node, "0000:07:00.0", ("0000:07:10.0",), "1520")
    assert read(node)["0000:07:00.0"].vf_device == "1520"


@pytest.mark.parametrize(
    ("device", "driver", "files", "offer", "why"),
    [
        ("1007", "mlx4_core", {}, "off", "SRIOV_EN"),
        ("1017", "mlx5_core", {"sriov_totalvfs": "0", "sriov_numvfs": "0"}, "off", "SRIOV_EN"),
        ("1017", "", SRIOV, "off", "no driver is bound"),
        ("1003", "", SRIOV, "off", "mlx4_core"),
        ("1017", "vfio-pci", SRIOV, "off", "vfio-pci holds the whole card"),
        ("01f8", "", {}, "off", "recovery mode"),
        ("0212", "", {}, "off", "recovery mode"),
        ("1017", "mlx5_core", {"sriov_totalvfs": "many"}, "unknown", "cannot be read"),
        ("101e", "mlx5_core", {}, "none", "VF"),
        ("1017", "mlx5_core", SRIOV, "offered", ""),
    ],
)
def test_why_a_mellanox_card_has_no_vfs(device: str, driver: str, files: dict[str, str], offer: str, why: str) -> None:
    node = MemoryNode()
    function(node, "0000:04:00.0", "15b3", device, driver, **files)
    card = read(node)["0000:04:00.0"]
    assert card.offer == offer
    assert why in card.why_no_vfs
    assert bool(card.why_no_vfs) == (offer != "offered")


@pytest.mark.parametrize(
    ("device", "config", "others", "offer", "why"),
    [
        ("1007", capability(16), False, "off", "CONFIG_PCI_IOV"),
        ("1007", capability(16), True, "off", "dmesg"),
        ("1007", capability(0), True, "off", "SRIOV_EN"),
        ("1007", bytes(4096), True, "off", "SRIOV_EN"),
        ("1007", capability(16)[:64], False, "off", "CONFIG_PCI_IOV"),
        ("1007", capability(16)[:64], True, "off", "as root"),
        ("9999", capability(4), False, "off", "4 VFs"),
        ("9999", bytes(4096), False, "none", "no SR-IOV capability"),
        ("9999", bytes(64), False, "unknown", "only root"),
        ("9999", bytes(256), False, "none", "no SR-IOV capability"),
    ],
)
def test_configuration_space_tells_what_sysfs_does_not(
    device: str, config: bytes, others: bool, offer: str, why: str
) -> None:
    node = MemoryNode()
    place = function(node, "0000:04:00.0", "15b3", device)
    node.write(f"{place}/config", config)
    if others:
        function(node, "0000:05:00.0", "8086", "1521", "igb", **SRIOV)
    card = read(node)["0000:04:00.0"]
    assert card.offer == offer
    assert why in card.why_no_vfs


def test_controllers_of_another_kind_are_not_looked_into() -> None:
    node = MemoryNode()
    place = function(node, "0000:05:00.0", "10de", "1db4", **{"class": "0x030200"})
    node.write(f"{place}/config", capability(16))
    assert read(node)["0000:05:00.0"].offer == "none"


def test_order_is_mellanox_then_who_offers_then_the_rest() -> None:
    node = MemoryNode()
    function(node, "0000:00:00.0", "8086", "2f00", **{"class": "0x060000"})
    function(node, "0000:01:00.0", "8086", "1521", "igb", **SRIOV)
    function(node, "0000:04:00.0", "15b3", "1007", "mlx4_core", **SRIOV)
    function(node, "0000:04:00.1", "15b3", "1004")
    node.symlink(f"{ROOT}/0000:04:00.1/physfn", "../0000:04:00.0")
    function(node, "0000:0a:00.0", "15b3", "1976", **{"class": "0x060400"})
    function(node, "10000:e1:00.0", "15b3", "1017")
    function(node, "0108:00:00.0", "15b3", "1017", "mlx5_core", **SRIOV)
    assert [each.address for each in pci.read(node).functions] == [
        *("0000:04:00.0", "0108:00:00.0", "10000:e1:00.0"),
        *("0000:01:00.0", "0000:00:00.0", "0000:04:00.1", "0000:0a:00.0"),
    ]


def test_two_mlx4_cards_keep_their_own_limits() -> None:
    node = MemoryNode()
    function(node, "0000:04:00.0", "15b3", "1007", "mlx4_core", sriov_totalvfs="16", sriov_numvfs="0")
    function(node, "0000:82:00.0", "15b3", "1003", "mlx4_core", sriov_totalvfs="8", sriov_numvfs="0")
    assert [(each.model, each.total_vfs) for each in pci.read(node).functions] == [
        ("ConnectX-3 Pro", 16),
        ("ConnectX-3", 8),
    ]


def test_group_shared_by_pf_and_vfs_is_told_as_it_is() -> None:
    node = MemoryNode()
    place = function(node, "0000:01:00.0", "15b3", "1015", "mlx5_core", **SRIOV, numa_node="-1")
    node.symlink(f"{place}/iommu_group", "../../../../kernel/iommu_groups/1")
    add_vfs(node, "0000:01:00.0", ("0000:01:00.2",), "1016", first_group=1)
    assert {each.iommu_group for each in pci.read(node).functions} == {1}
    assert read(node)["0000:01:00.0"].numa_node is None


def test_serial_number_is_shared_by_the_functions_of_a_card() -> None:
    node = MemoryNode()
    fields = b"PN\x0cMCX512A-ACATSN\x0cMT2011X04218RV\x01\x00"
    data = b"\x82\x03\x00abc\x90" + len(fields).to_bytes(2, "little") + fields + b"\x78"
    for number in (0, 1):
        function(node, f"0000:3b:00.{number}", "15b3", "1017", "mlx5_core", **SRIOV)
    node.write(f"{ROOT}/0000:3b:00.1/vpd", data)
    node.write(f"{function(node, '0000:3c:00.0', '15b3', '1017', 'mlx5_core', **SRIOV)}/vpd", b"\x90\xff")
    found = read(node)
    assert found["0000:3b:00.0"].serial == found["0000:3b:00.1"].serial == "MT2011X04218"
    assert found["0000:3c:00.0"].serial is None


class Unprivileged(MemoryNode):
    """A node whose vital product data is for root only."""

    privileged = False

    def _read(self, path: str) -> bytes:
        if path.endswith("/vpd"):
            raise Denied("may not be read without root rights", where=path)
        return super()._read(path)


def test_serial_number_that_is_for_root_is_unseen_once_a_card() -> None:
    node = Unprivileged()
    for number in (0, 1):
        node.write(f"{function(node, f'0000:3b:00.{number}', '15b3', '1017', 'mlx5_core', **SRIOV)}/vpd", b"")
    facts = pci.read(node)
    assert [each.serial for each in facts.functions] == [None, None]
    assert [(each.what, each.why) for each in facts.unseen] == [
        ("serial number of 0000:3b:00.0", "vpd may not be read without root rights")
    ]


@pytest.mark.parametrize(("path", "pack"), [("misc/pci.ids", bytes), ("hwdata/pci.ids.gz", gzip.compress)])
def test_names_of_other_vendors_are_the_nodes_own(path: str, pack: Callable[[bytes], bytes]) -> None:
    node = MemoryNode()
    function(node, "0000:07:00.0", "8086", "1521", "igb")
    function(node, "0000:08:00.0", "8086", "ffff")
    function(node, "0000:09:00.0", "1af4", "1521")
    text = "# ids\n15b3  Mellanox\n\t1521  Wrong\n8086  Intel\n\t1521  I350\n\t\t8086 ffff  Wrong\nC 02  Net\n\tffff  Wrong\n"
    node.write(f"/usr/share/{path}", pack(text.encode()))
    assert [each.model for each in pci.read(node).functions] == ["I350", "8086:ffff", "1af4:1521"]


def test_garbled_pci_ids_are_unseen() -> None:
    node = MemoryNode()
    function(node, "0000:07:00.0", "8086", "1521", "igb")
    node.write("/usr/share/misc/pci.ids.gz", b"not gzip at all")
    facts = pci.read(node)
    assert facts.functions[0].model == "8086:1521"
    assert "pci.ids.gz" in facts.unseen[0].why


def test_no_sysfs_at_all_is_unseen() -> None:
    facts = pci.read(MemoryNode())
    assert facts == PciFacts((), facts.unseen)
    assert facts.unseen[0].what == "PCI functions"


def test_truncated_tree_goes_to_unseen() -> None:
    node = MemoryNode()
    node.symlink("/sys/bus/pci/devices/0000:01:00.0", "../../../devices/gone")
    node.write("/sys/bus/pci/devices/README", "not a function")
    node.write(f"{ROOT}/0000:02:00.0/vendor", "0x15b3\n")
    node.symlink("/sys/bus/pci/devices/0000:02:00.0", "../../../devices/pci0000:00/0000:00:02.0/0000:02:00.0")
    function(node, "0000:04:00.0", "15b3", "1007", "mlx4_core", sriov_totalvfs="", sriov_numvfs="0x10", numa_node="x")
    facts = pci.read(node)
    assert [each.address for each in facts.functions] == ["0000:04:00.0"]
    assert {each.what for each in facts.unseen} == {
        *("PCI function 0000:01:00.0", "PCI function 0000:02:00.0", "/sys/bus/pci/devices/README"),
        *(f"{name} of 0000:04:00.0" for name in ("sriov_totalvfs", "sriov_numvfs", "numa_node")),
    }


@settings(max_examples=100, deadline=None)
@given(
    files=st.dictionaries(
        st.sampled_from(
            "vendor device class sriov_totalvfs sriov_numvfs sriov_vf_device sriov_drivers_autoprobe numa_node "
            "mlx4_port1 subsystem_vendor subsystem_device config vpd net/ib0/dev_port infiniband/x/ports/1/state".split()
        ),
        st.one_of(st.binary(max_size=80), st.sampled_from([b"0x15b3\n", b"0x1007", b"7", b"-1", b"\xff\xfe"])),
    ),
    links=st.dictionaries(
        st.sampled_from("driver physfn virtfn0 virtfn01 iommu_group net infiniband".split()),
        st.sampled_from(["..", "/", "../0000:04:00.0", "../../../../kernel/iommu_groups/1x", "mlx4_core", "."]),
    ),
)
def test_any_tree_is_read(files: dict[str, bytes], links: dict[str, str]) -> None:
    node = MemoryNode()
    function(node, "0000:04:00.0", "15b3", "1007")
    parents = {name.partition("/")[0] for name in files}
    for name, content in files.items():
        node.write(f"{ROOT}/0000:04:00.0/{name}", content)
    for name, target in links.items():
        if name not in parents:
            node.symlink(f"{ROOT}/0000:04:00.0/{name}", target)
    facts = pci.read(node)
    assert len(facts.functions) + len([each for each in facts.unseen if each.what.startswith("PCI function")]) == 1


def test_family_is_by_id_alone() -> None:
    assert [family_of("15b3", device) for device in ("6750", "1003", "1004", "1007")] == ["mlx4"] * 4
    assert [family_of("15b3", device) for device in ("1011", "1017", "101e", "1023", "a2d6", "a2dc")] == ["mlx5"] * 6
    assert [family_of("15b3", device) for device in ("1024", "1976", "01f6", "c2d2")] == [""] * 4
    assert family_of("8086", "1017") == ""


class Counting(MemoryNode):
    """A node that counts what is asked of it."""

    asked = 0

    def _read(self, path: str) -> bytes:
        self.asked += 1
        return super()._read(path)


def test_a_thousand_functions_take_a_few_reads_each() -> None:
    node = Counting()
    for bus in range(8):
        parent = f"0000:{bus:02x}:00.0"
        function(node, parent, "15b3", "1017", "mlx5_core", sriov_totalvfs="127", sriov_numvfs="125")
        add_vfs(node, parent, vf_addresses(parent, 2, 1, 125), "1018")
    found = pci.read(node).functions
    assert len(found) == 1008
    assert len(found[0].virtual_functions) == 125
    assert node.asked <= 7 * len(found)
