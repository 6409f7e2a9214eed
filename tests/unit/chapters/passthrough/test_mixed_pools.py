"""A pool that holds several kinds of devices: what its alias comes to, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import codes, found, planned, today

BOTH = {
    "card": [
        {"match": {"vendor": "15b3", "product": "1017"}, "count": 4},
        {"match": {"vendor": "8086", "product": "159b"}, "count": 4},
    ]
}
IDS = [{"vendor_id": "15b3", "product_id": "1018"}, {"vendor_id": "8086", "product_id": "1889"}]


def pools(*given: dict[str, Any], release: str = "auto") -> dict[str, Any]:
    return {"release": release, "pool": list(given)}


@pytest.mark.parametrize(
    ("pool", "release", "severity"),
    [
        ({"name": "any", "cards": "all"}, "auto", "warns"),
        ({"name": "any", "cards": "all"}, "mitaka", "warns"),
        ({"name": "any", "cards": "all"}, "liberty", "blocks"),
        ({"name": "any", "devices": IDS}, "auto", "blocks"),
    ],
)
def test_kinds_are_named_and_a_pool_for_each_is_advised(pool: dict[str, Any], release: str, severity: str) -> None:
    plan = planned(today(), vfs=BOTH, passthrough=pools(pool, release=release))
    finding = found(plan, "PASSTHROUGH-MIXED-POOL")
    assert finding.severity == severity
    assert "15b3:1018, 8086:1889" in finding.seen
    assert "any1:1,any2:1" in finding.do
    assert ("passthrough" in plan.blocked) == (severity == "blocks")


@pytest.mark.parametrize(
    "pool",
    [
        {"name": "one", "cards": {"vendor": "15b3", "product": "1017"}},
        {"name": "ports", "cards": "all", "physical_network": "physnet1"},  # Neutron's ports have no alias
        {"name": "one", "devices": [IDS[0], {**IDS[0], "address": "0000:3b:00.2"}]},
    ],
)
def test_one_kind_or_no_alias_is_no_mixture(pool: dict[str, Any]) -> None:
    assert "PASSTHROUGH-MIXED-POOL" not in codes(planned(today(), vfs=BOTH, passthrough=pools(pool)))
