"""The id by which a plan knows its machine."""

from __future__ import annotations

import pytest
from nodes import today

from wizard.facts.system import machine_id

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "known"), [(f"{ID}\n", ID), ("uninitialized\n", ""), ("", ""), (f"\x1b[31m{ID}\n", ""), (f"{ID}0\n", "")]
)
def test_only_a_whole_id_tells_machines_apart(text: str, known: str) -> None:
    node = today()
    node.entries["/etc/machine-id"].content = text.encode()
    assert machine_id(node) == known
