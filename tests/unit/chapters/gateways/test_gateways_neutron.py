"""Physical networks on this node: what is mapped where, what leads nowhere, and what is printed for it."""

from __future__ import annotations

import re
import shlex

import pytest
from neutron_nodes import PF, bare, kolla, linuxbridge, ovn, ovs, ovs_agent, sriov
from nodes import codes, found, planned

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.facts.neutron import switch
from wizard.model.plan import Plan
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify

ID = {"system-id": "compute-12"}


def plan(node: MemoryNode, **answers: object) -> Plan:
    return planned(node, **{"iommu": None, "vfs": None, "passthrough": None, **answers})


@pytest.mark.parametrize("node", [ovn(), ovs_agent(), linuxbridge(), kolla()])
def test_a_mapping_that_leads_out_is_fine(node: MemoryNode) -> None:
    if "ovs-vsctl" not in {argv[0] for argv in node.commands}:
        ovs(node, {"br-ex": [("enp24s0f1np1", "")]})
    assert "NEUTRON-NO-MAPPING" not in codes(plan(node))
    assert found(plan(node), "NEUTRON-DRIVER").severity == "tells"


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (ovn(ids=ID), "no ovn-bridge-mappings"),
        (ovn(ids={**ID, "ovn-bridge-mappings": ""}), "an empty ovn-bridge-mappings"),
        (ovn(ids={**ID, "ovn-bridge-mappings": "physnet1:br-gone"}), "no such bridge"),
        (ovn(physical="tap0"), "no physical port"),
        (ovs_agent("[ovs]\n"), "no bridge_mappings"),
        (ovs_agent("[ovs]\nbridge_mappings = physnet1:br-gone\n"), "no such bridge"),
    ],
)
def test_what_leads_nowhere_is_found(node: MemoryNode, words: str) -> None:
    finding = found(plan(node), "NEUTRON-NO-MAPPING")
    assert (finding.severity, words in finding.seen) == ("warns", True)


def test_a_link_that_is_not_there() -> None:
    node = linuxbridge()
    node.write(
        "/etc/neutron/plugins/ml2/linuxbridge_agent.ini", "[linux_bridge]\nphysical_interface_mappings = p:gone0\n"
    )
    assert "no such interface" in found(plan(node), "NEUTRON-NO-MAPPING").seen


def commands(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"`(ovs-vsctl [^`]*)`", text)]


def test_the_printed_line_and_its_way_back() -> None:
    finding = found(
        plan(sriov(ovn(ids=ID), f"[sriov_nic]\nphysical_device_mappings = fast:{PF[0]}\n")), "NEUTRON-NO-MAPPING"
    )
    there, back = commands(finding.do)
    assert there[-1] == "external-ids:ovn-bridge-mappings=fast:br-ex"
    assert back == ["ovs-vsctl", "remove", "Open_vSwitch", ".", "external_ids", "ovn-bridge-mappings"]


def test_a_printed_list_is_whole_and_its_way_back_the_old_one() -> None:
    from wizard.chapters.gateways import neutron

    seen = facts.read(ovn(ids={**ID, "ovn-bridge-mappings": "a:br-a,b:br-b"}))
    both = neutron.line(seen, "c", "br-c")
    assert both is not None
    assert [shlex.split(each)[-1].partition("=")[2] for each in both] == ["a:br-a,b:br-b,c:br-c", "a:br-a,b:br-b"]
    own = facts.read(ovn(ids={**ID, "ovn-bridge-mappings-compute-12": "a:br-a"}))
    assert "ovn-bridge-mappings-compute-12=a:br-a,c:br-c" in (neutron.line(own, "c", "br-c") or ("", ""))[0]


def test_no_line_is_printed_where_the_list_could_not_be_read() -> None:
    from wizard.chapters.gateways import neutron

    node = ovn()
    del node.commands[switch.OPEN_VSWITCH]
    seen = facts.read(node)
    assert neutron.line(seen, "c", "br-c") is None
    assert "NEUTRON-NO-MAPPING" not in codes(plan(node))
    assert "ovs-vsctl set" not in str([each.do for each in plan(node).findings])


@pytest.mark.parametrize(
    "option", ["enable-chassis-as-extport-host", "enable-chassis-as-gw", "card-serial-number=x,enable-chassis-as-gw"]
)
def test_external_ports_over_a_pf_with_vfs(option: str) -> None:
    card = {"card": [{"match": {"address": PF[0]}, "count": 4}]}
    ids = {**ID, "ovn-bridge-mappings": "physnet1:br-ex", "ovn-cms-options": option}
    finding = found(plan(ovn(ids=ids, physical="enp59s0f0np0"), vfs=card), "NEUTRON-MAPPING-IS-A-PF-WITH-VFS")
    assert (finding.severity, PF[0] in finding.seen) == ("warns", True)
    assert "NEUTRON-MAPPING-IS-A-PF-WITH-VFS" not in codes(plan(ovn(ids=ids), vfs=card))
    assert "NEUTRON-MAPPING-IS-A-PF-WITH-VFS" not in codes(plan(ovn(physical="enp59s0f0np0"), vfs=card))


def test_nothing_ever_writes_the_databases_or_suggests_a_gateway_chassis() -> None:
    for node in (ovn(), ovn(ids=ID), ovs_agent(), linuxbridge(), bare()):
        made = plan(node, gateways={"network": []})
        assert not any(
            word.startswith(("ovs-", "ovn-")) for step in made.steps if step.kind == "run" for word in step.argv
        )
        assert not any("ovn-cms-options=" in line for each in made.findings for line in (each.do,))


def test_verify_looks_at_each_mapping() -> None:
    answers = answer_files.from_data({"gateways": {"network": []}})
    good = [check for check in verify(facts.read(ovn()), answers) if check.chapter == "gateways"]
    assert [(check.state, check.what) for check in good] == [("held", "physnet1 leads out of this node")]
    (bad,) = [check for check in verify(facts.read(ovn(physical="tap0")), answers) if check.chapter == "gateways"]
    assert bad.state == "failed"


def test_the_owner_of_the_agents_file_is_named() -> None:
    node = kolla()
    node.write("/etc/kolla/neutron-openvswitch-agent/openvswitch_agent.ini", "[ovs]\n")
    do = found(plan(node), "NEUTRON-NO-MAPPING").do
    assert "/etc/kolla/config/neutron/" in do


def test_mtu_and_vlans_are_told_where_they_are_seen() -> None:
    from wizard.chapters.gateways import chapter

    node = ovs_agent(
        "[ovs]\nbridge_mappings = physnet1:br-ex\n[ml2_type_vlan]\nnetwork_vlan_ranges = other:1:2,physnet1:100:199\n"
    )
    node.write("/sys/devices/pci0000:16/0000:16:02.0/0000:18:00.1/net/enp24s0f1np1/mtu", "9000\n")
    said = " ".join(chapter.summary(facts.read(node)))
    assert "physnet1 is on the bridge br-ex, with the port enp24s0f1np1, MTU 9000; VLANs 100 to 199" in said
