"""Whole cards beside or instead of their VFs, and InfiniBand: what nova makes of them, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import answered, codes, found, origin, planned, remove, today

from wizard.chapters.passthrough import pools as passthrough_pools
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.node.recorded import MemoryNode

CONF = "/etc/nova/nova.conf"
PF = {"vendor_id": "15b3", "product_id": "1017"}


def holding(*lines: str) -> MemoryNode:
    node = today()
    node.entries[CONF].content += "\n".join(["", "[pci]", *lines, ""]).encode()
    return node


def aliases(node: MemoryNode, release: str, pool: dict[str, Any]) -> list[str]:
    seen = facts.read(node)
    answers = answered(seen, passthrough={"pool": [pool]})
    mine = answers.of(passthrough_pools.Answers)
    assert mine is not None
    return passthrough_pools.alias(seen, answers, mine.pool[0], release)


@pytest.mark.parametrize("device", [PF, {**PF, "address": "0000:3b:00.1"}])
def test_an_alias_for_a_whole_card_asks_for_it(device: dict[str, str]) -> None:
    pool = {"name": "port", "devices": [device]}
    assert aliases(today(), "2026.1", pool) == [
        '{"name": "port", "vendor_id": "15b3", "product_id": "1017", "device_type": "type-PF"}'
    ]
    assert "device_type" not in aliases(today(), "liberty", pool)[0]
    finding = found(planned(today(), passthrough={"pool": [pool]}), "PASSTHROUGH-WHOLE-CARD")
    assert finding.severity == "warns"
    assert "0000:3b:00.1 ConnectX-5" in finding.seen
    assert ("0000:3b:00.0" in finding.seen) == ("address" not in device)
    assert "15b3:1018" in finding.do


def test_a_card_and_its_vfs_in_one_pool_are_refused() -> None:
    pool = {"name": "any", "devices": [PF, {**PF, "product_id": "1018"}]}
    assert found(planned(today(), passthrough={"pool": [pool]}), "PASSTHROUGH-MIXED-POOL").severity == "blocks"


def test_kilo_leaves_out_a_card_that_has_vfs() -> None:
    pool = {"name": "ib", "devices": [{"vendor_id": "15b3", "product_id": "1007"}]}
    finding = found(planned(origin(), passthrough={"pool": [pool]}), "PASSTHROUGH-WHOLE-CARD")
    assert "finds no host" in finding.why


@pytest.mark.parametrize(
    "device",
    [
        {**PF, "product_id": "1018"},  # its VFs
        {"vendor_id": "8086", "product_id": "347a"},  # no SR-IOV: type-PCI, which needs no word
    ],
)
def test_what_is_no_card_with_vfs_is_asked_for_as_before(device: dict[str, str]) -> None:
    pool = {"name": "dev", "devices": [device]}
    assert "device_type" not in aliases(today(), "2026.1", pool)[0]
    assert "PASSTHROUGH-WHOLE-CARD" not in codes(planned(today(), passthrough={"pool": [pool]}))


def test_where_vfs_have_the_id_of_their_card_and_are_asked_for_they_are_meant() -> None:
    pool = {"name": "nvme", "devices": [{"vendor_id": "144d", "product_id": "a824"}]}
    assert "type-PF" in aliases(today(), "2026.1", pool)[0]
    seen = facts.read(today())
    card = {"match": {"address": "0000:4b:00.0"}, "count": 4}
    answers = answered(seen, vfs={"card": [card]}, passthrough={"pool": [pool]})
    mine = answers.of(passthrough_pools.Answers)
    assert mine is not None
    assert "device_type" not in passthrough_pools.alias(seen, answers, mine.pool[0], "2026.1")[0]


@pytest.mark.parametrize("value", ['{"vendor_id": "15b3"}', '{"vendor_id": "15b3", "product_id": "1017"}'])
def test_a_line_of_nova_conf_that_matches_whole_cards_is_told_of(value: str) -> None:
    finding = found(planned(holding(f"device_spec = {value}")), "PASSTHROUGH-WHOLE-CARD")
    assert finding.severity == "tells"
    assert f"{CONF} line" in finding.seen and "0000:3b:00.0" in finding.seen


@pytest.mark.parametrize(
    "value",
    [
        '{"vendor_id": "15b3", "product_id": "1018", "address": "0000:3b:00.0"}',
        '{"address": "0000:3b:00.0", "physical_network": "physnet1"}',  # Neutron's way to name the VFs of a card
    ],
)
def test_lines_that_are_about_vfs_are_not(value: str) -> None:
    node = holding(f"device_spec = {value}", "report_in_placement = True")
    assert "PASSTHROUGH-WHOLE-CARD" not in codes(planned(node))


def blocked(plan: Plan) -> bool:
    return found(plan, "PASSTHROUGH-WHOLE-CARD").severity == "blocks" and "passthrough" in plan.blocked


def test_placement_takes_a_card_or_its_vfs() -> None:
    wide = holding('device_spec = {"vendor_id": "15b3"}', "report_in_placement = True")
    assert blocked(planned(wide))
    assert "report_in_placement is on" in found(planned(wide), "PASSTHROUGH-WHOLE-CARD").why
    card = holding('device_spec = {"vendor_id": "15b3", "product_id": "1017"}', "report_in_placement = True")
    assert blocked(planned(card))  # the card there, its VFs here
    pool = [{"name": "mlx", "cards": "all"}, {"name": "port", "devices": [PF]}]
    asked = planned(holding("report_in_placement = True"), passthrough={"pool": pool})
    assert {f.severity for f in asked.findings if f.code == "PASSTHROUGH-WHOLE-CARD"} == {"warns", "blocks"}
    off = holding('device_spec = {"vendor_id": "15b3"}', "report_in_placement = False")
    assert not blocked(planned(off))


def infiniband_without_its_module() -> MemoryNode:
    """ConnectX-5 on InfiniBand where mlx5_ib is not loaded: no infiniband directory, and no interface."""
    node = today()
    for address in ("0000:3b:00.0", "0000:3b:00.1"):
        place = node.resolve(f"/sys/bus/pci/devices/{address}")
        node.write(f"{place}/class", "0x020700\n")
        remove(node, f"{place}/infiniband")
        remove(node, f"{place}/net")
    return node


def test_class_0207_is_infiniband_also_where_mlx5_ib_is_not_loaded() -> None:
    node = infiniband_without_its_module()
    card = next(f for f in facts.read(node).pci.functions if f.address == "0000:3b:00.0")
    assert card.link_layers == () and card.is_infiniband
    plan = planned(node)
    assert "mlx5_ib" in found(plan, "VFS-IB-GUID").do
    assert any('"name": "ib"' in step.value for step in plan.controller)


def test_what_the_ports_say_comes_before_the_class() -> None:
    node = today()
    node.write(f"{node.resolve('/sys/bus/pci/devices/0000:3b:00.0')}/class", "0x020700\n")
    card = next(f for f in facts.read(node).pci.functions if f.address == "0000:3b:00.0")
    assert card.link_layers == ("Ethernet",) and not card.is_infiniband


def test_neutron_ports_on_infiniband_need_another_driver() -> None:
    pool = {"name": "ib", "cards": "all", "physical_network": "ibnet"}
    plan = planned(infiniband_without_its_module(), passthrough={"pool": [pool]})
    assert found(plan, "PASSTHROUGH-IB-PORTS").severity == "warns"
    why = next(step.why for step in plan.controller if "port create" in step.value)
    assert "mlnx_infiniband" in why
    ethernet = planned(today(), passthrough={"pool": [pool]})
    assert "PASSTHROUGH-IB-PORTS" not in codes(ethernet)
    assert any("sriovnicswitch, and the SR-IOV agent" in step.why for step in ethernet.controller)
