"""Texts that are installed onto nodes."""

from __future__ import annotations

from importlib import resources


def asset(name: str) -> str:
    """A text that is installed onto nodes."""
    return (resources.files("assets") / "node" / name).read_text(encoding="utf-8")


REPLACING = "# --- replacing files\n"
"""The line of a shell script in whose place the shared way to replace a file is put."""

GUESTS = "# --- guests that run\n"
"""The line in whose place the shared way to list guests is put, in scripts that ask for them."""


def with_fragments(script: str) -> str:
    """A shell script of ours with the shared pieces in it. One that has no place where files are replaced is a defect."""
    assert REPLACING in script, "the script does not say where files are replaced"
    for mark, name in ((REPLACING, "replace.sh"), (GUESTS, "guests.sh")):
        before, there, after = script.partition(mark)
        if there:
            script = before + (resources.files("assets") / "shell" / name).read_text(encoding="utf-8") + after
    return script
