"""Texts that are installed onto nodes."""

from __future__ import annotations

from importlib import resources


def asset(name: str) -> str:
    """A text that is installed onto nodes."""
    return (resources.files("assets") / "node" / name).read_text(encoding="utf-8")
