"""Aliases: lines of the same name that nova takes or refuses, and devices that an alias cannot tell apart."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import codes, found, origin, planned, today

from wizard.node.recorded import MemoryNode

CONF = "/etc/nova/nova.conf"
PORTS = [{"address": "0000:3b:00.0"}, {"address": "0000:3b:00.1"}]
TYPED = '{"name": "mlx", "vendor_id": "15b3", "product_id": "1018", "device_type": "type-VF"}'


def holding(*lines: str, section: str = "pci") -> MemoryNode:
    node = today()
    node.entries[CONF].content += "\n".join(["", f"[{section}]", *lines, ""]).encode()
    return node


def pools(*given: dict[str, Any], release: str = "auto") -> dict[str, Any]:
    return {"release": release, "pool": list(given)}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"name": "mlx", "vendor_id": "15b3", "product_id": "1018"}', "Without a device_type"),
        ('{"name":" mlx ","vendor_id":"15b3","product_id":"1018","device_type":"type-PF"}', "type-PF there"),
        (TYPED[:-1] + ', "numa_policy": "required"}', "NUMA policy required there, legacy here"),
    ],
)
def test_a_line_of_the_same_name_that_nova_refuses_beside_ours_blocks(line: str, why: str) -> None:
    plan = planned(holding(f"alias = {line}"))
    finding = found(plan, "PASSTHROUGH-ALIAS")
    assert finding.severity == "blocks"
    assert CONF in finding.seen and "line" in finding.seen and line in finding.seen
    assert why in finding.why
    assert "does not start" in finding.why
    assert "passthrough" in plan.blocked


def test_the_older_name_of_the_option_counts_too_and_so_does_another_file() -> None:
    old = planned(holding('pci_alias = {"name": "mlx", "vendor_id": "15b3", "product_id": "1018"}', section="DEFAULT"))
    assert found(old, "PASSTHROUGH-ALIAS").severity == "blocks"
    node = today()
    node.write("/etc/nova/nova-compute.conf", '[pci]\nalias = {"name": "mlx"}\n')
    assert "/etc/nova/nova-compute.conf line 2" in found(planned(node), "PASSTHROUGH-ALIAS").seen


def test_a_line_that_nova_joins_to_ours_is_warned_of() -> None:
    for line in (TYPED.replace(" ", ""), TYPED.replace("1018", "1016")):
        finding = found(planned(holding(f"alias = {line}")), "PASSTHROUGH-ALIAS")
        assert finding.severity == "warns"
        assert "pci_in_placement" in finding.why


def test_what_nova_cannot_read_spoils_the_rest() -> None:
    """From 31.3.1 on nova-compute does not start with it, and the plan would restart it."""
    assert found(planned(holding("alias = {'name': 'x'}")), "PASSTHROUGH-ALIAS").severity == "blocks"


@pytest.mark.parametrize("line", [TYPED, '{"name": "MLX", "vendor_id": "15b3", "product_id": "1018"}'])
def test_our_own_line_and_another_name_are_no_harm(line: str) -> None:
    assert "PASSTHROUGH-ALIAS" not in codes(planned(holding(f"alias = {line}")))


def test_kilo_reads_aliases_on_the_controller_alone() -> None:
    node = origin()
    node.entries[
        CONF
    ].content += b'\n[DEFAULT]\npci_alias = {"name": "ib", "vendor_id": "15b3", "product_id": "1003"}\n'
    finding = found(planned(node), "PASSTHROUGH-ALIAS")
    assert finding.severity == "warns"
    assert "controller" in finding.why


def test_two_pools_on_two_ports_with_the_same_ids_are_not_apart() -> None:
    two = [{"name": name, "cards": card} for name, card in zip(("storage", "tenant"), PORTS, strict=True)]
    plan = planned(today(), passthrough=pools(*two))
    finding = found(plan, "PASSTHROUGH-NOT-APART")
    assert finding.severity == "blocks"
    assert "storage and tenant are both 15b3:1018" in finding.seen
    assert "resource_class" in finding.do
    assert "passthrough" in plan.blocked
    assert "resource_class" not in found(planned(today(), passthrough=pools(*two, release="zed")), finding.code).do


def test_devices_at_two_addresses_are_not_apart_either() -> None:
    ids = {"vendor_id": "15b3", "product_id": "1018"}
    two = [{"name": f"p{n}", "devices": [{**ids, "address": f"0000:3b:00.{n}"}]} for n in (2, 3)]
    assert found(planned(today(), passthrough=pools(*two)), "PASSTHROUGH-NOT-APART").severity == "blocks"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"cards": "all"}, {"cards": "all", "numa_policy": "preferred"}),  # two names for the same devices
        ({"cards": "all"}, {"devices": [{"vendor_id": "15b3", "product_id": "1018"}]}),
        (
            {"cards": PORTS[0], "physical_network": "storage"},
            {"cards": PORTS[1], "physical_network": "tenant"},
        ),  # Neutron's
        ({"cards": PORTS[0]}, {"devices": [{"vendor_id": "10de", "product_id": "20b0"}]}),
    ],
)
def test_pools_that_are_apart_or_the_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    plan = planned(today(), passthrough=pools({"name": "one", **first}, {"name": "two", **second}))
    assert "PASSTHROUGH-NOT-APART" not in codes(plan)


def test_an_alias_takes_the_devices_of_a_physical_network() -> None:
    asked = pools(
        {"name": "storage", "cards": PORTS[0]},
        {"name": "tenant", "cards": PORTS[1], "physical_network": "physnet1"},
    )
    finding = found(planned(today(), passthrough=asked), "PASSTHROUGH-NOT-APART")
    assert finding.severity == "blocks"
    assert "takes devices of physnet1 too" in finding.why
    counted = found(planned(holding("report_in_placement = true"), passthrough=asked), "PASSTHROUGH-NOT-APART")
    assert counted.severity == "warns"
    assert "pci_in_placement" in counted.do
    asked["pool"][0]["cards"] = "all"  # the same VFs under both: nova gives them the tags of whichever it reads first
    both = planned(holding("report_in_placement = true"), passthrough=asked)
    assert found(both, "PASSTHROUGH-NOT-APART").severity == "blocks"


def test_ports_and_aliases_that_are_in_nova_conf_already_are_warned_of() -> None:
    there = 'device_spec = {"vendor_id": "15b3", "address": "0000:3b:00.1", "physical_network": "physnet1"}'
    mlx = pools({"name": "mlx", "cards": "all"})  # never suggested over Neutron's devices
    finding = found(planned(holding(there), passthrough=mlx), "PASSTHROUGH-NOT-APART")
    assert finding.severity == "warns"
    assert "physnet1" in finding.seen
    node = holding('alias = {"name": "old", "vendor_id": "15B3", "product_id": "1018", "device_type": "type-VF"}')
    ports = pools({"name": "tenant", "cards": "all", "physical_network": "physnet1"})
    assert '"old"' in found(planned(node, passthrough=ports), "PASSTHROUGH-NOT-APART").seen
    assert "PASSTHROUGH-NOT-APART" not in codes(planned(node))


def test_what_a_line_hands_out_elsewhere_is_taken_too() -> None:
    one = pools({"name": "storage", "cards": PORTS[0]})
    for there in ('"address": "0000:3b:00.1"', '"vendor_id": "15b3", "product_id": "1018"'):
        finding = found(planned(holding(f"device_spec = {{{there}}}"), passthrough=one), "PASSTHROUGH-NOT-APART")
        assert finding.severity == "warns"
        assert "VFs of 0000:3b:00.1 too" in finding.why
    same = '{"address": "0000:3b:00.0", "product_id": "1018"}'
    assert "PASSTHROUGH-NOT-APART" not in codes(planned(holding(f"device_spec = {same}"), passthrough=one))
    other = '{"vendor_id": "8086", "product_id": "1889"}'
    assert "PASSTHROUGH-NOT-APART" not in codes(planned(holding(f"device_spec = {other}"), passthrough=one))
