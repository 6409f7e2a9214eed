"""The plan: one write a path, each product once, in a sane order, and nothing where nothing is to be done."""

from __future__ import annotations

import itertools
import os

import places
import pytest
from nodes import origin, planned, replace, today

from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.hashing import digest
from wizard.model import step_text
from wizard.model.expectations import ExpectFile
from wizard.model.plan import Plan, from_json
from wizard.model.steps import PHASES, RunCommand, WriteFile
from wizard.planning import login_notice
from wizard.report import text as report
from wizard.simulator.built_in import built_in

GOLDEN = str(places.GOLDEN)


def argvs(plan: Plan) -> list[str]:
    return [step_text.words(step.argv) for step in plan.steps if isinstance(step, RunCommand)]


@pytest.mark.parametrize("name", ["origin", "today", "demo"])
def test_the_golden_plans(name: str) -> None:
    text = report.plan(planned(built_in(name)))
    path = os.path.join(GOLDEN, f"plan-{name}.txt")  # noqa: PTH118
    if os.environ.get("UPDATE_GOLDEN"):
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        assert text == file.read()


@pytest.mark.parametrize("name", ["origin", "today", "demo"])
def test_steps_come_in_the_order_of_the_phases_and_no_path_is_written_twice(name: str) -> None:
    plan = planned(built_in(name))
    phases = [PHASES.index(step.phase) for step in plan.steps]
    assert phases == sorted(phases)
    paths = [step.path for step in plan.steps if isinstance(step, WriteFile)]
    assert len(paths) == len(set(paths))
    commands = argvs(plan)
    assert len(commands) == len(set(commands))


def test_the_origin_story() -> None:
    plan = planned(origin())
    files = {step.path: step.after.data().decode() for step in plan.steps if isinstance(step, WriteFile)}
    assert files["/etc/modprobe.d/mlx4_core.conf"] == "options mlx4_core num_vfs=16 probe_vf=0\n"
    assert files["/etc/dnsmasq-nova.conf"].splitlines() == [
        "dhcp-option=tag:demo-net,option:router,10.44.1.1",
        "dhcp-option=tag:demo2-net,option:router,10.44.2.1",
    ]
    assert "dnsmasq_config_file = /etc/dnsmasq-nova.conf\n" in files["/etc/nova/nova.conf"]
    assert 'pci_passthrough_whitelist = {"vendor_id": "15b3", "product_id": "1004"}\n' in files["/etc/nova/nova.conf"]
    assert "pci_alias" not in files["/etc/nova/nova.conf"]
    assert 'TARGET="CONTINUE"' in files["/etc/compute-wizard/metadata.conf"]
    assert "/etc/init/compute-wizard-metadata.conf" in files
    assert argvs(plan) == [
        "dnsmasq --test --conf-file=/etc/dnsmasq-nova.conf",
        "update-grub",
        "cp -p /boot/initrd.img-3.19.0-25-generic /boot/initrd.img-3.19.0-25-generic.before-compute-wizard",
        "update-initramfs -u -k all",
        "/usr/local/sbin/compute-wizard-metadata apply",
        "service nova-network restart",
    ]
    assert (plan.kernel_command_line.after_reboot or "").endswith(" intel_iommu=on iommu=pt")
    controller = [(step.option, step.op, step.value) for step in plan.controller if step.option]
    assert controller == [
        ("pci_alias", "append", '{"name": "ib", "vendor_id": "15b3", "product_id": "1004"}'),
        ("scheduler_default_filters", "append_to_list", "PciPassthroughFilter"),
    ]
    assert any("RetryFilter,AvailabilityZoneFilter,RamFilter" in step.why for step in plan.controller)


def test_the_published_rule_only_on_request() -> None:
    plan = planned(origin(), metadata={"redirect": True, "target": "accept"})
    files = {step.path: step.after.data().decode() for step in plan.steps if isinstance(step, WriteFile)}
    assert 'TARGET="ACCEPT"' in files["/etc/compute-wizard/metadata.conf"]


