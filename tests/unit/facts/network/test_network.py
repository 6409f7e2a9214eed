"""The node's network: links, routes, addresses, ssh, and the bridge firewall, which reading must not change."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodes import holding

from wizard.errors import Denied, NotThere
from wizard.facts.network import network
from wizard.facts.pci.addresses import functions_in
from wizard.formats.ebtables import parse_listing
from wizard.node.node import Output
from wizard.node.recorded import Entry, MemoryNode

CARD = "/sys/devices/pci0000:00/0000:00:03.0/0000:04:00.0"
LISTING = """Bridge table: nat

Bridge chain: PREROUTING, entries: 0, policy: ACCEPT

Bridge chain: OUTPUT, entries: 0, policy: ACCEPT

Bridge chain: POSTROUTING, entries: 0, policy: ACCEPT
"""
LIST = ("-t", "nat", "-L", "--Lc")
TCP_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def add_link(node: MemoryNode, name: str, device: str = "", **attributes: str) -> None:
    """A link as sysfs has it: the class holds a link to the directory below the device."""
    place = f"{device}/net/{name}" if device else f"/sys/devices/virtual/net/{name}"
    node.write(f"{place}/address", attributes.pop("address", "52:54:00:00:00:01") + "\n")
    node.symlink(f"/sys/class/net/{name}", "../.." + place.removeprefix("/sys"))
    if device:
        node.symlink(f"{place}/device", "../..")
    for attribute, content in attributes.items():
        node.write(f"{place}/{attribute}", content + "\n")


def enslave(node: MemoryNode, lower: str, upper: str, master: bool = True) -> None:
    up, down = node.resolve(f"/sys/class/net/{upper}"), node.resolve(f"/sys/class/net/{lower}")
    node.symlink(f"{up}/lower_{lower}", down)
    if master:
        node.symlink(f"{down}/master", up)


def multihost() -> MemoryNode:
    """nova-network's node: br1441 on vlan1441 on eth1, a guest's tap, and eth0 for the node itself."""
    node = MemoryNode()
    add_link(node, "eth0", "/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0", address="AA:00:00:00:00:10")
    add_link(node, "eth1", CARD)
    add_link(node, "vlan1441", uevent="DEVTYPE=vlan\nINTERFACE=vlan1441")
    add_link(node, "br1441", uevent="DEVTYPE=bridge")
    node.add("/sys/devices/virtual/net/br1441/bridge", Entry("directory"))
    add_link(node, "vnet0", tun_flags="0x1002")
    add_link(node, "lo")
    enslave(node, "eth1", "vlan1441", master=False)
    enslave(node, "vlan1441", "br1441")
    enslave(node, "vnet0", "br1441")
    node.write("/sys/class/net/bonding_masters", "\n")
    return node


def test_links() -> None:
    facts = network.read(multihost())
    assert {link.name: (link.kind, link.master, link.lower, link.vlan, link.pci_address) for link in facts.links} == {
        "br1441": ("bridge", "", ("vlan1441", "vnet0"), None, ""),
        "eth0": ("physical", "", (), None, "0000:02:00.0"),
        "eth1": ("physical", "", (), None, "0000:04:00.0"),
        "lo": ("other", "", (), None, ""),
        "vlan1441": ("vlan", "br1441", ("eth1",), 1441, ""),
        "vnet0": ("tap", "br1441", (), None, ""),
    }
    eth0 = facts.link("eth0")
    assert eth0 is not None and eth0.mac == "aa:00:00:00:00:10"
    assert facts.pci_below("br1441") == ("0000:04:00.0",)


def test_links_of_an_old_kernel() -> None:
    """Before 3.14 there are no lower_ links: ports stand in brif, slaves in bonding, a VLAN's link in /proc."""
    node = MemoryNode()
    add_link(node, "eth1", CARD)
    add_link(node, "storage")
    add_link(node, "br7")
    add_link(node, "bond0")
    node.add("/sys/devices/virtual/net/br7/brif/storage", Entry("directory"))
    node.add("/sys/devices/virtual/net/br7/bridge", Entry("directory"))
    node.symlink("/sys/devices/virtual/net/storage/brport/bridge", "../../br7")
    node.write("/sys/devices/virtual/net/bond0/bonding/slaves", "eth1\n")
    node.write(
        "/proc/net/vlan/config",
        "VLAN Dev name    | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\nstorage        | 7  | bond0\n",
    )
    facts = network.read(node)
    assert {link.name: (link.kind, link.master, link.lower, link.vlan) for link in facts.links} == {
        "bond0": ("bond", "", ("eth1",), None),
        "br7": ("bridge", "", ("storage",), None),
        "eth1": ("physical", "", (), None),
        "storage": ("vlan", "br7", ("bond0",), 7),
    }
    assert facts.pci_below("br7") == ("0000:04:00.0",)


