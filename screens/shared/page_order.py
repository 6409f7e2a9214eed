"""The pages by their names, in their order; and what stands above all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import overload

from wizard.chapters.registry import chapter, entries
from wizard.safe_text import safe_text

BEFORE = {"welcome": "Welcome", "devices": "Devices"}
BEHIND = {"preview": "Preview", "apply": "Apply", "verify": "Verify"}
BESIDE = {"prove": "Proofs", "history": "History", "undo": "Take back"}
"""Pages that have no place in the order: other pages lead there."""
KEYS = "0123456789ABCDEF"
"""The key of each page in its order, where keys are pressed and not typed."""


class _Names(Sequence[str]):
    """Names that follow from the registry of chapters, as it is when they are asked for."""

    def __init__(self, before: Iterable[str] = (), behind: Iterable[str] = ()) -> None:
        self._before, self._behind = tuple(before), tuple(behind)

    def _all(self) -> tuple[str, ...]:
        return (*self._before, *(entry.name for entry in entries()), *self._behind)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())


class _Titles(Mapping[str, str]):
    """The title of each page, with those that have no place in the order."""

    def _all(self) -> dict[str, str]:
        return BEFORE | {entry.name: entry.title for entry in entries()} | BEHIND | BESIDE

    def __getitem__(self, page: str) -> str:
        return self._all()[page]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


CHAPTERS: Sequence[str] = _Names()
PAGES: Sequence[str] = _Names(BEFORE, BEHIND)
TITLES: Mapping[str, str] = _Titles()


def page_key(page: str) -> str:
    """The key that leads to a page in the order; blank for one that is beyond all keys."""
    number = PAGES.index(page)
    return KEYS[number] if number < len(KEYS) else " "


def numbered(page: str) -> str:
    """A page as it is spoken of where it may be gone to: '7 Preview'."""
    return f"{PAGES.index(page)} {TITLES[page]}"


def help_text(page: str) -> str:
    """What a page is for: its own text, or of a chapter without one what it says of itself."""
    place = resources.files("assets") / "help" / f"{page}.md"
    if page in CHAPTERS and not place.is_file():
        return chapter(page).WHY
    return place.read_text(encoding="utf-8")


def heading(app: object, text: str) -> str:
    """The status line of a screen outside the list of pages: a simulation says so there, too."""
    simulated = getattr(app, "simulation", False)
    return safe_text(f"{'SIMULATION' if simulated else 'compute-wizard'} | {text}")


def short(run: str) -> str:
    """A run by its number: what the command line takes, too."""
    return run.partition("-")[0]


def to_do(runs: Sequence[str]) -> str:
    """What these runs were to do, as the beginning of a sentence."""
    many = len(runs) != 1
    return f"What run{'s' * many} {', '.join(short(run) for run in runs)} {'were' if many else 'was'} to do"
