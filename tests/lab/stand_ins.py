"""Kernel modules that stand in for Mellanox's drivers, built for a guest's kernel. They exist below tests/lab only."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import host

SOURCE = host.HERE / "stand_ins" / "mellanox_stand_in.c"
DRIVERS = {"mlx4_core": "STAND_IN_MLX4", "mlx5_core": "STAND_IN_MLX5"}


def place(suite: str) -> Path:
    """Where the modules of a suite are, or will be: in a directory KERNEL/ below it."""
    return host.cache() / f"stand-ins-{suite}-{host.key(suite, SOURCE, Path(__file__))}"


def get(suite: str) -> Path:
    """The directory with the modules, built if it is not there yet."""
    directory = place(suite)
    if directory.exists():
        return directory
    with host.scratch("stand-ins") as work:
        root = work / "root"
        host.bootstrap(suite, root, ("linux-headers-amd64", "gcc", "make"), "apt")
        kernel = max((root / "lib" / "modules").iterdir(), key=lambda path: path.stat().st_mtime).name
        made = work / "made" / kernel
        made.mkdir(parents=True)
        for driver, switch in DRIVERS.items():
            tree = root / "root" / driver
            tree.mkdir(parents=True)
            shutil.copy(SOURCE, tree / f"{driver}.c")
            (tree / "Makefile").write_text(f"obj-m := {driver}.o\nccflags-y := -D{switch}\n", encoding="utf-8")
            build = ["make", "-s", "-C", f"/lib/modules/{kernel}/build", f"M=/root/{driver}", "modules"]
            host.run(["chroot", root, *build])
            host.run(["chroot", root, "strip", "-g", f"/root/{driver}/{driver}.ko"])
            shutil.copy(tree / f"{driver}.ko", made)
        made.parent.rename(directory)
    return directory
