"""The version of this tool, as its package says."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """Looked up when it is asked for: that takes as long as a third of the command line's start."""
    from importlib import metadata

    try:
        return metadata.version("compute-wizard")
    except metadata.PackageNotFoundError:  # run from a tree that was never installed
        return "0"
