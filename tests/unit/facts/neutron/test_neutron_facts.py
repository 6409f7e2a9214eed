"""What is read of Neutron: the driver, each agent's own files, mappings, namespaces and what guests are told."""

from __future__ import annotations

import json

import neutron_nodes
import pytest
from neutron_nodes import CX5, MAC, NET, answer, bare, flow, kolla, linuxbridge, ovn, ovs, ovs_agent, run, sriov
from nodes import origin, today

from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.facts.neutron import agents, catalog, mappings, switch
from wizard.facts.neutron.neutron import NeutronFacts
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.report import text


def seen(node: MemoryNode) -> NeutronFacts:
    return facts.read(node).neutron


@pytest.mark.parametrize(
    ("node", "driver", "words"),
    [
        (ovn(), "ovn", "ovn-controller runs"),
        (ovs_agent(), "ovs", "neutron-openvswitch-agent runs"),
        (linuxbridge(), "linuxbridge", "neutron-linuxbridge-agent runs"),
        (kolla(), "ovs", "in the container"),
        (origin(), "none", "nothing of Neutron"),
        (bare(), "unknown", "none of its agents is seen"),
        (sriov(bare(), "[sriov_nic]\n"), "none", "neutron-sriov-nic-agent runs"),
        (today(), "ovn", "ovn-controller runs"),
    ],
)
def test_the_driver_is_told_with_what_shows_it(node: MemoryNode, driver: str, words: str) -> None:
    found = seen(node)
    assert (found.driver, words in found.driver_source) == (driver, True)


@pytest.mark.parametrize("titled", [False, True])
def test_a_title_of_its_own_hides_no_agent_and_no_file(titled: bool) -> None:
    node = bare()
    node.write("/srv/ovs.ini", "[ovs]\nbridge_mappings = a:b\n")
    neutron_nodes.agent(node, 1500, "neutron-openvswitch-agent", "/srv/ovs.ini", titled=titled)
    agent = seen(node).agent("ovs")
    assert agent is not None
    assert (agent.pid, agent.files, agent.own_file) == (1500, ("/srv/ovs.ini",), "/srv/ovs.ini")
    assert facts.read(node).nova.neutron_agents == ("neutron-openvswitch-agent",)


def test_worker_titles_and_helpers_are_no_agents() -> None:
    node = bare()
    run(node, 1500, "neutron-server: rpc worker (/usr/bin/python3 /usr/bin/neutron-server --config-file /etc/x)")
    run(node, 1501, "/usr/bin/python3", "/usr/bin/privsep-helper", "--config-file", "/etc/neutron/dhcp_agent.ini")
    assert seen(node).agents == ()


def test_later_files_and_lines_count_and_secrets_stay_where_they_are() -> None:
    node = ovs_agent(
        "[ovs]\nbridge_mappings = old:br-old\nbridge_mappings = physnet1:br-ex, physnet2 : br-vlan\n[agent]\nextensions=dhcp\n"
    )
    found = facts.read(node)
    assert [(each.network, each.target) for each in found.neutron.mappings] == [
        ("physnet1", "br-ex"),
        ("physnet2", "br-vlan"),
    ]
    assert found.neutron.last("ovs", "agent", "extensions") == "dhcp"
    assert "s3cr3t" not in found.to_json()
    assert "5b1fd0c27a98" not in facts.read(ovn()).to_json()


def test_a_value_that_cannot_be_said_is_not_said() -> None:
    found = seen(ovs_agent("[ovs]\nbridge_mappings = physnet1:$secret_thing\n"))
    assert found.mappings == ()
    assert found.last("ovs", "ovs", "bridge_mappings") is None
    assert any("bridge_mappings" in each.what for each in found.unseen)


def test_what_oslo_would_refuse_is_a_problem_of_that_agent() -> None:
    assert [kind for kind, _ in seen(ovs_agent("bridge_mappings = a:b\n")).problems] == ["ovs"]


def test_kolla_files_are_those_of_the_node() -> None:
    found = seen(kolla())
    agent = found.agent("sriov")
    assert agent is not None
    assert agent.own_file == "/etc/kolla/neutron-sriov-agent/sriov_agent.ini"
    (owner,) = agent.owners
    assert (owner.name, owner.inert) == ("kolla", True)
    assert "/etc/kolla/config/neutron/compute-12/sriov_agent.ini" in owner.place
    assert [(each.kind, each.target) for each in found.mappings] == [("ovs", "br-ex"), ("sriov", CX5[0])]


def test_a_container_without_files_on_the_node_is_unseen_not_empty() -> None:
    node = bare()
    neutron_nodes.agent(
        node, 1500, "neutron-openvswitch-agent", "/etc/neutron/neutron.conf", cgroup="0::/docker/0123456789abcdef"
    )
    node.write("/etc/neutron/neutron.conf", "[ovs]\nbridge_mappings = host:not-this\n")
    found = seen(node)
    agent = found.agent("ovs")
    assert agent is not None
    assert (agent.files, agent.source) == ((), agents.CONTAINER)
    assert any("neutron-openvswitch-agent" in each.what for each in found.unseen)


