"""Commented alternatives of a suggested file are keys that mean something beside the others of their table."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import origin

from wizard.answers.alternatives import commented
from wizard.facts import facts

POOL = {"name": "p", "cards": "all"}


@pytest.mark.parametrize(
    ("row", "offered", "left_out"),
    [
        (POOL, {"managed", "live_migratable", "numa_policy"}, {"trusted"}),
        (POOL | {"physical_network": "physnet1"}, {"trusted", "numa_policy"}, {"managed", "live_migratable"}),
    ],
)
def test_pools_of_ports_and_of_an_alias_have_keys_of_their_own(
    row: dict[str, Any], offered: set[str], left_out: set[str]
) -> None:
    keys = {line.partition(" = ")[0] for line in commented(facts.read(origin()))("passthrough.pool", row)}
    assert offered <= keys
    assert not left_out & keys
