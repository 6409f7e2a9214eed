"""Options that somebody gave mlx5_core as if it were mlx4_core: the driver has none of them, and makes no VFs of them."""

from __future__ import annotations

from wizard.chapters.shared import mlx4_sources
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.facts.facts import Facts
from wizard.formats import modprobe
from wizard.model.findings import Finding

MODULE = "mlx5_core"
PARAMETERS = f"/sys/module/{MODULE}/parameters"
_OF_MLX4 = ("num_vfs", "probe_vf", "port_type_array")


def of_mlx5(facts: Facts) -> list[Finding]:
    """Only debug_mask and prof_sel are the driver's own (drivers/net/ethernet/mellanox/mlx5/core/main.c); what a loaded driver of
    another make shows among its parameters is left alone."""
    if not any(function.family == "mlx5" and not function.is_vf for function in facts.pci.functions):
        return []
    known = facts.files.names(PARAMETERS)
    found = []
    for path, content in mlx4_sources.files(facts):
        given = modprobe.effective([(path, content)]).get(MODULE, {})
        vain = {name: value for name, value in given.items() if name in _OF_MLX4 and name not in known}
        if vain:
            words = " ".join(f"{name}={value}" for name, value in vain.items())
            found.append(_ignored(path, words))
    return found


def _ignored(path: str, words: str) -> Finding:
    return finding(
        "VFS-OPTION-IGNORED",
        "tells",
        f"{path}: options {MODULE} {words}",
        f"These are options of {mlx4_sources.MODULE}. {MODULE} has none of that name: the kernel ignores it, and no VFs come of it.",
        "Take it out of that file. The VFs of ConnectX-4 and newer are set by sysfs: answer a count for the card.",
    )
