"""The built-in nodes, each in a throw-away copy that obeys."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from wizard.asset_text import asset_text
from wizard.errors import InputError
from wizard.node.recorded import MemoryNode
from wizard.simulator import described
from wizard.simulator.boot import update_initramfs
from wizard.simulator.simulated_node import SimulatedNode


def names() -> list[str]:
    """The built-in nodes."""
    return sorted(item.name.removesuffix(".toml") for item in (resources.files("assets") / "nodes").iterdir())


def built_in(name: str) -> MemoryNode:
    """A built-in node as it was recorded. Raises InputError for a name that there is not."""
    if name not in names():
        raise InputError(f"there is no built-in node {name!r}", do=f"There are: {', '.join(names())}.")
    text = asset_text(f"nodes/{name}.toml")
    return described.from_text(text, name)


def simulate(node: MemoryNode, directory: Path) -> SimulatedNode:
    """Write a node out as a directory that obeys."""
    described.materialise(node, directory)
    simulated = SimulatedNode(directory, f"SIMULATION: {node.title}")
    update_initramfs(simulated)
    return simulated


@contextmanager
def demo_node(name: str) -> Iterator[SimulatedNode]:
    """A built-in node in a directory of its own that is gone afterwards."""
    node = built_in(name)
    directory = Path(tempfile.mkdtemp(prefix="compute-wizard-demo-"))
    try:
        yield simulate(node, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
