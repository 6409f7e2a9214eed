"""The corpus of real files, where it is: not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DIRECTORY = Path(os.environ.get("COMPUTE_WIZARD_CORPUS", Path(__file__).parents[2].parent / "shared/corpus"))


def files(kind: str) -> list[Path]:
    """The files of a kind; none where the corpus is not there."""
    place = DIRECTORY / kind
    return sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else []


def need() -> None:
    """Skip, loudly, where there is no corpus."""
    if not DIRECTORY.is_dir():
        pytest.skip("corpus: the directory of real files is not here (COMPUTE_WIZARD_CORPUS)")
