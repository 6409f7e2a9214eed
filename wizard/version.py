"""The version of this tool, as its package says, and the commit that it was made from, where that is known."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from pathlib import Path

from wizard.regex import regex

BUILT_FROM = "assets/commit"
"""Where packaging/dist.py writes the commit, below the directory of the packages."""
PUBLIC_ADDRESS = ""
"""Where this tool is published, without a slash at its end. Empty: nowhere yet, and metadata, help and README name no place."""
_COMMIT = regex(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_VERSION = regex(r"^Version: *(\S+)", re.MULTILINE)
_SHOWN = 12  # digits: enough to name one commit of any repository


@cache
def version() -> str:
    """Looked up when it is asked for: that takes as long as a third of the command line's start."""
    from importlib import metadata

    try:
        found_as = metadata.distribution("compute-wizard")
    except metadata.PackageNotFoundError:  # run from a tree that was never installed
        return "0"
    said = (
        found_as.read_text("METADATA") or found_as.read_text("PKG-INFO") or ""
    )  # the second is of a checkout's egg-info
    found = _VERSION.search(said)  # metadata.version() would parse it as a message, with all of its description
    return found[1] if found else "0"


def origin(home: Path = Path(__file__).parents[1]) -> str:
    """Which commit the packages in the directory `home` are from, in a few words; empty where that cannot be determined.

    A checkout may have been edited since, so it is called one.
    """
    built = _line(home / BUILT_FROM)
    if _COMMIT.fullmatch(built):
        return f"commit {built[:_SHOWN]}"
    checked_out = _head(home / ".git") if (home / "pyproject.toml").is_file() else ""
    return f"a checkout, at commit {checked_out[:_SHOWN]}" if _COMMIT.fullmatch(checked_out) else ""


def _head(git: Path) -> str:
    """What HEAD is, by git's own files (gitrepository-layout(5)); no program is asked, since git may not be there."""
    if git.is_file():  # a work tree of its own, or a submodule
        git = git.parent / _line(git).removeprefix("gitdir: ")
    head = _line(git / "HEAD")
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    shared = git / (_line(git / "commondir") or ".")
    packed = re.compile(rf"^([0-9a-f]+) {re.escape(name)}$", re.MULTILINE)
    for place in (git, shared):
        loose = _line(place / name)
        if loose:
            return loose
    found = packed.search(_text(shared / "packed-refs"))
    return found[1] if found else ""


def _line(path: Path) -> str:
    return _text(path).partition("\n")[0].strip()


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return ""
