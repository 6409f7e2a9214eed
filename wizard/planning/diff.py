"""Diffs for people: what a file was, what it becomes. Files that may hold secrets are compared masked."""

from __future__ import annotations

import difflib
from functools import lru_cache

from wizard.facts.neutron.catalog import OPTIONS
from wizard.facts.nova.nova import SHOWN_OPTIONS
from wizard.formats.oslo_masking import masked
from wizard.redaction import redacted


@lru_cache(maxsize=64)
def unified(path: str, before: bytes | None, after: bytes | None, secret: bool = False) -> str:
    """A unified diff with three lines of context. None means that there is no file. In a file that may hold secrets only
    the values of options that this tool knows are shown, in any other nothing that looks like one."""
    old, new = _lines(before, secret), _lines(after, secret)
    text = difflib.unified_diff(
        old,
        new,
        "/dev/null" if before is None else f"a{path}",
        "/dev/null" if after is None else f"b{path}",
        lineterm="",
    )
    return "".join(f"{line}\n" for line in text)


def _lines(content: bytes | None, secret: bool) -> list[str]:
    if content is None:
        return []
    if secret:
        content = masked(content, SHOWN_OPTIONS | OPTIONS)
    text = content.decode("utf-8", "backslashreplace")
    lines = [redacted(line.replace("\r", "\\r")) for line in text.split("\n")]
    if lines[-1]:
        return [*lines[:-1], f"{lines[-1]}  (no end of line)"]
    return lines[:-1]
