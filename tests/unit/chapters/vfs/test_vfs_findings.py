"""Findings about virtual functions: each is seen where it is so, and only there."""

from __future__ import annotations

import pytest
from nodes import CX3, codes, found, origin, planned, remove, second_card, today

from wizard.node.recorded import MemoryNode


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


def test_two_mlx4_cards_that_disagree_block_and_name_each_other() -> None:
    node = origin()
    second_card(node)
    cards = [{"match": {"address": f"0000:0{bus}:00.0"}, "count": count} for bus, count in ((4, 16), (5, 8))]
    finding = found(planned(node, vfs={"card": cards}), "VFS-MLX4-DISAGREE")
    assert finding.severity == "blocks"
    assert "0000:04:00.0" in finding.seen
    assert "0000:05:00.0" in finding.seen


def test_an_mlx4_card_that_is_not_answered_gets_vfs_too() -> None:
    node = origin()
    second_card(node)
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


def test_a_device_without_sriov_cannot_have_vfs() -> None:
    plan = planned(origin(), vfs={"card": [{"match": {"address": "0000:00:1f.2"}, "count": 4}]})
    assert "0000:00:1f.2" in found(plan, "VFS-NOT-OFFERED").seen


def test_a_card_without_a_driver_is_no_matter_of_its_firmware() -> None:
    node = origin()
    remove(node, f"{CX3}/driver")
    plan = planned(node, vfs={"card": [{"match": {"address": "0000:04:00.0"}, "count": 4}]})
    assert "driver" in found(plan, "VFS-NOT-OFFERED").seen


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


def test_ports_without_vfs_are_told_to_stay() -> None:
    plan = planned(origin(), vfs={"card": [{"match": SERIAL, "count": 0, "ports": "ethernet"}]}, passthrough=None)
    assert found(plan, "VFS-PORTS").severity == "tells"
    assert plan.blocked == ()
    assert "/etc/modprobe.d/mlx4_core.conf" not in [getattr(step, "path", "") for step in plan.steps]