@pytest.mark.parametrize(("name", "vlan"), [("eth0.0101", 101), ("vlan5", 5), ("eth0.4095", None), ("tenant", None)])
def test_vlan_id_without_root_is_taken_from_the_name(name: str, vlan: int | None) -> None:
    class Closed(MemoryNode):
        def _read(self, path: str) -> bytes:
            if path == "/proc/net/vlan/config":
                raise Denied("may not be read without root rights", where=path)
            return super()._read(path)

    node = Closed()
    add_link(node, name, uevent="DEVTYPE=vlan")
    node.write("/proc/net/vlan/config", f"{name} | 9 | eth0\n")
    facts = network.read(node)
    assert [link.vlan for link in facts.links] == [vlan]
    assert any("VLAN ids" in unseen.what for unseen in facts.unseen)


@pytest.mark.parametrize(
    ("path", "functions"),
    [
        ("/sys/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0", ("0000:00:03.0",)),
        (
            "/sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0",
            ("0000:00:0e.0", "10000:e1:00.0"),
        ),
        ("/sys/devices/virtual/net/br0", ()),
        ("/sys/devices/LNXSYSTM:00/ACPI0004:00/VMBUS:00/99221fa0-24ad/net/eth0", ()),
        ("", ()),
    ],
)
def test_functions_in_a_path(path: str, functions: tuple[str, ...]) -> None:
    assert functions_in(path) == functions


def test_default_routes_of_both_families() -> None:
    node = multihost()
    node.write(
        "/proc/net/route",
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth9\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth8\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
        "br1441\t00012C0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
    )
    zero = "0" * 32
    node.write(
        "/proc/net/ipv6_route",
        f"{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000002 00000000 00000003     eth1\n"
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200201     eth9\n"
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200000     eth8\n"
        f"fe80{zero[4:]} 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001     vnet0\n",
    )
    assert network.read(node).default_route_links == ("eth0", "eth1")


def with_addresses(node: MemoryNode, addresses: dict[str, list[str]]) -> MemoryNode:
    data = [
        {
            "ifname": name,
            "addr_info": [dict(zip(("local", "prefixlen"), text.split("/"), strict=True)) for text in texts],
        }
        for name, texts in addresses.items()
    ]
    node.commands["ip", "-j", "addr"] = Output(("ip", "-j", "addr"), 0, json.dumps([{}, *data]), "")
    return node


def test_addresses_by_command() -> None:
    node = with_addresses(multihost(), {"lo": ["127.0.0.1/8", "169.254.169.254/32"], "br1441": ["10.44.1.2/24"]})
    assert network.read(node).addresses == (
        ("lo", "127.0.0.1/8"),
        ("lo", "169.254.169.254/32"),
        ("br1441", "10.44.1.2/24"),
    )


