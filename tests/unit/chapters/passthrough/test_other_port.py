"""Both ports of a ConnectX-3 are one function: what VFs its other port will have is judged, planned ones too, not only those there."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import origin, planned

CARD = "0000:04:00.0"
RUNNING, FILE = "/sys/module/mlx4_core/parameters/num_vfs", "/etc/modprobe.d/mlx4_core.conf"
MINE, OTHERS = "4,0,0", "4,4,0"


@pytest.mark.parametrize(
    ("running", "file", "count", "blocks"),
    [
        (OTHERS, None, None, True),  # an initramfs may hold it
        (OTHERS, OTHERS, None, True),
        (OTHERS, OTHERS, 8, True),  # says what is asked for, and stays as it is written
        (OTHERS, MINE, None, False),  # the running one goes with the reboot
        (OTHERS, MINE, 4, False),
        (OTHERS, OTHERS, 4, False),  # 4 on both ports is what it becomes
        (OTHERS, None, 8, False),
        (OTHERS, None, 0, False),
        (MINE, OTHERS, None, True),  # planned for the reboot
        (MINE, OTHERS, 8, True),
        ("0", OTHERS, 8, True),
        ("", OTHERS, 8, True),
        ("0", f"{CARD}-4;4;0", 8, True),
        ("0", f"{CARD}-8;0;0,0000:05:00.0-4;4;0", 8, False),
        ("0", "0,0,8", 8, False),
        ("0", None, 8, False),
        ("8", None, None, False),
    ],
)
def test_the_vfs_of_the_other_port_are_those_that_will_be(
    running: str, file: str | None, count: int | None, blocks: bool
) -> None:
    node = origin()
    node.write(RUNNING, f"{running}\n")
    if file is not None:
        node.write(FILE, f"options mlx4_core num_vfs={file} probe_vf=0\n")
    pool = {"name": "tenant", "cards": {"netdev": "ib0"}, "physical_network": "physnet1"}
    card: dict[str, Any] = {"match": {"address": CARD}, "count": count}
    plan = planned(node, vfs=None if count is None else {"card": [card]}, passthrough={"pool": [pool]})
    told = [each for each in plan.findings if each.code == "PASSTHROUGH-NOT-APART" and "on the other port" in each.seen]
    assert bool(told) is blocks, [each.seen for each in plan.findings]
    assert all(each.severity == "blocks" and (file or running) in each.seen for each in told)
