"""The chapters in their order: everything that lists them follows from here.

An entry says what is known of a chapter without loading it, so that the first screen need not wait for the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wizard.dataclass import dataclass

if TYPE_CHECKING:
    from wizard.chapters.base import Chapter


@dataclass(frozen=True, slots=True)
class Entry:
    """One chapter: its name in answers files, its title in lists of pages, and what loads it."""

    name: str
    title: str
    load: Callable[[], Chapter]


def _iommu() -> Chapter:
    from wizard.chapters.iommu import chapter

    return chapter


def _vfs() -> Chapter:
    from wizard.chapters.vfs import chapter

    return chapter


def _passthrough() -> Chapter:
    from wizard.chapters.passthrough import chapter

    return chapter


def _gateways() -> Chapter:
    from wizard.chapters.gateways import chapter

    return chapter


def _metadata() -> Chapter:
    from wizard.chapters.metadata import chapter

    return chapter


_ENTRIES = [
    Entry("iommu", "IOMMU", _iommu),
    Entry("vfs", "VFs", _vfs),
    Entry("passthrough", "Passthrough", _passthrough),
    Entry("gateways", "Gateways", _gateways),
    Entry("metadata", "Metadata", _metadata),
]


def entries() -> tuple[Entry, ...]:
    """All chapters, in the order in which they are walked through."""
    return tuple(_ENTRIES)


@contextmanager
def registered(entry: Entry) -> Iterator[None]:
    """One more chapter, the last one, as long as this is entered. Raises ValueError where its name is taken."""
    if any(entry.name == each.name for each in _ENTRIES):
        raise ValueError(f"there is a chapter {entry.name} already")
    _ENTRIES.append(entry)
    try:
        yield
    finally:
        _ENTRIES.remove(entry)


def chapters() -> tuple[Chapter, ...]:
    """All chapters, loaded, in their order."""
    return tuple(entry.load() for entry in _ENTRIES)


def chapter(name: str) -> Chapter:
    return next(entry.load() for entry in _ENTRIES if name == entry.name)