@pytest.mark.parametrize(
    ("path", "text", "owner"),
    [
        ("/var/lib/juju/agents/unit-ovn-chassis-0/agent.conf", "", "juju"),
        ("/openstack/venvs/neutron-31.0.0/bin/x", "", "osa"),
        ("/var/lib/puppet/state/classes.txt", "settings\nneutron::agents::ml2::ovs\n", "puppet"),
        ("/etc/neutron/plugins/ml2/openvswitch_agent.ini", "# Ansible managed: do not edit\n[ovs]\n", "ansible"),
    ],
)
def test_who_else_writes_an_agents_file_is_named(path: str, text: str, owner: str) -> None:
    node = ovs_agent()
    node.write(path, text)
    agent = seen(node).agent("ovs")
    assert agent is not None
    assert [each.name for each in agent.owners] == [owner]


def test_rhoso_and_tripleo_and_the_snap_give_their_own_files() -> None:
    node = bare()
    cgroup = "0::/machine.slice/libpod-0123456789abcdef.scope"
    node.write(
        "/var/lib/config-data/ansible-generated/neutron-sriov-agent/01-sriov.conf",
        "[sriov_nic]\nphysical_device_mappings = a:b\n",
    )
    neutron_nodes.agent(node, 1520, "neutron-sriov-nic-agent", "/usr/share/neutron/neutron-dist.conf", cgroup=cgroup)
    assert [each.target for each in seen(node).mappings] == ["b"]
    node = bare()
    inside = "/etc/neutron/plugins/ml2/openvswitch_agent.ini"
    node.write(f"/var/lib/config-data/puppet-generated/neutron{inside}", "[ovs]\nbridge_mappings = datacentre:br-ex\n")
    neutron_nodes.agent(node, 1500, "neutron-openvswitch-agent", inside, cgroup=cgroup)
    assert [each.network for each in seen(node).mappings] == ["datacentre"]
    node = bare()
    place = "/var/snap/openstack-hypervisor/common/etc/neutron/neutron_sriov_nic_agent.ini"
    node.write(place, "[sriov_nic]\nphysical_device_mappings = a:c\n")
    run(
        node,
        1520,
        "/snap/openstack-hypervisor/12/bin/python3",
        "/snap/openstack-hypervisor/12/bin/neutron-sriov-nic-agent",
        "--config-file",
        place,
    )
    agent = seen(node).agent("sriov")
    assert agent is not None
    assert ([each.name for each in agent.owners], agent.own_file) == (["snap"], place)


def test_an_agent_that_is_installed_and_does_not_run_is_told_so() -> None:
    node = bare()
    node.write(
        "/usr/lib/systemd/system/neutron-sriov-nic-agent.service",
        "[Service]\nExecStart=/usr/bin/neutron-sriov-nic-agent --config-file /etc/neutron/x.ini\n",
    )
    node.write("/etc/neutron/x.ini", "[sriov_nic]\nphysical_device_mappings = a:b\n")
    agent = seen(node).agent("sriov")
    assert agent is not None
    assert (agent.running, agent.service, agent.files) == (False, "neutron-sriov-nic-agent", ("/etc/neutron/x.ini",))
    node.symlink("/etc/systemd/system/neutron-sriov-nic-agent.service", "/dev/null")
    masked = seen(node).agent("sriov")
    assert masked is None or not masked.service


def test_physical_ports_are_links_that_lead_out() -> None:
    node = ovn()
    found = seen(node).switch
    bridge = found.bridge("br-ex")
    assert bridge is not None
    assert bridge.physical == ("enp24s0f1np1",)
    assert [guest.mac for guest in found.guests] == [MAC]


def test_a_chassis_own_mapping_comes_first() -> None:
    ids = {"system-id": "node-7", "ovn-bridge-mappings": "a:br-a", "ovn-bridge-mappings-node-7": "b:br-b"}
    assert [each.network for each in seen(ovn(ids=ids)).mappings] == ["b"]


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", '{"headings": ["a"], "data": [[1, 2]]}', '{"data": {}}', "null"]
)
def test_answers_that_are_none_are_unseen(text: str) -> None:
    node = ovn()
    answer(node, switch.OPEN_VSWITCH, text)
    found = seen(node)
    assert not found.switch.known
    assert any("Open vSwitch" in each.what for each in found.unseen)
    assert found.driver == "ovn"


def test_hardware_offload_is_seen() -> None:
    node = bare()
    ovs(node, {}, other={"hw-offload": "true"})
    assert seen(node).switch.hw_offload