@pytest.mark.parametrize(
    "said", [None, Output(("ip",), 255, "", 'Option "-j" is unknown'), Output(("ip",), 0, "x", "")]
)
def test_addresses_without_a_new_ip(said: Output | None) -> None:
    node = multihost()
    if said:
        node.commands["ip", "-j", "addr"] = said
    node.write(
        "/proc/net/route",
        "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
        "eth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n"
        "br1441 00002C0A 00000000 0001 0 0 0 0000FFFF 0 0 0\n"
        "br1441 00012C0A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n",
    )
    node.write(
        "/proc/net/fib_trie",
        "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
        "Local:\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 10.44.1.2\n        /32 host LOCAL\n"
        "     |-- 10.44.1.255\n        /32 link BROADCAST\n     |-- 169.254.169.254\n        /32 host LOCAL\n",
    )
    node.write("/proc/net/if_inet6", "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n")
    assert network.read(node).addresses == (
        ("lo", "127.0.0.1/8"),
        ("br1441", "10.44.1.2/24"),
        ("", "169.254.169.254/32"),
        ("eth0", "fe80::fc:ff:fe00:1/64"),
    )


def socket_line(local: str, state: str, remote: str = "0101A8C0:D431") -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n"


def test_listeners() -> None:
    node = multihost()
    node.write("/proc/net/tcp", TCP_HEAD + socket_line("00000000:2247", "0A") + socket_line("0202A8C0:1F90", "06"))
    mapped, any6 = "0000000000000000FFFF00000202A8C0", "0" * 32
    node.write("/proc/net/tcp6", TCP_HEAD + socket_line(f"{mapped}:0050", "0A") + socket_line(f"{any6}:0016", "0A"))
    facts = network.read(node)
    assert facts.listeners == ("0.0.0.0:8775", "192.168.2.2:80", "[::]:22")
    assert facts.listens(8775, "10.0.0.1") and facts.listens(80, "192.168.2.2") and facts.listens(22)
    assert not facts.listens(80, "10.0.0.1") and not facts.listens(8080)
    unknown = network.read(multihost())
    assert unknown.listeners is None and unknown.listens(22) is None
    assert any("TCP" in unseen.what for unseen in unknown.unseen)


SSH = {
    "mapped address": ("02012C0A:0016", ("br1441",)),
    "address that is nowhere": ("09090909:0016", ("eth0",)),
    "loopback": ("0100007F:0016", ()),
    "port of sshd_config": ("02012C0A:08AE", ("br1441",)),
    "port of sshd_config.d": ("02012C0A:08AF", ("br1441",)),
    "another port": ("02012C0A:0017", ()),
}


@pytest.mark.parametrize(("local", "links"), SSH.values(), ids=SSH)
def test_ssh(local: str, links: tuple[str, ...]) -> None:
    node = with_addresses(multihost(), {"lo": ["127.0.0.1/8"], "br1441": ["10.44.1.2/24"]})
    node.write("/proc/net/route", "eth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n")
    node.write("/etc/ssh/sshd_config", "#Port 23\n Port 2222\nPermitRootLogin no\n")
    node.write("/etc/ssh/sshd_config.d/a.conf", "port=2223\n")
    node.write("/proc/net/tcp", TCP_HEAD + socket_line(local, "01") + socket_line("02012C0A:0016", "06"))
    assert network.read(node).ssh_links == links


def test_bridge_netfilter() -> None:
    node = multihost()
    assert network.read(node).bridge_nf_call_iptables is None
    for value in (0, 1):
        node.write("/proc/sys/net/bridge/bridge-nf-call-iptables", f"{value}\n")
        assert network.read(node).bridge_nf_call_iptables == value


def test_openvswitch() -> None:
    node = multihost()
    assert not network.read(node).openvswitch
    add_link(node, "ovs-system")
    assert network.read(node).openvswitch


class Live(MemoryNode):
    """A node that answers as a live one, and keeps what it was asked."""

    live = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []

    def run(self, argv: Sequence[str], *, timeout: float = 15.0, stdin: bytes | None = None) -> Output:
        self.asked.append(tuple(argv))
        return super().run(argv, timeout=timeout, stdin=stdin)

    def answers(self, *argv: str, stdout: str = "", stderr: str = "", status: int = 0) -> None:
        self.commands[argv] = Output(argv, status, stdout, stderr)


