"""Merging line by line: what one side changed since a common base, put onto what another side changed. Pure.

Used to take a run back out of a file that was changed after it: the base is the file as the run left it, one side the file
now, the other the file before the run.
"""

from __future__ import annotations

import difflib
import itertools

from wizard.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines `start` up to `end` (not included, from 0) of the base become `lines`."""

    start: int
    end: int
    lines: tuple[bytes, ...]


def merged(base: bytes, mine: bytes, theirs: bytes) -> bytes | None:
    """`mine` with the changes that lead from `base` to `theirs`; None where they meet changes of `mine`.

    Nothing changed on one side gives the other side, byte for byte. Changes that touch without an order between them, and
    a line that would continue another one than it does now (or none any more), are conflicts, too.
    """
    old = base.splitlines(keepends=True)
    changes = sorted({*_changes(old, mine), *_changes(old, theirs)}, key=lambda each: (each.start, each.end))
    if any(_meet(first, second) for first, second in itertools.pairwise(changes)):
        return None
    result: list[bytes] = []
    at = 0
    for change in changes:
        result += [*old[at : change.start], *change.lines]
        at = change.end
    result += old[at:]
    if any(not line.endswith((b"\n", b"\r")) for line in result[:-1]):
        return None  # a last line without its end, and more lines behind it
    one, other = (_continued(content.splitlines(keepends=True)) for content in (mine, theirs))
    new = (one | other) - _continued(old)
    return b"".join(result) if new <= _continued(result) <= one | other else None


def _changes(old: list[bytes], content: bytes) -> list[_Change]:
    new = content.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [_Change(a, b, tuple(new[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def _meet(first: _Change, second: _Change) -> bool:
    """Whether two changes, the second not before the first, are about the same lines or have no order."""
    if first.start == second.start and first.start in (first.end, second.end):
        return True
    return second.start < first.end


def _continued(lines: list[bytes]) -> set[tuple[bytes, bytes]]:
    """Pairs of lines of which one goes on in the other: an indented line, or one behind a backslash."""
    pairs = itertools.pairwise(lines)
    return {(one, two) for one, two in pairs if two[:1] in (b" ", b"\t") or one.rstrip(b"\r\n").endswith(b"\\")}
