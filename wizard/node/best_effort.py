"""Reading that takes no for an answer: what is not there, or may not be seen, is simply missing from the result."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.errors import NodeError
from wizard.node.node import Node, Output


def names(node: Node, path: str) -> list[str]:
    """The sorted names in a directory; empty where there is none, or it may not be listed."""
    try:
        return node.names(path)
    except NodeError:
        return []


def is_directory(node: Node, path: str) -> bool:
    """Whether there is a directory at the path, behind links or not."""
    try:
        status = node.status(path)
    except NodeError:
        return False
    return status is not None and status.kind == "directory"


def resolved(node: Node, path: str) -> str:
    """The path with its links resolved inside the node, or empty where it leads nowhere."""
    try:
        return node.resolve(path)
    except NodeError:
        return ""


def ask(node: Node, argv: Sequence[str], *, timeout: float = 15.0) -> Output | None:
    """What a command that changes nothing says; None where it is not there, may not be run, or does not answer in time.

    `timeout` in seconds.
    """
    try:
        return node.run(argv, timeout=timeout)
    except NodeError:
        return None


def loaded_modules(node: Node) -> frozenset[str] | None:
    """Names of the loaded kernel modules, or None where the kernel has no modules or does not say."""
    text = node.text("/proc/modules")
    return None if text is None else frozenset(line.split()[0] for line in text.splitlines() if line.split())
