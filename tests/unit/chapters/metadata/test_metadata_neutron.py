"""What is said of metadata on Neutron nodes, by what each driver really does."""

from __future__ import annotations

import pytest
from neutron_nodes import MAC, ROUTED, UNROUTED, agent, flow, ovn, ovs_agent, run
from nodes import codes, found, planned, remove, today

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify
from wizard.report import text

PORTS = {"pool": [{"name": "physnet2", "cards": "all", "physical_network": "physnet2"}]}


def plan(node: MemoryNode, **answers: object) -> Plan:
    return planned(node, **{"iommu": None, "vfs": None, "passthrough": None, **answers})


def test_a_guest_without_a_route_is_named() -> None:
    finding = found(plan(ovn(flow(UNROUTED))), "METADATA-NO-ROUTE")
    assert (finding.severity, MAC in finding.seen, "10.44.1.1" in finding.seen) == ("warns", True, True)
    assert "METADATA-NO-ROUTE" not in codes(plan(ovn(flow(ROUTED))))


def test_guests_of_other_nodes_are_not_judged() -> None:
    assert "METADATA-NO-ROUTE" not in codes(plan(ovn(flow(UNROUTED, "fa:16:3e:99:99:99"))))


def test_with_a_config_drive_it_is_no_warning() -> None:
    node = ovn(flow(UNROUTED))
    node.write("/usr/bin/genisoimage", "")
    assert found(plan(node, metadata={"config_drive": True}), "METADATA-NO-ROUTE").severity == "tells"


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (ovn(proxy=False), "haproxy"),
        (ovn(namespace=False, proxy=False), "0 have a namespace"),
    ],
)
def test_nobody_answers(node: MemoryNode, words: str) -> None:
    finding = found(plan(node), "METADATA-NO-NAMESPACE")
    assert (finding.severity, words in finding.seen) == ("warns", True)


def test_an_agent_that_is_gone_is_said() -> None:
    node = ovn()
    remove(node, "/proc/1822")
    node.write("/usr/lib/systemd/system/neutron-ovn-metadata-agent.service", "[Service]\n")
    assert "is not seen running" in found(plan(node), "METADATA-NO-NAMESPACE").seen
    remove(node, "/usr/lib/systemd/system/neutron-ovn-metadata-agent.service")
    assert "is not seen running" in found(plan(node), "METADATA-NO-NAMESPACE").seen
    remove(node, "/etc/neutron/neutron_ovn_metadata_agent.ini")
    assert "no agent" in found(plan(node), "METADATA-NO-NAMESPACE").seen


def test_a_node_that_serves_has_nothing_of_it() -> None:
    assert not {"METADATA-NO-NAMESPACE", "METADATA-NO-ROUTE"} & codes(plan(ovn()))


def test_the_old_agent_is_told_from_its_release_on() -> None:
    assert "METADATA-AGENT-OLD" in codes(planned(today()))
    node = ovn()
    node.write(
        "/var/lib/dpkg/status",
        "Package: neutron-common\nStatus: install ok installed\nVersion: 2:25.0.0-1\n\nPackage: nova-compute\nStatus: install "
        "ok installed\nVersion: 3:30.0.0\n\n",
    )
    assert "METADATA-AGENT-OLD" not in codes(plan(node))
    new = ovn()
    remove(new, "/proc/1822")
    agent(new, 1822, "neutron-ovn-agent", "/etc/neutron/plugins/ml2/ovn_agent.ini")
    assert not {"METADATA-AGENT-OLD", "METADATA-NO-NAMESPACE"} & codes(plan(new))


def test_dhcp_agents_elsewhere_and_here() -> None:
    assert "METADATA-DHCP-ELSEWHERE" in codes(plan(ovs_agent()))
    here = found(plan(ovs_agent(dhcp="[DEFAULT]\nforce_metadata = yes\n")), "METADATA-DHCP-HERE")
    assert "force_metadata = True" in here.seen
    assert not {"METADATA-DHCP-HERE", "METADATA-DHCP-ELSEWHERE"} & codes(plan(ovn()))


def test_vf_guests_are_named_by_how_they_get_their_vfs() -> None:
    with_vfs = {"card": [{"match": {"serial": "MT2011X04218"}, "count": 8}]}
    ports = found(plan(ovn(), vfs=with_vfs, passthrough=PORTS), "METADATA-VFS-NEED-A-DRIVE")
    assert (ports.severity, "external ports" in ports.seen) == ("warns", True)
    alias = found(plan(ovn(), vfs=with_vfs, passthrough={"alias": "ib"}), "METADATA-VFS-NEED-A-DRIVE")
    assert (alias.severity, "no port of Neutron's" in alias.seen) == ("tells", True)
    node = ovn()
    node.write("/usr/bin/genisoimage", "")
    drive = plan(node, vfs=with_vfs, passthrough=PORTS, metadata={"config_drive": True})
    assert "METADATA-VFS-NEED-A-DRIVE" not in codes(drive)


@pytest.mark.parametrize("version", ["2:19.0.0-1", "2:23.0.0-1", "2:24.0.0-1", "2:29.0.0-1"])
def test_an_option_is_named_only_to_releases_that_know_it(version: str) -> None:
    node = ovn()
    node.write(
        "/var/lib/dpkg/status",
        f"Package: neutron-common\nStatus: install ok installed\nVersion: {version}\n\nPackage: nova-compute\nStatus: install "
        f"ok installed\nVersion: 3:29.0.0\n\n",
    )
    said = text.findings(plan(node).findings)
    assert ("enable-chassis-as-extport-host" in " ".join(said.split())) is (int(version[2:4]) >= 24)
    assert "enable-chassis-as-gw" not in said


def test_a_redirect_is_refused_with_the_driver_that_is_there() -> None:
    finding = found(plan(ovs_agent(), metadata={"redirect": True}), "METADATA-NEUTRON")
    assert (finding.severity, "neutron-openvswitch-agent" in finding.seen) == ("blocks", True)


@pytest.mark.parametrize(
    ("node", "states"),
    [
        (ovn(), {"held"}),
        (ovn(flow(UNROUTED)), {"failed", "held"}),
        (ovn(proxy=False), {"failed", "held"}),
        (ovs_agent(), set()),
    ],
)
def test_verify_names_what_fails(node: MemoryNode, states: set[str]) -> None:
    answers = answer_files.from_data({"metadata": {"config_drive": False}})
    assert {check.state for check in verify(facts.read(node), answers) if check.chapter == "metadata"} == states


def test_inspect_says_what_is_there() -> None:
    said = text.inspect(facts.read(ovn()))
    assert "does not apply" not in said
    for words in (
        "Neutron by OVN",
        "physnet1 is on the bridge br-ex, with the port enp24s0f1np1",
        "metadata via",
        "config drive: not forced",
    ):
        assert words in " ".join(said.split())
    assert "5b1fd0c27a98" not in said


def test_an_unknown_process_beside_it_changes_nothing() -> None:
    node = ovn()
    run(node, 1999, "neutron-something-new")
    assert facts.read(node).neutron.driver == "ovn"
