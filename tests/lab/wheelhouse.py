"""The tool as it is carried to a node without a network: a directory of wheels for that node's Python."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path

from lab import host
from wizard import toml

PYTHONS = {"trixie": "3.13", "bookworm": "3.11"}
PLATFORMS = ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_28_x86_64")


@cache
def get(suite: str) -> Path:
    """The directory with the project's wheel, made anew, and those of what it needs, kept between runs."""
    version = PYTHONS[suite]
    needed = toml.loads((host.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    directory = host.cache() / f"wheels-{suite}-{host.key(*needed)}"
    if not directory.exists():
        with host.scratch("wheels") as place:
            only = [word for name in PLATFORMS for word in ("--platform", name)]
            target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}", *only]
            host.fetch([sys.executable, "-m", "pip", "download", "--quiet", *target, "-d", place / "wheels", *needed])
            (place / "wheels").rename(directory)
    made = host.RESULTS / "wheelhouse" / suite
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(directory, made)
    shutil.rmtree(
        host.ROOT / "build" / "lib", ignore_errors=True
    )  # setuptools would take what is no longer in the sources from there
    host.fetch([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", made, host.ROOT])
    return made
