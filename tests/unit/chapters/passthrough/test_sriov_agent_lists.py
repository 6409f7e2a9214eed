"""What the SR-IOV agent has to have for pools of ports: written by its own rules, or said for whoever owns its file."""

from __future__ import annotations

import pytest
from neutron_nodes import CX5, PF, agent, bare, kolla, ovn, sriov
from nodes import codes, found, planned

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify

FILE = "/etc/neutron/plugins/ml2/sriov_agent.ini"
VFS = {"card": [{"match": {"address": PF[0]}, "count": 4}, {"match": {"address": PF[1]}, "count": 4}]}


def ports(*cards: tuple[str, str], agent: bool | None = True, **more: object) -> dict[str, object]:
    pool = [
        {"name": f"{network}-{number}", "cards": {"address": address}, "physical_network": network}
        for number, (network, address) in enumerate(cards)
    ]
    return {"pool": pool, **({} if agent is None else {"sriov_agent": agent}), **more}


def plan(node: MemoryNode, passthrough: dict[str, object], vfs: object = VFS) -> Plan:
    return planned(node, iommu=None, vfs=vfs, passthrough=passthrough)


def added(made: Plan, path: str = FILE) -> list[str]:
    diffs = [step.diff for step in made.steps if isinstance(step, WriteFile) and step.path == path]
    return [line[1:] for diff in diffs for line in diff.splitlines()[2:] if line.startswith("+")]


def test_mappings_are_added_to_what_is_there() -> None:
    node = sriov(
        bare(), "# by hand\n[sriov_nic]\nphysical_device_mappings = old:eno9\nresource_provider_bandwidths = eno9:1:1\n"
    )
    made = plan(node, ports(("fast", PF[0]), ("slow", PF[1])))
    assert added(made) == [f"physical_device_mappings = old:eno9,fast:{CX5[0]},slow:{CX5[1]}"]
    assert "passthrough" not in made.blocked


def test_what_is_there_already_is_not_written() -> None:
    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = fast:{CX5[0]}\n")
    assert added(plan(node, ports(("fast", PF[0])))) == []


def test_nothing_is_written_that_was_not_asked_for() -> None:
    node = sriov(bare(), "[sriov_nic]\n")
    for answer in (None, False):
        made = plan(node, ports(("fast", PF[0]), agent=answer))
        assert added(made) == []
        assert f"fast:{CX5[0]}" in found(made, "NEUTRON-NOT-MAPPED").seen


def test_vfs_of_the_host_are_excluded() -> None:
    node = sriov(bare(), "[sriov_nic]\n")
    real = "/sys/devices/pci0000:30/0000:30:02.0"
    for number in range(4):
        vf = f"0000:3b:00.{number + 2}"
        node.write(f"{real}/{vf}/vendor", "0x15b3\n")
        node.write(f"{real}/{vf}/device", "0x1018\n")
        node.write(f"{real}/{vf}/class", "0x020000\n")
        node.symlink(f"{real}/{vf}/physfn", f"../{PF[0]}")
        node.symlink(f"{real}/{PF[0]}/virtfn{number}", f"../{vf}")
        node.symlink(f"/sys/bus/pci/devices/{vf}", f"../../../devices/pci0000:30/0000:30:02.0/{vf}")
    node.write(f"{real}/{PF[0]}/sriov_numvfs", "4\n")
    card = {"card": [{"match": {"address": PF[0]}, "count": 4, "host_vfs": 2}]}
    assert f"exclude_devices = {CX5[0]}:0000:3b:00.2;0000:3b:00.3" in added(plan(node, ports(("fast", PF[0])), card))


@pytest.mark.parametrize(
    "lists",
    [
        "exclude_devices = eno7:0000:01:00.2\n",
        "resource_provider_bandwidths = eno7:1:1\n",
        "physical_device_mappings = broken\n",
        "exclude_devices = a\n",
    ],
)
def test_the_agent_is_never_restarted_onto_its_end(lists: str) -> None:
    node = sriov(bare(), f"[sriov_nic]\n{lists}")
    made = plan(node, ports(("fast", PF[0])))
    assert found(made, "NEUTRON-AGENT-EXITS").severity == "blocks"
    assert "passthrough" in made.blocked
    assert found(plan(node, ports(("fast", PF[0]), agent=None)), "NEUTRON-AGENT-EXITS").severity == "warns"


def test_another_network_for_the_same_card_is_told_and_kept() -> None:
    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = other:{CX5[0]}\n")
    made = plan(node, ports(("fast", PF[0])))
    assert "other" in found(made, "NEUTRON-OTHER-MAPPING").seen
    assert added(made) == []


def test_no_agent_is_told_by_its_service() -> None:
    assert "neutron-sriov-agent" in found(plan(ovn(), ports(("fast", PF[0]), agent=None)), "NEUTRON-NO-SRIOV-AGENT").do
    assert found(plan(bare(), ports(("fast", PF[0]), agent=None)), "NEUTRON-NO-SRIOV-AGENT").severity == "tells"
    node = sriov(bare(), "[sriov_nic]\n")
    assert "NEUTRON-NO-SRIOV-AGENT" not in codes(plan(node, ports(("fast", PF[0]))))