def test_today_s_story() -> None:
    other = {"match": {"netdev": "enp24s0f1np1"}, "count": 4}
    plan = planned(today(), vfs={"card": [{"match": {"serial": "MT2011X04218"}, "count": 8}, other]})
    files = {step.path: step.after.data().decode() for step in plan.steps if isinstance(step, WriteFile)}
    assert "intel_iommu" not in files["/etc/default/grub.d/zz-compute-wizard.cfg"].splitlines()[-1]
    assert sum(path.startswith("/etc/systemd/system/compute-wizard-vfs-") for path in files) == 3
    assert 'device_spec = {"vendor_id": "15b3", "product_id": "1018"}' in files["/etc/nova/nova.conf"]
    attributes = [(step.path, step.before, step.after) for step in plan.steps if step.kind == "set_attribute"]
    assert [each for each in attributes if each[0].endswith("numvfs")] == [
        ("/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs", "0", "8"),
        ("/sys/bus/pci/devices/0000:3b:00.1/sriov_numvfs", "0", "8"),
        ("/sys/bus/pci/devices/0000:18:00.1/sriov_numvfs", "0", "4"),
    ]
    assert "systemctl restart nova-compute" not in argvs(plan)  # the reboot does it


def test_a_drop_in_is_not_written_where_grub_does_not_read_it() -> None:
    node = origin()
    entry = node.entries["/usr/sbin/grub-mkconfig"]
    entry.content = entry.content.replace(b"default/grub.d", b"default/nothing.d")
    plan = planned(node)
    (step,) = [step for step in plan.steps if getattr(step, "path", "").startswith("/etc/default/grub")]
    assert getattr(step, "path", "") == "/etc/default/grub"
    assert (plan.kernel_command_line.after_reboot or "").endswith(" intel_iommu=on iommu=pt")


def test_arguments_that_are_there_already_are_not_added() -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-own.cfg", 'GRUB_CMDLINE_LINUX="intel_iommu=on,sm_on iommu=pt"\n')
    plan = planned(node, vfs=None, passthrough=None, gateways=None, metadata=None)
    assert not [step for step in plan.steps if isinstance(step, WriteFile) and step.path != login_notice.PATH]
    assert argvs(plan) == ["update-grub"]  # grub.cfg does not hold them yet


def test_secrets_are_in_no_preview() -> None:
    plan = planned(origin())
    secrets = ("RABBIT", "rabbit_password", "connection")
    shown = report.plan(plan) + plan.masked().to_json()
    conf = facts.read(origin()).content("/etc/nova/nova.conf") or b""
    values = [
        line.partition("=")[2].strip()
        for line in conf.decode().splitlines()
        if "password" in line or "connection" in line
    ]
    assert values
    for value in values:
        assert value not in shown
    assert 'complete": false' in plan.masked().to_json()
    assert secrets


def test_a_saved_plan_is_the_same_plan() -> None:
    plan = planned(origin())
    assert from_json(plan.to_json(), "x") == plan


def test_what_the_plan_starts_from_is_expected() -> None:
    plan = planned(origin())
    expected = {each.path: each.sha256 for each in plan.expects if isinstance(each, ExpectFile)}
    node = origin()
    assert expected["/etc/nova/nova.conf"] == digest(node.read("/etc/nova/nova.conf"))
    assert expected["/etc/dnsmasq-nova.conf"] is None
    assert "/etc/default/grub" in expected
    assert {each.kind for each in plan.expects} >= {"boot_id", "tool_version"}


def test_planning_is_a_pure_function() -> None:
    seen = facts.read(origin())
    plans = [report.plan(planned(origin())) for _ in range(2)]
    assert plans[0] == plans[1]
    assert Facts.from_json(seen.to_json()).to_data() == seen.to_data()


def test_chapters_do_not_disturb_each_other() -> None:
    names = ["iommu", "vfs", "gateways", "metadata"]
    whole = planned(origin())
    for left in itertools.combinations(names, 2):
        part = planned(origin(), **dict.fromkeys(set(names) - set(left)), passthrough=None)
        of_part = {step.path for step in part.steps if isinstance(step, WriteFile)} - {"/etc/nova/nova.conf"}
        of_whole = {step.path for step in whole.steps if isinstance(step, WriteFile) and set(step.chapters) & set(left)}
        assert of_part == of_whole - {"/etc/nova/nova.conf"}


def test_no_device_option_without_a_release() -> None:
    node = origin()
    replace(node, "/var/lib/dpkg/status", "2015.1.1", "9999.1")
    assert "passthrough" in planned(node).blocked
