"""Which line nova takes: what is concluded from it, in findings, suggestions, verify and what is shown."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import answered, codes, found, planned, today

from wizard.answers import suggestion
from wizard.chapters.passthrough import chapter, shown
from wizard.chapters.passthrough.matching import aliases, specs
from wizard.chapters.passthrough.matching.devices import Device, Host
from wizard.chapters.passthrough.matching.rules import Rules
from wizard.errors import FormatError
from wizard.facts import facts
from wizard.node.recorded import MemoryNode

CONF, COMPUTE = "/etc/nova/nova.conf", "/etc/nova/nova-compute.conf"
IDS = '"vendor_id": "15b3", "product_id": "1018"'
PORTS = {"pool": [{"name": "tenant", "cards": "all", "physical_network": "physnet1"}]}
ALIAS = {"pool": [{"name": "mlx", "cards": "all", "flavor": {"name": "m1.mlx"}}]}


def holding(*lines: str, path: str = CONF) -> MemoryNode:
    node = today()
    old = node.entries[path].content if path in node.entries else b""
    node.write(path, old + ("\n".join(["", "[pci]", *lines, ""])).encode())
    return node


@pytest.mark.parametrize(
    "line",
    [
        f"device_spec = {{{IDS}}}",
        "device_spec = {}",
        'device_spec = {"address": "*:3b:*"}',
        'passthrough_whitelist = {"vendor_id": "15b3"}',
        f'device_spec = [{{"vendor_id": "10de"}}, {{{IDS}, "physical_network": "physnet2"}}]',
    ],
)
def test_a_line_above_ours_keeps_ports_from_their_devices(line: str) -> None:
    finding = found(planned(holding(line), passthrough=PORTS), "PASSTHROUGH-SHADOWED")
    assert CONF in finding.seen and "first line that matches a device" in finding.why
    assert finding.severity == (
        "warns" if "*" in line else "blocks"
    )  # VFs that are not there yet may be on another bus


def test_what_ours_are_shadowed_by_is_no_longer_held() -> None:
    node = holding(f"device_spec = {{{IDS}}}")
    ours = f'device_spec = {{{IDS}, "address": "0000:3b:00.%d", "physical_network": "physnet1"}}'
    node.write(CONF, node.entries[CONF].content + "\n".join([ours % 0, ours % 1, ""]).encode())
    seen = facts.read(node)
    (check,) = chapter.checks(seen, answered(seen, passthrough=PORTS))
    assert check.state == "failed"
    assert "line" in check.seen and IDS in check.seen


def test_ours_before_neutron_s_takes_its_devices() -> None:
    node = holding(f'device_spec = {{{IDS}, "physical_network": "physnet1"}}', path=COMPUTE)
    finding = found(planned(node, passthrough=ALIAS), "PASSTHROUGH-NOT-APART")
    assert finding.severity == "blocks"
    assert COMPUTE in finding.seen and "physnet1" in finding.seen


@pytest.mark.parametrize(
    "line",
    [
        'device_spec = {"devname": "enp59s0f0np0", "physical_network": "physnet1"}',
        f'device_spec = {{{IDS}, "physical_network": null}}',
        'device_spec = {"address": "0000:3b:00.0", "physical_network": "physnet1"}',
    ],
)
def test_an_alias_over_neutron_s_devices_is_told_and_never_suggested(line: str) -> None:
    node = holding(line)
    finding = found(planned(node, passthrough=ALIAS), "PASSTHROUGH-NOT-APART")
    assert "Neutron" in finding.why
    pools = suggestion.suggest(facts.read(node)).to_data().get("passthrough", {}).get("pool", [])
    assert [pool.get("physical_network") for pool in pools] == (["physnet1"] if "physnet1" in line else [])


def test_a_tag_in_place_of_the_device_s_own_type() -> None:
    plan = planned(holding(f'device_spec = {{{IDS}, "dev_type": "type-PCI"}}'), passthrough=ALIAS)
    assert "type-VF" in found(plan, "PASSTHROUGH-SHADOWED").why
    assert "nothing else is handed out" in found(plan, "PASSTHROUGH-UNKNOWN-KEY").why


def test_two_pools_over_one_card_are_not_apart() -> None:
    two = [PORTS["pool"][0], {"name": "b", "cards": {"address": "0000:3b:00.1"}, "physical_network": "physnet2"}]
    finding = found(planned(today(), passthrough={"pool": two}), "PASSTHROUGH-NOT-APART")
    assert finding.severity == "blocks"
    assert "0000:3b:00.1" in finding.seen and "tenant and b" in finding.seen


@pytest.mark.parametrize(
    ("release", "value", "reason"),
    [
        ("kilo", '{"vendor_id": "0x15b3"}', "hex"),
        ("newton", '{"product_id": " 1004"}', "hex"),
        ("newton", '{"address": {"bus": "0a"}}', "Ocata"),
        ("mitaka", '{"devname": "nosuch"}', "interface"),
        ("kilo", '{"address": "0000:03:00.8"}', "greater"),
        ("2025.1", '{"managed": "maybe"}', "managed"),
        ("2025.2", '{"one_time_use": true}', "report_in_placement"),
        ("2026.2", '{"address": "0000:c1:0*.*"}', "slot"),
        ("2026.2", '{"vendor_id": 5555}', "string"),
        ("2026.2", '{"devname": "a", "address": "0000:c1:00.0"}', "not both"),
    ],
)
def test_what_a_release_does_not_take(release: str, value: str, reason: str) -> None:
    """Read, not run, for releases before 2023.1: nova/pci/devspec.py of kilo-eol (lines 31-60), 13.1.4, 14.1.0 and 15.1.5."""
    with pytest.raises(FormatError, match=reason):
        specs.parse(value, Rules(release), Host(()))


@pytest.mark.parametrize(
    ("release", "value"),
    [
        ("ocata", '{"vendor_id": "0x15b3", "product_id": " 1004"}'),
        ("newton", '{"devname": "nosuch"}'),
        ("2024.2", '{"managed": "maybe", "one_time_use": true}'),
    ],
)
def test_what_a_release_takes(release: str, value: str) -> None:
    assert specs.parse(value, Rules(release), Host(()))


@pytest.mark.parametrize(("release", "card"), [("kilo", False), ("mitaka", False), ("newton", True), ("2026.2", True)])
def test_the_address_of_a_whole_card(release: str, card: bool) -> None:
    """13.1.4:nova/pci/devspec.py:108-114 returns False for the PF itself; 14.1.0 goes on to its own address. Read, not run."""
    pf = Device("0000:3b:00.0", "15b3", "1017", "type-PF", is_card=True)
    vf = Device("0000:3b:00.2", "15b3", "1018", "type-VF", pf.address)
    host = Host((pf, vf))
    (spec,) = specs.parse('{"address": "0000:3b:00.0"}', Rules(release), host)
    assert (spec.matches(pf, host), spec.matches(vf, host)) == (card, True)


@pytest.mark.parametrize(
    ("release", "value"),
    [
        ("2026.2", '{"name": "a", "vendor_id": "10de"}'),
        ("2026.2", '{"name": "a", "vendor_id": "10de", "product_id": "20b5", "dev_type": "type-PCI"}'),
        ("kilo", '{"name": "a", "device_type": "type-VF"}'),
        ("pike", '{"name": "a", "numa_policy": "required"}'),
        ("victoria", '{"name": "a", "numa_policy": "socket"}'),
        ("zed", '{"name": "a", "resource_class": "X"}'),
    ],
)
def test_an_alias_that_a_release_does_not_take(release: str, value: str) -> None:
    rules = Rules(release)
    try:
        assert aliases.lacks_ids(aliases.parse(value, rules), rules)
    except FormatError as error:
        assert error.what


@pytest.mark.parametrize("option", ["device_spec", "alias"])
def test_a_plan_never_restarts_nova_compute_onto_a_line_at_which_it_dies(option: str) -> None:
    line = '{"name": "g", "vendor_id": "0x10de"}' if option == "alias" else '{"address": "0000:c1:00.2-5"}'
    code = "PASSTHROUGH-ALIAS" if option == "alias" else "PASSTHROUGH-BAD-SPEC"
    plan = planned(holding(f"{option} = {line}"), passthrough=ALIAS)
    assert found(plan, code).severity == "blocks"
    assert not [step for step in plan.steps if "nova-compute" in str(getattr(step, "argv", ""))]


def _pool(**more: Any) -> dict[str, Any]:
    return {"pool": [{"name": "tenant", "cards": "all", "physical_network": "physnet1", **more}]}


def test_a_pool_of_ports_says_what_it_cannot_have_and_asks_ports_for_the_rest() -> None:
    plan = planned(today(), passthrough=_pool(numa_policy="required", trusted=True, flavor={"name": "f"}))
    finding = found(plan, "PASSTHROUGH-NOT-OF-PORTS")
    assert "--numa-policy-required" in finding.do and "hw:pci_numa_affinity_policy" in finding.do
    (port,) = [step.value for step in plan.controller if "port create" in step.value]
    assert "--binding-profile trusted=true" in port and "--numa-policy-required" in port


def test_named_devices_keep_their_network_and_trust() -> None:
    devices = [{"vendor_id": "15b3", "product_id": "1018"}]
    plan = planned(today(), passthrough=_pool(cards=None, devices=devices, trusted=True))
    (written,) = [step for step in plan.steps if getattr(step, "path", "") == CONF]
    assert b'"physical_network": "physnet1", "trusted": "true"' in written.after.data()  # type: ignore[union-attr]


def test_a_stock_node_is_told_for_certain_and_the_same_is_shown() -> None:
    seen = facts.read(today())
    told = shown.lines(seen, suggestion.suggest(seen))
    assert not [line for line in told if "cannot be told" in line]
    assert any("alias mlx" in line for line in told)
    assert "PASSTHROUGH-SHADOWED" not in codes(planned(today()))


def test_trust_is_for_ports_alone() -> None:
    trusted = {"pool": [{"name": "mlx", "cards": "all", "trusted": True}]}
    assert found(planned(today(), passthrough=trusted), "PASSTHROUGH-NOT-OF-ALIASES").severity == "warns"


def test_vfs_that_the_host_keeps_are_in_what_is_handed_out() -> None:
    vfs = {"card": [{"match": {"address": "0000:3b:00.0"}, "count": 8, "host_vfs": 2}]}
    finding = found(planned(today(), vfs=vfs, passthrough=ALIAS), "PASSTHROUGH-HOST-VFS")
    assert "all 8 VFs of 0000:3b:00.0, and 2 of them" in finding.seen


@pytest.mark.parametrize(("mode", "told"), [(0o600, True), (0o400, True), (0o640, False), (0o644, False)])
def test_a_file_that_only_root_may_read_is_not_nova_s(mode: int, told: bool) -> None:
    node = today()
    entry = node.entries[CONF]
    entry.mode, entry.owner = mode, "root:root"
    assert ("PASSTHROUGH-UNREADABLE" in codes(planned(node, passthrough=ALIAS))) == told