def test_who_owns_the_file_gets_the_lines() -> None:
    made = plan(kolla(), ports(("fast", PF[1])))
    finding = found(made, "NEUTRON-MANAGED")
    assert finding.severity == "blocks"
    assert f"physical_device_mappings = physnet2:{CX5[0]},fast:{CX5[1]}" in finding.do
    assert "/etc/kolla/config/neutron/sriov_agent.ini" in finding.do


def test_a_card_without_one_interface_is_said() -> None:
    node = sriov(bare(), "[sriov_nic]\n")
    for path in [path for path in node.entries if f"/{PF[0]}/net" in path]:
        del node.entries[path]
    node.entries[f"/sys/devices/pci0000:30/0000:30:02.0/{PF[0]}"].names.discard("net")
    assert "0 network interfaces" in found(plan(node, ports(("fast", PF[0]))), "NEUTRON-NO-DEVICE").seen


def test_the_agent_is_restarted_after_the_vfs_are_there() -> None:
    node = sriov(bare(), "[sriov_nic]\n")
    made = planned(node, iommu=None, vfs=VFS, passthrough=ports(("fast", PF[0])))
    words = [step.argv if step.kind == "run" else step.kind for step in made.steps]
    restart = ("systemctl", "restart", "neutron-sriov-agent")
    if restart in words:  # where the plan ends in a reboot, that does it
        assert max(n for n, word in enumerate(words) if word == "set_attribute") < words.index(restart)
    else:
        assert any("reboot" in step.labels for step in made.steps)


def test_verify_says_what_the_agent_has() -> None:
    answers = answer_files.from_data({"passthrough": {"release": "2026.1", **ports(("fast", PF[0]))}, "vfs": VFS})

    def state(ini: str) -> list[str]:
        every = verify(facts.read(sriov(bare(), ini)), answers)
        return [check.state for check in every if check.what.startswith("The SR-IOV agent")]

    assert state(f"[sriov_nic]\nphysical_device_mappings = fast:{CX5[0]}\n") == ["held"]
    assert state("[sriov_nic]\n") == ["failed"]

    node = sriov(bare(), f"[sriov_nic]\nphysical_device_mappings = fast:{CX5[0]}\n")
    del node.entries["/proc/stat"]  # the boot time, from which starts are counted
    assert [c.state for c in verify(facts.read(node), answers) if c.what.startswith("The SR-IOV agent")] == ["unknown"]


def test_the_file_that_counts_is_edited() -> None:
    """The agent reads its files in their order, and a later one overrides."""
    later = "/etc/neutron/plugins/ml2/zz-site.ini"
    node = sriov(bare(), "[sriov_nic]\nphysical_device_mappings = old:eno9\n")
    node.write(later, "[sriov_nic]\nphysical_device_mappings = site:eno9\n")
    agent(node, 1520, "neutron-sriov-nic-agent", "/etc/neutron/neutron.conf", FILE, later)
    made = plan(node, ports(("fast", PF[0])))
    assert added(made, later) == [f"physical_device_mappings = site:eno9,fast:{CX5[0]}"]
    assert added(made) == []


@pytest.mark.parametrize(("release", "told"), [("kilo", True), ("mitaka", True), ("newton", False), ("2026.1", False)])
def test_the_controllers_half_of_old_releases(release: str, told: bool) -> None:
    made = plan(sriov(bare(), "[sriov_nic]\n"), ports(("fast", PF[0]), release=release))
    values = [step.value for step in made.controller if step.option == "supported_pci_vendor_devs"]
    assert values == (["15b3:1018"] if told else [])


@pytest.mark.parametrize("passthrough", [None, {"pool": []}, ports(("fast", PF[0]), agent=None)])
def test_nova_and_the_agent_against_each_other_are_told_whatever_is_answered(
    passthrough: dict[str, object] | None,
) -> None:
    node = bare()
    node.write(FILE, f"[sriov_nic]\nphysical_device_mappings = other:{CX5[0]}\n")  # the file alone: no process, no unit
    conf = node.entries["/etc/nova/nova.conf"].content.decode()
    node.write(
        "/etc/nova/nova.conf",
        f'{conf}[pci]\ndevice_spec = {{"address": "{PF[0]}", "physical_network": "fast"}}\n',
        0o640,
    )
    made = planned(node, iommu=None, vfs=VFS, passthrough=passthrough)
    (finding,) = [each for each in made.findings if each.code == "NEUTRON-OTHER-MAPPING"]
    assert "fast" in finding.seen and "other" in finding.seen and FILE in finding.seen
    agreed = bare()
    agreed.write(FILE, f"[sriov_nic]\nphysical_device_mappings = fast:{CX5[0]}\n")
    agreed.write("/etc/nova/nova.conf", node.entries["/etc/nova/nova.conf"].content, 0o640)
    assert "NEUTRON-OTHER-MAPPING" not in codes(planned(agreed, iommu=None, vfs=VFS, passthrough=passthrough))
