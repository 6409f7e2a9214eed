"""Findings: each is seen where it is so, and only there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from nodes import CX3, codes, found, origin, planned, remove, replace, today

from wizard.node import facts
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode

REPOSITORY = Path(__file__).parents[2]


def test_a_good_node_has_no_finding_that_blocks_or_warns() -> None:
    for node in (origin(), today()):
        assert {finding.severity for finding in planned(node).findings} <= {"tells"}


def test_no_dmar_blocks_the_iommu_and_what_needs_it_but_not_the_redirect() -> None:
    node = origin()
    remove(node, "/sys/firmware/acpi/tables/DMAR")
    plan = planned(node)
    assert found(plan, "IOMMU-NO-DMAR").severity == "blocks"
    assert plan.blocked == ("iommu", "passthrough")
    assert "metadata" in {name for step in plan.steps for name in step.chapters}


def test_no_ivrs_on_amd() -> None:
    node = origin()
    remove(node, "/sys/firmware/acpi/tables/DMAR")
    node.entries["/proc/cpuinfo"].content = node.entries["/proc/cpuinfo"].content.replace(
        b"GenuineIntel", b"AuthenticAMD"
    )
    assert "BIOS" in found(planned(node), "IOMMU-NO-IVRS").do


@pytest.mark.parametrize("argument", ["iommu=off", "iommu=soft"])
def test_the_iommu_is_off_on_the_next_line_by_another_layer(argument: str) -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-other.cfg", f'GRUB_CMDLINE_LINUX="{argument}"\n')
    finding = found(planned(node), "IOMMU-OFF-ELSEWHERE")
    assert finding.severity == "blocks"
    assert "/etc/default/grub.d/50-other.cfg line 1" in finding.seen


def test_a_file_that_sorts_after_ours_and_overrides_it_blocks() -> None:
    node = origin()
    node.write("/etc/default/grub.d/zzz-last.cfg", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=off"\n')
    assert found(planned(node), "IOMMU-OFF-ELSEWHERE").severity == "blocks"


def test_a_shell_command_in_the_sources_makes_the_line_unknown() -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-other.cfg", 'GRUB_CMDLINE_LINUX="$(cat /root/arguments)"\n')
    finding = found(planned(node), "IOMMU-LINE-UNKNOWN")
    assert "/etc/default/grub.d/50-other.cfg" in finding.seen


def test_our_own_drop_in_is_not_blamed_for_what_it_appends_to() -> None:
    node = origin()
    replace(
        node,
        "/etc/default/grub",
        "GRUB_CMDLINE_LINUX_DEFAULT",
        '# a comment\nA=$(b)\nGRUB_CMDLINE_LINUX_DEFAULT="$A" #',
    )
    line = node.entries["/etc/default/grub"].content.decode().splitlines().index("A=$(b)") + 1
    finding = found(planned(node), "IOMMU-LINE-UNKNOWN")
    assert finding.seen == f"/etc/default/grub line {line}: command substitution"


def _firmware_off(node: MemoryNode) -> None:
    for name in ("sriov_totalvfs", "sriov_numvfs"):
        remove(node, f"{CX3}/{name}")


def test_firmware_that_offers_no_vfs_is_told_where_nothing_is_asked() -> None:
    node = origin()
    _firmware_off(node)
    assert found(planned(node), "VFS-FIRMWARE-OFF").severity == "warns"


def test_firmware_that_offers_no_vfs_blocks_where_they_are_asked_for() -> None:
    node = origin()
    _firmware_off(node)
    plan = planned(node, vfs={"card": [{"match": {"address": "0000:04:00.0"}, "count": 8}]})
    assert found(plan, "VFS-FIRMWARE-OFF").severity == "blocks"
    assert "vfs" in plan.blocked


@pytest.mark.parametrize(("count", "why"), [(17, "firmware"), (64, "mlx4_core refuses")])
def test_a_count_above_a_limit_blocks(count: int, why: str) -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"serial": "MT1644X02937"}, "count": count}]})
    finding = found(plan, "VFS-ABOVE-LIMIT")
    assert finding.severity == "blocks"
    assert why in finding.why
    assert "at most 16" in finding.do


def _second_card(node: MemoryNode) -> None:
    """Another ConnectX-3 Pro, at 0000:05:00.0."""
    other = CX3.replace("0000:04:00.0", "0000:05:00.0")
    for path, entry in list(node.entries.items()):
        if path.startswith(f"{CX3}/") and entry.kind != "directory" and not path.endswith("/vpd"):
            node.add(path.replace(CX3, other), entry)
    node.symlink("/sys/bus/pci/devices/0000:05:00.0", "../../../devices/pci0000:00/0000:00:02.0/0000:05:00.0")


def test_two_mlx4_cards_that_disagree_block_and_name_each_other() -> None:
    node = origin()
    _second_card(node)
    cards = [{"match": {"address": f"0000:0{bus}:00.0"}, "count": count} for bus, count in ((4, 16), (5, 8))]
    finding = found(planned(node, vfs={"card": cards}), "VFS-MLX4-DISAGREE")
    assert finding.severity == "blocks"
    assert "0000:04:00.0" in finding.seen
    assert "0000:05:00.0" in finding.seen


def test_an_mlx4_card_that_is_not_answered_gets_vfs_too() -> None:
    node = origin()
    _second_card(node)
    cards = [{"match": {"address": "0000:04:00.0"}, "count": 16}]
    assert "0000:05:00.0" in found(planned(node, vfs={"card": cards}), "VFS-MLX4-ALL-CARDS").seen


def test_mlx5_infiniband_vfs_have_no_guids() -> None:
    node = today()
    for path, entry in node.entries.items():
        if path.endswith("/link_layer") and "3b:00" in path:
            entry.content = b"InfiniBand\n"
    assert "virt_enabled 2" in found(planned(node), "VFS-IB-GUID").do
    assert "VFS-IB-GUID" not in codes(planned(today()))


def test_a_card_named_by_its_address_is_warned_of() -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"address": "0000:04:00.0"}, "count": 16}]})
    assert found(plan, "VFS-BY-ADDRESS").severity == "warns"


def test_a_card_that_is_not_there_blocks() -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"serial": "NOT-HERE"}, "count": 16}]})
    assert "serial NOT-HERE" in found(plan, "VFS-NO-SUCH-CARD").seen


def test_another_modprobe_file_that_has_the_last_word_blocks() -> None:
    node = origin()
    node.write("/etc/modprobe.d/zz-other.conf", "options mlx4_core num_vfs=4\n")
    plan = planned(node, vfs={"card": [{"match": {"serial": "MT1644X02937"}, "count": 16}]})
    assert "num_vfs would be 4" in found(plan, "VFS-OPTION-OVERRIDDEN").seen


def test_the_card_that_carries_ssh_is_named() -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"address": "0000:07:00.0"}, "count": 4}]})
    finding = found(plan, "VFS-CARRIES-NODE")
    assert "ssh" in finding.seen
    assert "default route" in finding.seen


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


def _kolla(node: MemoryNode) -> None:
    node.write("/etc/kolla/nova-compute/nova.conf", "[DEFAULT]\n")
    node.write("/proc/2211/cgroup", f"4:memory:/docker/{'0123456789abcdef' * 4}\n")


def _juju(node: MemoryNode) -> None:
    node.write("/var/lib/juju/agents/unit-nova-compute-0/agent.conf", "tag: unit-nova-compute-0\n")


def _puppet(node: MemoryNode) -> None:
    node.entries["/etc/nova/nova.conf"].content = (
        b"# This file is managed by Puppet\n" + node.entries["/etc/nova/nova.conf"].content
    )


@pytest.mark.parametrize(("manage", "name"), [(_kolla, "kolla"), (_juju, "juju"), (_puppet, "puppet")])
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
    _puppet(node)
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
    _juju(node)
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


def test_nobody_listens_on_the_metadata_port() -> None:
    node = origin()
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if path in node.entries:
            node.entries[path].content = node.entries[path].content.replace(b":2247 ", b":2248 ")
    assert ":8775" in found(planned(node), "METADATA-NO-LISTENER").seen
    assert "METADATA-NO-LISTENER" not in codes(planned(origin()))


@pytest.mark.parametrize(("value", "words"), [(None, "not loaded"), ("0\n", "iptables is 0"), ("1\n", "iptables is 1")])
def test_what_the_bridge_firewall_means_is_told(value: str | None, words: str) -> None:
    node = origin()
    if value is not None:
        node.write("/proc/sys/net/bridge/bridge-nf-call-iptables", value)
    finding = found(planned(node), "METADATA-BRIDGE-NF")
    assert finding.severity == "tells"
    assert words in finding.seen


def test_neutron_has_its_own_way_for_gateways_and_metadata() -> None:
    plan = planned(today())
    assert found(plan, "GATEWAYS-NEUTRON").severity == "tells"
    assert found(plan, "METADATA-NEUTRON").severity == "tells"
    asked = planned(today(), gateways={"network": [{"label": "a", "router": "10.0.0.1"}]}, metadata={"redirect": True})
    assert {"gateways", "metadata"} <= set(asked.blocked)


def test_single_default_gateway_defeats_the_override() -> None:
    node = origin()
    replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", "[DEFAULT]\nuse_single_default_gateway = True\n")
    assert found(planned(node), "GATEWAYS-SINGLE-DEFAULT").severity == "blocks"


def test_a_label_that_no_dnsmasq_serves_is_warned_of() -> None:
    plan = planned(origin(), gateways={"network": [{"label": "Demo-Net", "router": "10.44.1.1"}]})
    assert "demo-net" in found(plan, "GATEWAYS-UNKNOWN-LABEL").seen


def test_unknown_uplinks_block() -> None:
    node = origin()
    node.entries["/etc/nova/nova.conf"].content = node.entries["/etc/nova/nova.conf"].content.replace(
        b"VlanManager", b"FlatDHCPManager"
    )
    for path in [path for path in node.entries if path.startswith("/sys/class/net/")]:
        remove(node, path)
    assert found(planned(node), "METADATA-UPLINKS-UNKNOWN").severity == "blocks"


def test_guests_that_run_are_named() -> None:
    node = origin()
    argv = "/usr/bin/qemu-system-x86_64\0-name\0instance-0000002a\0-m\x002048\0"
    node.write("/proc/4711/cmdline", argv)
    node.write("/proc/4711/stat", "4711 (qemu-system-x86) S 1 " + "0 " * 17 + "12345 " + "0 " * 20 + "\n")
    assert "instance-0000002a" in found(planned(node), "GUESTS-RUNNING").seen


def test_a_file_that_may_not_be_read_blocks_its_chapters_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from wizard.errors import Denied

    node = origin()
    read = node._read

    def denied(path: str) -> bytes:
        if path == "/etc/nova/nova.conf":
            raise Denied("may not be read without root rights", where=path)
        return read(path)

    monkeypatch.setattr(node, "_read", denied)
    plan = planned(node, metadata={"redirect": True, "bridges": ["br1441"], "uplinks": ["vlan+"]})
    assert "/etc/nova/nova.conf" in found(plan, "FILE-HIDDEN").seen
    assert {name for step in plan.steps for name in step.chapters} >= {"iommu", "vfs", "metadata"}


def test_every_code_has_a_page() -> None:
    pattern = re.compile(
        r'"((?:BOOT|IOMMU|VFS|PASSTHROUGH|GATEWAYS|METADATA|FILE|GUESTS|NOVA|UNDO)-[A-Z0-9]+(?:-[A-Z0-9]+)*)"'
    )
    used = {
        code
        for path in (REPOSITORY / "wizard").rglob("*.py")
        for code in pattern.findall(path.read_text(encoding="utf-8"))
    } | {"IOMMU-NO-DMAR", "IOMMU-NO-IVRS", "IOMMU-NO-IORT"}
    pages = {path.stem for path in (REPOSITORY / "docs/findings").glob("*.md")} - {"README"}
    assert used == pages


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


def test_a_boot_loader_that_is_not_ours_blocks_the_iommu_only() -> None:
    node = origin()
    remove(node, "/usr/sbin/grub-mkconfig")
    plan = planned(node)
    assert found(plan, "IOMMU-BOOTLOADER").severity == "blocks"
    assert "intel_iommu=on iommu=pt" in found(plan, "IOMMU-BOOTLOADER").do
    assert "metadata" not in plan.blocked


def test_a_boot_loader_that_is_not_ours_only_tells_once_the_running_kernel_has_what_is_needed() -> None:
    node = origin()
    remove(node, "/usr/sbin/grub-mkconfig")
    node.write("/proc/cmdline", "root=/dev/sda1 ro quiet intel_iommu=on\n")
    node.symlink("/sys/kernel/iommu_groups/1/devices/0000:04:00.0", "../../../../bus/pci/devices/0000:04:00.0")
    assert found(planned(node), "IOMMU-BOOTLOADER").severity == "blocks"  # iommu=pt is not there
    node.write("/proc/cmdline", "root=/dev/sda1 ro quiet intel_iommu=on iommu=pt\n")
    plan = planned(node)
    assert found(plan, "IOMMU-BOOTLOADER").severity == "tells"
    assert "iommu" not in plan.blocked


def test_arguments_that_stand_against_it_are_named_with_their_place() -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-other.cfg", 'GRUB_CMDLINE_LINUX="pci=noari"\n')
    assert "/etc/default/grub.d/50-other.cfg line 1" in found(planned(node), "IOMMU-CONFLICT").seen


def test_a_device_without_sriov_cannot_have_vfs() -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"address": "0000:00:1f.2"}, "count": 4}]})
    assert "0000:00:1f.2" in found(plan, "VFS-NOT-OFFERED").seen


def test_a_card_without_a_driver_is_no_matter_of_its_firmware() -> None:
    node = origin()
    remove(node, f"{CX3}/driver")
    plan = planned(node, vfs={"card": [{"match": {"address": "0000:04:00.0"}, "count": 4}]})
    assert "driver" in found(plan, "VFS-NOT-OFFERED").seen


def test_a_pool_without_devices_blocks() -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"serial": "MT1644X02937"}, "count": 0}]})
    assert "ib" in found(plan, "PASSTHROUGH-EMPTY-POOL").seen


def test_a_node_without_nova_conf() -> None:
    node = origin()
    remove(node, "/etc/nova/nova.conf")
    plan = planned(node)
    assert found(plan, "PASSTHROUGH-NO-NOVA-CONF").severity == "blocks"
    assert found(plan, "GATEWAYS-NO-NOVA-CONF").severity == "warns"
    assert [step.path for step in plan.steps if getattr(step, "path", "") == "/etc/dnsmasq-nova.conf"]


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


def test_a_line_that_dnsmasq_refuses_blocks() -> None:
    node = origin()
    node.write("/etc/dnsmasq-nova.conf", "nonsense here\n")
    plan = planned(node)
    assert found(plan, "GATEWAYS-FILE").severity == "blocks"
    assert "line 1" in found(plan, "GATEWAYS-FILE").seen
    named = {"config_file": "/etc/nova/nova.conf", "network": [{"label": "demo-net", "router": "10.44.1.1"}]}
    assert "gateways" in planned(origin(), gateways=named).blocked


@pytest.mark.parametrize("manage", [_kolla, _juju, _puppet])
def test_the_gateways_write_no_nova_conf_of_somebody_else(manage: Callable[[MemoryNode], None]) -> None:
    node = origin()
    manage(node)
    plan = planned(node, passthrough=None, gateways={"network": [{"label": "demo-net", "router": "10.44.1.1"}]})
    assert "dnsmasq_config_file = /etc/dnsmasq-nova.conf" in found(plan, "GATEWAYS-MANAGED").do
    assert "gateways" in plan.blocked
    mine = planned(node, passthrough={"manager": "none"})
    assert "GATEWAYS-MANAGED" not in codes(mine)


def test_an_owner_that_has_the_option_already_is_no_reason_to_stop() -> None:
    node = origin()
    replace(node, "/etc/nova/nova.conf", "[DEFAULT]\n", "[DEFAULT]\ndnsmasq_config_file = /etc/dnsmasq-nova.conf\n")
    _puppet(node)
    plan = planned(node, passthrough=None)
    assert "GATEWAYS-MANAGED" not in codes(plan)
    assert "/etc/dnsmasq-nova.conf" in [getattr(step, "path", "") for step in plan.steps]


@pytest.mark.parametrize(
    ("router", "severity"),
    [("10.99.1.1", "blocks"), ("10.44.1.0", "blocks"), ("10.44.1.255", "blocks"), ("10.44.1.2", "warns")],
)
def test_a_router_is_held_against_the_network_that_is_served(router: str, severity: str) -> None:
    plan = planned(origin(), gateways={"network": [{"label": "demo-net", "router": router}]})
    assert found(plan, "GATEWAYS-ROUTER").severity == severity
    assert router in found(plan, "GATEWAYS-ROUTER").seen


@pytest.mark.parametrize("more", [{"vlan": 5}, {"cidr": "10.44.0.0/16"}, {"bridge": "br5"}])
def test_an_answer_that_is_about_another_network_is_told(more: dict[str, object]) -> None:
    plan = planned(origin(), gateways={"network": [{"label": "demo-net", "router": "10.44.1.1", **more}]})
    assert str(next(iter(more.values()))) in found(plan, "GATEWAYS-DIFFERS").seen


def test_a_line_that_dnsmasq_takes_for_something_else_is_told() -> None:
    node = origin()
    node.write("/etc/dnsmasq-nova.conf", "dhcp-option=tag:third,option:router,10.44.3.1/24\n")
    assert "line 1" in found(planned(node), "GATEWAYS-FILE").seen


def test_a_file_that_dnsmasq_would_refuse_to_have_edited_blocks() -> None:
    node = origin()
    node.write("/etc/modprobe.d/mlx4_core.conf", "options mlx4_core num_vfs=4\n")
    node.entries["/etc/nova/nova.conf"].content = b"\xff" + node.entries["/etc/nova/nova.conf"].content
    plan = planned(node, passthrough=None, gateways={"network": [{"label": "demo-net", "router": "10.44.1.1"}]})
    assert found(plan, "FILE-NOT-EDITABLE").chapter == "gateways"


def test_the_published_rule_is_found_and_the_accept_target_warned_of() -> None:
    node = origin()
    argv = ("ebtables", "-t", "nat", "-L", "--Lc")
    listing = (
        "Bridge table: nat\n\nBridge chain: PREROUTING, entries: 1, policy: ACCEPT\n"
        "-p IPv4 --ip-dst 169.254.169.254 --ip-proto tcp --ip-dport 80 -j redirect , pcnt = 3 -- bcnt = 180\n"
    )
    node.commands[argv] = Output(argv, 0, listing, "")
    plan = planned(node, metadata={"redirect": True, "target": "accept"})
    assert "169.254.169.254" in found(plan, "METADATA-FOREIGN-RULE").seen
    assert found(plan, "METADATA-ACCEPT").severity == "warns"


def test_without_ebtables_or_bridges_there_is_no_redirect() -> None:
    node = origin()
    for path in [path for path in node.entries if "ebtables" in path.rpartition("/")[2]]:
        remove(node, path)
    assert found(planned(node), "METADATA-NO-EBTABLES").severity == "blocks"
    lone = origin()
    for path in [path for path in lone.entries if "nova-br" in path or path.startswith("/proc/3")]:
        remove(lone, path)
    assert found(planned(lone, gateways=None, metadata={"redirect": True}), "METADATA-NO-BRIDGE").severity == "blocks"


def test_two_ebtables_are_told() -> None:
    node = origin()
    node.write("/usr/sbin/ebtables-nft", "x", mode=0o755)
    node.write("/usr/sbin/ebtables-legacy", "x", mode=0o755)
    assert "nft" in found(planned(node), "METADATA-TWO-EBTABLES").seen


SERIAL = {"serial": "MT1644X02937"}


def test_max_of_a_card_that_offers_none_is_no_number() -> None:
    node = origin()
    for name in ("sriov_totalvfs", "sriov_numvfs"):
        remove(node, f"{CX3}/{name}")
    plan = planned(node, vfs={"card": [{"match": {"vendor": "15b3", "product": "1007"}, "count": "max"}]})
    assert "max" in found(plan, "VFS-FIRMWARE-OFF").seen
    assert "vfs" in plan.blocked


def test_a_card_that_is_named_twice() -> None:
    other = {"match": {"address": "0000:04:00.0"}, "count": 8}
    plan = planned(origin(), vfs={"card": [{"match": SERIAL, "count": 4}, other]})
    assert "count 4" in found(plan, "VFS-TWICE").seen
    assert "count 8" in found(plan, "VFS-TWICE").seen
    same = planned(origin(), vfs={"card": [{"match": SERIAL, "count": 8}, other]})
    assert "VFS-TWICE" not in codes(same)


@pytest.mark.parametrize(
    ("match", "ports"),
    [
        (SERIAL, ["infiniband"]),
        (SERIAL, ["infiniband", "infiniband", "ethernet"]),
        (SERIAL, ["ethernet", "infiniband"]),
        (SERIAL, ["infiniband", "keep"]),
        ({"mac": "0c:c4:7a:5b:10:7f"}, "infiniband"),
    ],
)
def test_ports_that_the_driver_would_take_for_something_else_block(match: dict[str, str], ports: object) -> None:
    plan = planned(origin(), vfs={"card": [{"match": match, "count": 2, "ports": ports}]})
    assert found(plan, "VFS-PORTS").severity == "blocks"


@pytest.mark.parametrize("ports", ["infiniband", "ethernet", "keep", ["infiniband", "ethernet"]])
def test_ports_that_the_driver_knows(ports: object) -> None:
    assert "VFS-PORTS" not in codes(planned(origin(), vfs={"card": [{"match": SERIAL, "count": 2, "ports": ports}]}))


def test_what_a_release_does_not_know_is_left_out_and_told() -> None:
    pool = {"name": "ib", "cards": "all", "numa_policy": "preferred", "trusted": True, "physical_network": "p1"}
    plan = planned(origin(), passthrough={"pool": [pool]})
    finding = found(plan, "PASSTHROUGH-NOT-IN-RELEASE")
    assert "trusted" in finding.seen
    assert "numa_policy = preferred" in finding.seen
    content = next(step.after.content for step in plan.steps if getattr(step, "path", "") == "/etc/nova/nova.conf")
    assert "trusted" not in content
    assert "PASSTHROUGH-NOT-IN-RELEASE" not in codes(planned(today(), passthrough={"pool": [pool]}))


def test_devices_that_nothing_here_has_are_told() -> None:
    pool = {"name": "gpu", "devices": [{"vendor_id": "10de", "product_id": "20b0"}]}
    assert found(planned(origin(), passthrough={"pool": [pool]}), "PASSTHROUGH-EMPTY-POOL").severity == "warns"
    later = {"name": "ib", "devices": [{"vendor_id": "15b3", "product_id": "1004"}]}
    assert "PASSTHROUGH-EMPTY-POOL" not in codes(planned(origin(), passthrough={"pool": [later]}))


def test_a_source_that_update_grub_would_fail_on_blocks() -> None:
    node = origin()
    node.entries["/etc/default/grub"].content += b'GRUB_CMDLINE_LINUX_DEFAULT="x\n'
    plan = planned(node)
    assert found(plan, "IOMMU-LINE-UNKNOWN").severity == "blocks"
    assert "iommu" in plan.blocked
    pipe = origin()
    pipe.entries["/etc/default/grub"].kind = "other"
    assert found(planned(pipe), "IOMMU-LINE-UNKNOWN").severity == "blocks"


def test_what_is_no_file_is_not_a_matter_of_rights() -> None:
    node = origin()
    node.entries["/etc/nova/nova.conf"].kind = "other"
    finding = found(planned(node), "FILE-HIDDEN")
    assert "a FIFO, a socket or a device" in finding.seen
    assert "root" not in finding.do


@pytest.mark.parametrize("name", ["x; rm -rf /", "-rf", "$(reboot)", "a b", ""])
def test_a_host_name_that_is_none_is_not_put_into_commands_to_be_pasted(name: str) -> None:
    node = origin()
    for place in ("/proc/sys/kernel/hostname", "/etc/hostname"):
        node.write(place, f"{name}\n")
    words = " ".join(step.value for step in planned(node).controller if step.op == "run")
    assert words.count("THIS-HOST") == 3  # disable, test VM, enable


def test_guests_count_where_a_reboot_is_needed_whatever_chapter_needs_it() -> None:
    node = origin()
    node.write("/proc/4711/cmdline", "/usr/bin/qemu-system-x86_64\0-name\0instance-0000002a\0")
    node.write("/proc/4711/stat", "4711 (qemu-system-x86) S 1 " + "0 " * 17 + "12345 " + "0 " * 20 + "\n")
    only = planned(node, vfs=None, passthrough=None, gateways=None, metadata=None)
    assert found(only, "GUESTS-RUNNING").chapter == "iommu"
    assert "GUESTS-RUNNING" not in codes(planned(node, iommu=None, vfs=None, passthrough=None))


def test_every_code_has_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    pages = {path.stem for path in (REPOSITORY / "docs/findings").glob("*.md")} - {"README"}
    assert [code for code in pages if code not in tests] == []
