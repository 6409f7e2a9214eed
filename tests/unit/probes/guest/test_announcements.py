"""What is said before a proof is given: what happens to the VF, and what an earlier proof left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nodes import answered, today

from wizard.facts import facts
from wizard.node.recorded import MemoryNode
from wizard.probes.guest import probe as guest
from wizard.probes.guest.idle_vfs import Choice


class Node(MemoryNode):
    """Today's node, as if it were live and had been asked for nothing before."""

    left = False

    def exists(self, path: str) -> bool:
        return self.left if path.endswith("lent.json") else super().exists(path)

    def command(self, *names: str) -> str | None:
        return f"/usr/bin/{names[0]}"


@pytest.mark.parametrize(
    ("driver", "left", "words"),
    [
        (None, False, ["nobody afterwards"]),
        ("mlx5_core", False, ["mlx5_core gives it to vfio-pci and gets it back"]),
        ("vfio-pci", False, ["waits in vfio-pci already"]),
        (None, True, ["did not give back: that comes first", "nobody afterwards"]),
    ],
)
def test_what_becomes_of_the_vf(
    driver: str | None, left: bool, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node: Any = today()
    seen = facts.read(node)
    node.__class__, node.left = Node, left
    pf = next(each for each in seen.pci.functions if each.address == "0000:3b:00.0")
    vf = replace(pf, address="0000:3b:00.4", driver=driver, model="ConnectX-5 VF")
    monkeypatch.setattr(guest, "why_not", lambda node, facts: "")
    monkeypatch.setattr(guest, "_choice", lambda *_: Choice(vf, ""))
    lines = guest.announce(node, seen, answered(seen))
    assert all(any(word in line for line in lines) for word in words)
    assert ("that comes first" in lines[0]) is left
