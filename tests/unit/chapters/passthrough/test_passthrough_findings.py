"""Findings about what nova is told: each is seen where it is so, and only there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from managed import juju, kolla, puppet
from nodes import codes, found, origin, planned, remove, replace, today

from wizard.facts import facts
from wizard.model.steps import WriteFile
from wizard.node.recorded import MemoryNode


def test_a_spec_that_matches_the_node_s_own_card_blocks() -> None:
    pool = {"name": "all", "devices": [{"vendor_id": "8086", "product_id": "1521"}]}
    plan = planned(origin(), passthrough={"pool": [pool]})
    finding = found(plan, "PASSTHROUGH-OWN-DEVICE")
    assert finding.severity == "blocks"
    assert "0000:07:00.0" in finding.seen
    assert "ssh" in finding.seen


def test_a_spec_that_is_in_nova_conf_and_matches_the_disk_controller_is_warned_of() -> None:
    node = origin()
    replace(
        node,
        "/etc/nova/nova.conf",
        "[DEFAULT]\n",
        '[DEFAULT]\npci_passthrough_whitelist = {"adress": "0000:04:00.0"}\n',
    )
    plan = planned(node)
    assert "adress" in found(plan, "PASSTHROUGH-UNKNOWN-KEY").seen
    assert "root disk" in found(plan, "PASSTHROUGH-OWN-DEVICE").seen


@pytest.mark.parametrize(("manage", "name"), [(kolla, "kolla"), (juju, "juju"), (puppet, "puppet")])
def test_nova_conf_that_is_managed_elsewhere_blocks_and_prints_the_fragment(
    manage: Callable[[MemoryNode], None], name: str
) -> None:
    node = origin()
    manage(node)
    plan = planned(node, passthrough={"release": "kilo", "pool": [{"name": "ib", "cards": "all"}]})
    finding = found(plan, "PASSTHROUGH-MANAGED")
    assert name in finding.seen
    assert 'pci_passthrough_whitelist = {"vendor_id": "15b3", "product_id": "1004"}' in finding.do
    assert "alias" not in finding.do  # of Kilo only the controller reads it
    assert "passthrough" in plan.blocked


def test_the_fragment_holds_the_alias_where_compute_nodes_read_it() -> None:
    node = today()
    puppet(node)
    do = found(planned(node), "PASSTHROUGH-MANAGED").do
    assert (
        '[pci] / device_spec = {"vendor_id": "15b3", "product_id": "1018"} / '
        'alias = {"name": "mlx", "vendor_id": "15b3", "product_id": "1018", "device_type": "type-VF"}'
    ) in do
    for release, lines in (
        ("newton", ["[DEFAULT]", "pci_alias = "]),
        ("train", ["[pci]", "passthrough_whitelist = ", "alias = "]),
    ):
        text = found(
            planned(node, passthrough={"release": release, "pool": [{"name": "mlx"}]}), "PASSTHROUGH-MANAGED"
        ).do
        assert [line in text for line in lines] == [True] * len(lines)
        assert text.count("[") == 2  # the section once, and [passthrough]


def test_nobody_manages_it_when_the_admin_says_so() -> None:
    node = origin()
    juju(node)
    plan = planned(node, passthrough={"manager": "none", "pool": [{"name": "ib", "cards": "all"}]})
    assert "PASSTHROUGH-MANAGED" not in codes(plan)


def test_a_nova_conf_that_nova_would_refuse_is_not_touched() -> None:
    node = origin()
    node.entries["/etc/nova/nova.conf"].content += b"this is no option\n"
    plan = planned(node)
    assert re.search(r"line \d+", found(plan, "PASSTHROUGH-NOVA-CONF").seen)
    assert "/etc/nova/nova.conf" not in [getattr(step, "path", "") for step in plan.steps]


def test_a_release_that_is_not_known_blocks() -> None:
    node = origin()
    remove(node, "/var/lib/dpkg/status")
    assert found(planned(node), "PASSTHROUGH-RELEASE").severity == "blocks"


def test_a_vf_that_shares_its_iommu_group_blocks() -> None:
    node = today()
    place = "/sys/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.2"
    real = node.resolve("/sys/bus/pci/devices/0000:3b:00.0")
    place = f"{real.rpartition('/')[0]}/0000:3b:00.2"
    for name, value in {"vendor": "0x15b3", "device": "0x1018", "class": "0x020000"}.items():
        node.write(f"{place}/{name}", f"{value}\n")
    node.symlink(f"{place}/physfn", "../0000:3b:00.0")
    node.symlink(f"{place}/iommu_group", "../../../../kernel/iommu_groups/77")
    node.symlink("/sys/bus/pci/devices/0000:3b:00.2", f"../../../{place.removeprefix('/sys/')}")
    for address in ("0000:3b:00.0", "0000:3b:00.2"):
        node.symlink(f"/sys/kernel/iommu_groups/77/devices/{address}", f"../../../../bus/pci/devices/{address}")
    finding = found(planned(node), "PASSTHROUGH-SHARED-GROUP")
    assert finding.severity == "blocks"
    assert "0000:3b:00.0" in finding.seen


def test_a_pool_without_devices_blocks() -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"serial": "MT1644X02937"}, "count": 0}]})
    assert "ib" in found(plan, "PASSTHROUGH-EMPTY-POOL").seen


def test_a_node_without_nova_conf() -> None:
    node = origin()
    remove(node, "/etc/nova/nova.conf")
    plan = planned(node)
    assert found(plan, "PASSTHROUGH-NO-NOVA-CONF").severity == "blocks"
    assert found(plan, "GATEWAYS-NO-NOVA-CONF").severity == "warns"
    assert [step for step in plan.steps if getattr(step, "path", "") == "/etc/dnsmasq-nova.conf"]


@pytest.mark.parametrize(
    ("value", "code"),
    [("not json", "PASSTHROUGH-BAD-SPEC"), ('{"vendor_id": "8086", "product_id": "8d02"}', "PASSTHROUGH-OWN-DEVICE")],
)
def test_values_that_are_in_nova_conf_already_are_looked_at(value: str, code: str) -> None:
    node = origin()
    replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", f"[DEFAULT]\npci_passthrough_whitelist = {value}\n")
    disk = next(f for f in facts.read(node).pci.functions if f.address == "0000:00:1f.2")
    node.entries["/etc/nova/nova.conf"].content = node.entries["/etc/nova/nova.conf"].content.replace(
        b"8d02", disk.device.encode()
    )
    assert found(planned(node), code).severity == "warns"


def test_devices_under_another_release_s_name_are_told() -> None:
    node = origin()
    node.entries["/etc/nova/nova.conf"].content += b'[pci]\ndevice_spec = {"vendor_id": "10de"}\n'
    assert "[pci] device_spec" in found(planned(node), "PASSTHROUGH-OTHER-NAME").seen


def test_what_a_release_does_not_know_is_left_out_and_told() -> None:
    pool = {"name": "ib", "cards": "all", "numa_policy": "preferred", "trusted": True, "physical_network": "p1"}
    plan = planned(origin(), passthrough={"pool": [pool]})
    finding = found(plan, "PASSTHROUGH-NOT-IN-RELEASE")
    assert "trusted" in finding.seen
    assert "numa_policy = preferred" in finding.seen
    step = next(step for step in plan.steps if getattr(step, "path", "") == "/etc/nova/nova.conf")
    assert isinstance(step, WriteFile)
    assert "trusted" not in step.after.data().decode()
    assert "PASSTHROUGH-NOT-IN-RELEASE" not in codes(planned(today(), passthrough={"pool": [pool]}))


def test_devices_that_nothing_here_has_are_told() -> None:
    pool = {"name": "gpu", "devices": [{"vendor_id": "10de", "product_id": "20b0"}]}
    assert found(planned(origin(), passthrough={"pool": [pool]}), "PASSTHROUGH-EMPTY-POOL").severity == "warns"
    later = {"name": "ib", "devices": [{"vendor_id": "15b3", "product_id": "1004"}]}
    assert "PASSTHROUGH-EMPTY-POOL" not in codes(planned(origin(), passthrough={"pool": [later]}))


@pytest.mark.parametrize("name", ["x; rm -rf /", "-rf", "$(reboot)", "a b", ""])
def test_a_host_name_that_is_none_is_not_put_into_commands_to_be_pasted(name: str) -> None:
    node = origin()
    for place in ("/proc/sys/kernel/hostname", "/etc/hostname"):
        node.write(place, f"{name}\n")
    words = " ".join(step.value for step in planned(node).controller if step.op == "run")
    assert words.count("THIS-HOST") == 3  # disable, test VM, enable