def test_ssh_connection_of_this_process() -> None:
    """sshd may listen on a port that its configuration does not tell, as behind a socket unit."""
    for node, links in ((Live(), ("eth1",)), (MemoryNode(), ())):
        with_addresses(node, {"eth1": ["2001:db8::7/64"]})
        node.write("/proc/self/environ", "HOME=/root\0SSH_CONNECTION=2001:db8::1 5000 2001:db8::7 2299\0X=y\0")
        assert network.read(node).ssh_links == links


def with_ebtables(node: MemoryNode, *names: str, alternative: str = "") -> None:
    for name in names:
        node.write(f"/usr/sbin/{name}", "")
    if alternative:
        node.symlink("/usr/sbin/ebtables", "/etc/alternatives/ebtables")
        node.symlink("/etc/alternatives/ebtables", alternative)


def debian(alternative: str) -> Live:
    node = Live()
    with_ebtables(node, "ebtables-legacy", "xtables-nft-multi", alternative=alternative)
    node.symlink("/usr/sbin/ebtables-nft", "xtables-nft-multi")
    return node


CHAINS = tuple(parse_listing(LISTING).values())


def test_variants() -> None:
    node = MemoryNode()
    assert network.read(node).ebtables == ()
    node.write("/sbin/ebtables", "")
    assert network.read(node).ebtables == ("legacy",)
    assert network.read(debian("/usr/sbin/ebtables-nft")).ebtables == ("nft", "legacy")
    assert network.read(debian("/usr/sbin/ebtables-legacy")).ebtables == ("legacy", "nft")


def test_recorded_listing_is_read_as_it_is() -> None:
    node = MemoryNode()
    assert network.read(node).nat_chains is None
    listing = ("ebtables", *LIST)
    node.commands[listing] = Output(listing, 0, LISTING, "")
    assert network.read(node).nat_chains == CHAINS
    node.commands[listing] = Output(listing, 255, "", "The kernel doesn't support the table.\nx")
    facts = network.read(node)
    assert facts.nat_chains is None
    assert [unseen.why for unseen in facts.unseen if "ebtables" in unseen.what] == [
        "The kernel doesn't support the table."
    ]


def test_live_without_root_is_not_asked() -> None:
    node = debian("/usr/sbin/ebtables-nft")
    node.privileged = False
    facts = network.read(node)
    assert facts.nat_chains is None and any("root" in unseen.why for unseen in facts.unseen)
    assert [argv for argv in node.asked if argv[0] != "ip"] == []


def test_legacy_is_listed_only_where_its_module_is_loaded() -> None:
    node = Live()
    with_ebtables(node, "ebtables")
    node.write("/proc/modules", "bridge 1 2 - Live 0x0\n")
    node.answers("ebtables", *LIST, stdout=LISTING)
    assert network.read(node).nat_chains == ()
    assert ("ebtables", *LIST) not in node.asked
    node.write("/proc/modules", "ebtable_nat 1 2 - Live 0x0\nbridge 1 2 - Live 0x0\n")
    assert network.read(node).nat_chains == CHAINS


def test_legacy_built_in() -> None:
    node = Live()
    with_ebtables(node, "ebtables")
    node.write("/proc/modules", "bridge 1 2 - Live 0x0\n")
    node.write("/proc/sys/kernel/osrelease", "6.1.0\n")
    node.write("/lib/modules/6.1.0/modules.builtin", "kernel/net/bridge/netfilter/ebtable_nat.ko\n")
    node.answers("ebtables", *LIST, stdout=LISTING)
    assert network.read(node).nat_chains == CHAINS


