"""Texts that are installed onto nodes."""

from __future__ import annotations

from importlib import resources


def asset(name: str) -> str:
    """A text that is installed onto nodes."""
    return (resources.files("assets") / "node" / name).read_text(encoding="utf-8")


REPLACING = "# --- replacing files\n"
"""The line of a shell script in whose place the shared way to replace a file is put."""


def with_fragments(script: str) -> str:
    """A shell script of ours with the shared way to replace a file in it. One that has no place for it is a defect."""
    before, mark, after = script.partition(REPLACING)
    assert mark, "the script does not say where files are replaced"
    return before + (resources.files("assets") / "shell" / "replace.sh").read_text(encoding="utf-8") + after
