"""The command line as it is called, on a built-in node that is a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.cli import main as cli
from wizard.simulator import described
from wizard.simulator.built_in import built_in


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit code, and what was said on stdout and stderr."""
    code = cli.main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def written(place: Path, name: str = "origin") -> Path:
    """A built-in node in a directory that is made for it."""
    place.mkdir(parents=True)
    described.materialise(built_in(name), place)
    return place
