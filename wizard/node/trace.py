"""What a node is asked with, for whoever wants to watch."""

from __future__ import annotations

from collections.abc import Callable

listener: Callable[[str], None] | None = None
"""Told of each command that was run to look; set by `--verbose` alone."""


def note(text: str) -> None:
    """Tell the listener, where there is one."""
    if listener is not None:
        listener(text)
