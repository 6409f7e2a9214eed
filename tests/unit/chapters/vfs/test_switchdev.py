"""A card in switchdev mode is recognised, explained, never suggested and left alone."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import codes, found, origin, planned, today

from wizard.chapters.shared import cards
from wizard.chapters.vfs import chapter as vfs
from wizard.facts import facts
from wizard.model.steps import WriteSysfs
from wizard.node.recorded import MemoryNode

CARD = "0000:3b:00.0"
PLACE = f"/sys/devices/pci0000:30/0000:30:02.0/{CARD}"


def switched(vfs_there: int | None = None) -> MemoryNode:
    node = today()
    function = next(each for each in facts.read(node).pci.functions if each.address == CARD)
    name = function.netdevs[0].name
    node.write(f"{PLACE}/net/{name}/phys_switch_id", "e41d2dffff000001\n")
    if vfs_there is not None:
        node.write(f"{PLACE}/sriov_numvfs", f"{vfs_there}\n")
    return node


def card(count: int) -> dict[str, Any]:
    return {"card": [{"match": {"address": CARD}, "count": count}]}


def test_it_is_told_where_nobody_asks_for_it() -> None:
    node = switched()
    seen = facts.read(node)
    suggested = vfs.suggest(seen)
    assert suggested is not None
    meant = [f.address for each in suggested.card for f in cards.select(each.match, seen.pci)]
    assert "0000:3b:00.1" in meant  # the other port of the same card, named by itself
    assert CARD not in meant
    for answers in ({}, {"vfs": None}):
        finding = found(planned(node, passthrough=None, **answers), "VFS-SWITCHDEV")
        assert finding.severity == "tells"
        assert CARD in finding.seen
        assert "representor" in finding.why


@pytest.mark.parametrize("count", [0, 4, 8, 16])
@pytest.mark.parametrize("there", [0, 8])
def test_another_number_of_vfs_blocks_and_the_same_is_warned_of(there: int, count: int) -> None:
    plan = planned(switched(there), vfs=card(count), passthrough=None)
    finding = found(plan, "VFS-SWITCHDEV")
    assert finding.severity == ("warns" if count == there else "blocks")
    assert ("vfs" in plan.blocked) is (count != there)
    assert f"with {there} VFs" in finding.seen
    assert not any(isinstance(step, WriteSysfs) and CARD in step.path for step in plan.steps)


@pytest.mark.parametrize("node", [origin, today])
def test_cards_in_legacy_mode_are_no_matter(node: Any) -> None:
    assert "VFS-SWITCHDEV" not in codes(planned(node()))
    assert "VFS-SWITCHDEV" not in codes(planned(node(), vfs=card(4), passthrough=None))
