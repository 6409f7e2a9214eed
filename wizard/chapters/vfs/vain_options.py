"""Options that somebody gave a driver such as mlx5_core as if it were mlx4_core: it has none of them, and makes no VFs of them."""

from __future__ import annotations

from wizard.chapters.shared import mlx4_sources
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.facts.facts import Facts
from wizard.formats import modprobe
from wizard.model.findings import Finding

_OF_MLX4 = ("num_vfs", "probe_vf", "port_type_array")


def of_other_drivers(facts: Facts) -> list[Finding]:
    """For the driver of each family here whose VFs are made by sysfs.

    Of mlx5_core only debug_mask and prof_sel are the driver's own (drivers/net/ethernet/mellanox/mlx5/core/main.c); what a loaded
    driver of another make shows among its parameters is left alone."""
    families = (function.card_family for function in facts.pci.functions if not function.is_vf)
    modules = sorted({family.driver for family in families if family.driver and not family.option_module})
    return [finding for module in modules for finding in _of_driver(facts, module)]


def _of_driver(facts: Facts, module: str) -> list[Finding]:
    known = facts.files.names(f"/sys/module/{module}/parameters")
    found = []
    for path, content in mlx4_sources.files(facts):
        given = modprobe.effective([(path, content)]).get(module, {})
        vain = {name: value for name, value in given.items() if name in _OF_MLX4 and name not in known}
        if vain:
            words = " ".join(f"{name}={value}" for name, value in vain.items())
            found.append(_ignored(path, module, words))
    return found


def _ignored(path: str, module: str, words: str) -> Finding:
    return finding(
        "VFS-OPTION-IGNORED",
        "tells",
        f"{path}: options {module} {words}",
        f"These are options of {mlx4_sources.MODULE}. {module} has none of that name: the kernel ignores it, and no VFs come of it.",
        "Take it out of that file. The VFs of ConnectX-4 and newer are set by sysfs: answer a count for the card.",
    )
