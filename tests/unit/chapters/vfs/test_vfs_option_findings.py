"""Options of mlx4_core that somebody gave mlx5_core."""

from __future__ import annotations

import pytest
from nodes import codes, found, origin, planned, today

OPTIONS = "/etc/modprobe.d/mellanox.conf"
PARAMETERS = "/sys/module/mlx5_core/parameters"


@pytest.mark.parametrize("loaded", [True, False])
def test_an_option_that_mlx5_core_does_not_have_is_told(loaded: bool) -> None:
    node = today()
    node.write(OPTIONS, "options mlx5-core num_vfs=8 prof_sel=2\n")
    if loaded:
        node.write(f"{PARAMETERS}/prof_sel", "2\n")
    plan = planned(node)
    finding = found(plan, "VFS-OPTION-IGNORED")
    assert (finding.severity, finding.seen) == ("tells", f"{OPTIONS}: options mlx5_core num_vfs=8")
    assert plan.blocked == ()


@pytest.mark.parametrize(
    "text", ["options mlx5_core prof_sel=2\n", "# options mlx5_core num_vfs=8\n", "options mlx4_core num_vfs=8\n"]
)
def test_what_it_has_and_what_is_for_another_is_not(text: str) -> None:
    node = today()
    node.write(OPTIONS, text)
    assert "VFS-OPTION-IGNORED" not in codes(planned(node))


def test_a_driver_that_shows_the_parameter_has_it() -> None:
    node = today()
    node.write(OPTIONS, "options mlx5_core num_vfs=8\n")
    node.write(f"{PARAMETERS}/num_vfs", "8\n")
    assert "VFS-OPTION-IGNORED" not in codes(planned(node))


def test_a_node_without_such_a_card_is_left_alone() -> None:
    node = origin()
    node.write(OPTIONS, "options mlx5_core num_vfs=8\n")
    assert "VFS-OPTION-IGNORED" not in codes(planned(node))
