"""What a command loads is its start: modules are counted, and clocks are not asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wizard.simulator import described
from wizard.simulator.built_in import built_in

PROGRAM = """
import contextlib, io, json, sys
import screens.start
sys.argv[0] = "compute-wizard"
with contextlib.redirect_stdout(io.StringIO()):
    screens.start.main()
print(json.dumps(sorted(sys.modules)))
"""
OURS, ALL = 275, 520  # modules that `plan` loads of ours, and in all
# What `plan` has no need of: it applies nothing, proves nothing, reads no tar.
NEEDLESS = (
    *("wizard.apply", "wizard.probes", "wizard.export", "wizard.simulator", "wizard.cli.apply", "wizard.cli.history"),
    *("tarfile", "subprocess", "textual", "rich", "asyncio"),
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    directory: Path = tmp_path_factory.mktemp("node")
    described.materialise(built_in("demo"), directory)
    words = [sys.executable, "-I", "-c", PROGRAM, "--root", str(directory), "plan"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stdout)
    return modules


def test_plan_loads_what_it_needs(loaded: list[str]) -> None:
    assert len([name for name in loaded if name.startswith(("wizard", "screens", "assets"))]) <= OURS
    assert len(loaded) <= ALL


def test_plan_loads_nothing_of_what_it_does_not_do(loaded: list[str]) -> None:
    assert [
        name for name in loaded if name.startswith(tuple(f"{each}." for each in NEEDLESS)) or name in NEEDLESS
    ] == []