def test_legacy_on_a_kernel_without_the_table() -> None:
    node = Live()
    with_ebtables(node, "ebtables")
    node.answers("ebtables", *LIST, stderr="The kernel doesn't support the ebtables 'nat' table.\n", status=255)
    facts = network.read(node)
    assert facts.nat_chains == () and not any("ebtables" in unseen.what for unseen in facts.unseen)


def test_nft_is_listed_only_where_its_table_is() -> None:
    node = debian("/usr/sbin/ebtables-nft")
    node.write("/usr/sbin/nft", "")
    node.answers("ebtables", *LIST, stdout=LISTING)
    node.write("/proc/modules", "")
    assert network.read(node).nat_chains == ()
    assert [argv for argv in node.asked if argv[0] != "ip"] == []
    node.write("/proc/modules", "nf_tables 1 2 - Live 0x0\n")
    node.answers("nft", "list", "tables", stdout="table bridge filter\ntable ip nat\n")
    assert network.read(node).nat_chains == ()
    assert ("ebtables", *LIST) not in node.asked
    node.answers("nft", "list", "tables", stdout="table bridge nat\n")
    assert network.read(node).nat_chains == CHAINS


@pytest.mark.parametrize(
    ("version", "chains"),
    [
        ("ebtables 1.8.9 (nf_tables)", CHAINS),
        ("ebtables 1.8.11 (nf_tables)", CHAINS),
        ("ebtables 1.8.7 (nf_tables)", None),
        ("?", None),
    ],
)
def test_nft_without_the_nft_command(version: str, chains: object) -> None:
    node = debian("/usr/sbin/ebtables-nft")
    node.answers("ebtables-nft", "-V", stdout=version + "\n")
    node.answers("ebtables", *LIST, stdout=LISTING)
    facts = network.read(node)
    assert facts.nat_chains == chains
    assert (("ebtables", *LIST) in node.asked) == (chains is not None)
    assert any("ebtables" in unseen.what for unseen in facts.unseen) == (chains is None)


def test_rules_of_the_other_variant_are_seen() -> None:
    node = debian("/usr/sbin/ebtables-nft")
    node.write("/proc/modules", "ebtable_nat 1 2 - Live 0x0\n")
    node.answers("ebtables-legacy", *LIST, stdout=LISTING)
    facts = network.read(node)
    assert (facts.nat_chains, facts.other_nat_chains) == ((), CHAINS)


def test_command_that_does_not_answer() -> None:
    class Silent(Live):
        def run(self, argv: Sequence[str], *, timeout: float = 15.0, stdin: bytes | None = None) -> Output:
            raise NotThere("gone", where=argv[0])

    node = Silent()
    with_ebtables(node, "ebtables")
    facts = network.read(node)
    assert facts.nat_chains is None and facts.addresses == ()


ANYTHING = st.one_of(st.binary(max_size=200), st.text('0123456789ABCDEF: |./\n\t-{}[]"', max_size=200).map(str.encode))
PLACES = (
    *("/proc/net/route", "/proc/net/ipv6_route", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/vlan/config"),
    *("/proc/net/fib_trie", "/proc/net/if_inet6", "/proc/sys/net/bridge/bridge-nf-call-iptables", "/proc/modules"),
    *("/sys/class/net/eth0/tun_flags", "/sys/class/net/eth0/uevent", "/sys/class/net/eth0/address"),
    *("/sys/class/net/eth0/bonding/slaves", "/sys/class/net/eth0/device", "/etc/ssh/sshd_config"),
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(PLACES), ANYTHING), ANYTHING)
def test_any_content_is_survived(contents: dict[str, bytes], said: bytes) -> None:
    node = holding(contents)
    text = said.decode("utf-8", "replace")
    for argv in (("ip", "-j", "addr"), ("ebtables", *LIST)):
        node.commands[argv] = Output(argv, 0, text, "")
    facts = network.read(node)
    assert facts == network.read(node)
    assert all(link.kind in ("physical", "bridge", "vlan", "bond", "tap", "other") for link in facts.links)
