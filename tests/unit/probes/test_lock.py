"""One proof at a time, and a lock that cannot be left behind."""

from __future__ import annotations

import secrets

import pytest

from wizard.errors import NodeError
from wizard.probes import lock


def test_a_second_one_is_refused_and_the_next_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        lock, "_NAME", f"\0compute-wizard/{secrets.token_hex(8)}"
    )  # other tests may give proofs meanwhile
    for _ in range(2):
        with lock.only_one(), pytest.raises(NodeError, match="under way"), lock.only_one():
            pass
