"""The nodes that come with the project: whole, consistent, and showing what they are there to show."""

import posixpath
from pathlib import Path

import pytest

import assets
from wizard.facts import firmware, guests
from wizard.facts.network import network
from wizard.facts.nova import nova
from wizard.facts.pci import functions as pci
from wizard.node.recorded import DirectoryNode, MemoryNode
from wizard.simulator import described

NODES = Path(assets.__file__).parent / "nodes"
NAMES = ("origin", "today", "demo")


@pytest.fixture(params=NAMES)
def node(request: pytest.FixtureRequest) -> MemoryNode:
    return described.load(NODES / f"{request.param}.toml")


@pytest.mark.parametrize("name", NAMES)
def test_is_small_enough_to_be_read(name: str) -> None:
    assert len((NODES / f"{name}.toml").read_text().splitlines()) < 500


def test_every_link_leads_somewhere(node: MemoryNode) -> None:
    links = [path for path, entry in node.entries.items() if entry.kind == "link"]
    assert links
    for path in links:
        node.resolve(path)


def test_every_device_is_listed_on_its_bus_and_in_its_class(node: MemoryNode) -> None:
    for path in node.entries:
        if not path.startswith("/sys/devices/"):
            continue
        directory, name = posixpath.split(path)
        if name == "vendor":
            assert node.resolve(f"/sys/bus/pci/devices/{posixpath.basename(directory)}") == directory
        if posixpath.basename(directory) == "net":
            assert node.resolve(f"/sys/class/net/{name}") == path
        if posixpath.basename(directory) == "infiniband":
            assert node.resolve(f"/sys/class/infiniband/{name}") == path


def test_every_owner_is_an_account_of_the_node(node: MemoryNode, tmp_path: Path) -> None:
    described.materialise(node, tmp_path)
    directory = DirectoryNode(tmp_path)
    assert pci.read(directory) == pci.read(node)
    assert directory.run(("ebtables", "-t", "nat", "-L", "--Lc")) == node.run(("ebtables", "-t", "nat", "-L", "--Lc"))


def test_nothing_of_the_hardware_is_unseen(node: MemoryNode) -> None:
    functions = pci.read(node)
    assert functions.unseen == firmware.read(node, functions).unseen == ()


@pytest.mark.parametrize(("name", "serial"), [("origin", "MT1644X02937"), ("demo", "MT1703X01358")])
def test_origin_and_demo_have_one_connectx3_pro_that_offers_sixteen_vfs(name: str, serial: str) -> None:
    node = described.load(NODES / f"{name}.toml")
    facts = pci.read(node)
    card = facts.functions[0]
    assert (card.address, card.model, card.serial, card.offer) == ("0000:04:00.0", "ConnectX-3 Pro", serial, "offered")
    assert (card.total_vfs, card.num_vfs, card.vf_device, card.port_types) == (16, 0, "1004", ("ib", "ib"))
    assert [(device.name, device.port) for device in card.netdevs] == [("ib0", 1), ("ib1", 2)]
    assert not any(each.is_vf for each in facts.functions)
    settings = firmware.read(node, facts).card(card.address)
    assert settings is not None
    assert (settings.value("SRIOV_EN"), settings.value("NUM_OF_VFS"), settings.current) == ("1", "16", None)


@pytest.mark.parametrize(("name", "release"), [("origin", "kilo"), ("demo", "mitaka")])
def test_origin_and_demo_serve_two_networks_with_nova_network(name: str, release: str) -> None:
    facts = nova.read(described.load(NODES / f"{name}.toml"))
    assert (facts.release, facts.networking, facts.main_file) == (release, "nova-network", "/etc/nova/nova.conf")
    served = [(each.label, each.bridge, each.vlan, each.cidr, each.dnsmasq_running) for each in facts.networks]
    assert served == [
        ("demo-net", "br1441", 1441, "10.44.1.0/24", True),
        ("demo2-net", "br1442", 1442, "10.44.2.0/24", True),
    ]
    assert facts.config_files == ("/etc/nova/nova.conf", "/etc/nova/nova-compute.conf")
    assert not {"rabbit_password", "connection", "password"} & {each.option for each in facts.settings}


@pytest.mark.parametrize(
    ("name", "bridge_nf", "ebtables"), [("origin", None, "legacy"), ("demo", 0, "legacy"), ("today", 1, "nft")]
)
def test_each_node_has_another_bridge_firewall(name: str, bridge_nf: int | None, ebtables: str) -> None:
    facts = network.read(described.load(NODES / f"{name}.toml"))
    assert facts.bridge_nf_call_iptables == bridge_nf
    assert facts.ebtables[0] == ebtables
    assert facts.nat_chains is not None
    assert [(chain.name, len(chain.rules)) for chain in facts.nat_chains] == [
        *(("PREROUTING", 0), ("OUTPUT", 0), ("POSTROUTING", 0)),
    ]
    assert facts.listens(22)
    assert bool(facts.listens(8775)) == (name != "today")


def test_today_has_two_ports_and_another_vendors_card_that_carries_ssh() -> None:
    node = described.load(NODES / "today.toml")
    facts = pci.read(node)
    cards = facts.functions[:5]
    assert [(each.address, each.total_vfs, each.vf_device) for each in cards] == [
        ("0000:3b:00.0", 8, "1018"),
        ("0000:3b:00.1", 8, "1018"),
        ("0000:18:00.0", 128, "1889"),
        ("0000:18:00.1", 128, "1889"),
        ("0000:4b:00.0", 32, "a824"),
    ]
    assert cards[0].serial == cards[1].serial == "MT2011X04218"
    assert all(each.iommu_group is not None for each in cards)
    roles = guests.read(node, facts, network.read(node))
    assert {role.role for role in roles.roles_of("0000:18:00.0")} == {"ssh", "default route"}
    assert {role.role for role in roles.roles_of("0000:4b:00.0")} == {"root disk", "disk"}
    release = nova.read(node)
    assert (release.release, release.networking) == ("2026.1", "neutron")


@pytest.mark.parametrize("name", ["origin", "demo"])
def test_origin_and_demo_live_on_other_functions_than_the_card(name: str) -> None:
    node = described.load(NODES / f"{name}.toml")
    facts = pci.read(node)
    found = guests.read(node, facts, network.read(node))
    assert (found.guests, found.in_use, found.unseen) == ((), (), ())
    assert found.roles_of("0000:04:00.0") == ()
    assert {role.role for role in found.roles_of("0000:07:00.0")} == {"ssh", "default route"}
    assert {role.role for role in found.roles_of("0000:00:1f.2")} == {"root disk"}
    assert {role.detail for role in found.roles_of("0000:07:00.1")} == {"br1441", "br1442"}