def test_what_ovn_tells_is_read_once_for_each_guest() -> None:
    node = ovn(flow(neutron_nodes.ROUTED) * 3 + flow(neutron_nodes.UNROUTED, "fa:16:3e:00:00:02"))
    told = seen(node).told
    assert told is not None
    assert [(each.who, each.router, each.via) for each in told] == [
        (MAC, "10.44.1.1", "10.44.1.2"),
        ("fa:16:3e:00:00:02", "10.44.1.1", ""),
    ]


def test_flows_that_may_not_be_read_are_unseen() -> None:
    node = ovn()
    argv = ("ovs-ofctl", "--timeout=20", "dump-flows", "br-int", "udp,tp_src=68,tp_dst=67")
    node.commands[argv] = Output(argv, 1, "", "ovs-ofctl: br-int is not a bridge or a socket\n")
    found = seen(node)
    assert found.told is None
    assert any("is not a bridge" in each.why for each in found.unseen)


def test_dnsmasq_option_files_of_the_dhcp_agent() -> None:
    node = ovs_agent(dhcp="[DEFAULT]\nforce_metadata = True\n")
    node.write(
        f"/var/lib/neutron/dhcp/{NET}/opts",
        "tag:subnet-a,option:dns-server,10.0.0.2\ntag:subnet-a,option:classless-static-route,169.254.169.254/32,10.44.1.2,0.0.0.0/0,10.44.1.1\n"
        "tag:subnet-a,249,169.254.169.254/32,10.44.1.2,0.0.0.0/0,10.44.1.1\ntag:subnet-a,option:router,10.44.1.1\ntag:subnet-b,option:router\n",
    )
    found = seen(node)
    assert found.told is not None
    assert [(each.who, each.router, each.via) for each in found.told] == [
        ("subnet-a", "10.44.1.1", "10.44.1.2"),
        ("subnet-b", "", ""),
    ]
    assert found.on("dhcp", "DEFAULT", "force_metadata") is True
    assert found.on("dhcp", "DEFAULT", "enable_isolated_metadata") is False


@pytest.mark.parametrize("proxy", [True, False])
def test_namespaces_and_their_proxies(proxy: bool) -> None:
    (space,) = seen(ovn(proxy=proxy)).namespaces
    assert (space.kind, space.network, space.proxy) == ("ovnmeta", NET, proxy)


@pytest.mark.parametrize("node", [ovn(), ovs_agent(dhcp="[DEFAULT]\n"), kolla(), linuxbridge(), today(), origin()])
def test_facts_survive_their_json(node: MemoryNode) -> None:
    found = facts.read(node)
    assert Facts.from_json(found.to_json()).neutron == found.neutron


def test_facts_of_before_have_no_neutron() -> None:
    data = json.loads(facts.read(today()).to_json())
    del data["neutron"]
    assert Facts.from_json(json.dumps(data)).neutron == NeutronFacts()


def test_the_release_is_by_neutrons_own_package() -> None:
    assert seen(today()).release == "2026.1"
    node = ovs_agent()
    node.write(
        "/var/lib/dpkg/status", "Package: neutron-common\nStatus: install ok installed\nVersion: 2:7.0.4-0ubuntu1\n\n"
    )
    assert seen(node).release == "liberty"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "p:b"),
        ("p:b", "p:b"),
        ("a:x,p:c,d:y", "a:x,p:b,d:y"),
        (" a:x , d:y ", "a:x,d:y,p:b"),
        ("p2:x", "p2:x,p:b"),
    ],
)
def test_a_merged_list_loses_nothing(old: str, new: str) -> None:
    assert mappings.merged(old, "p", "b") == new


def test_the_catalog_names_each_program_once() -> None:
    programs = [each.program for each in catalog.AGENTS]
    assert len(programs) == len(set(programs))
    assert all(path.startswith("/etc/neutron/") for each in catalog.AGENTS for path in each.files)


def test_a_program_by_its_name_of_then() -> None:
    node = bare()
    place = "/etc/neutron/plugins/networking-ovn/networking-ovn-metadata-agent.ini"
    node.write(place, "[DEFAULT]\nnova_metadata_host = controller\n")
    neutron_nodes.agent(node, 1822, "networking-ovn-metadata-agent", place)
    agent = seen(node).agent("ovn-metadata")
    assert agent is not None
    assert (agent.program, agent.own_file, seen(node).driver) == ("networking-ovn-metadata-agent", place, "ovn")


def test_representors_are_named_as_such() -> None:
    node = bare()
    for name, port, switch_id in (("eth10", "pf0vf0", "e41d"), ("eth11", "pf0vf1", ""), ("eth12", "p0", "e41d")):
        node.write(f"/sys/class/net/{name}/address", "02:00:00:00:00:01\n")
        node.write(f"/sys/class/net/{name}/phys_port_name", f"{port}\n")
        node.write(f"/sys/class/net/{name}/phys_switch_id", f"{switch_id}\n")
    assert [(each.name, each.port) for each in seen(node).representors] == [("eth10", "pf0vf0")]
    assert "representors of VFs, left alone: eth10 (pf0vf0)" in " ".join(text.inspect(facts.read(node)).split())
