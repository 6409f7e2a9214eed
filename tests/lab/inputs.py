"""What a scenario's verdict depends on, so that one whose inputs did not change need not be played again."""

from __future__ import annotations

import hashlib
import inspect
import json
import subprocess
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lab import host
from lab.scenarios.scenario import Scenario
from lab.stage import VERDICT

TOOL = ("wizard", "screens", "assets", "pyproject.toml")
HELD = "held"


def of(scenario: type[Scenario]) -> str:
    """The hash of all that a scenario is played with: the tool, the lab, and of the scenarios its own file and those that it
    builds on. Documents and other tests are none of it."""
    own = {Path(inspect.getfile(base)) for base in scenario.__mro__ if base is not object}
    lab = {path for path in _files(host.HERE) if "scenarios" not in path.relative_to(host.HERE).parts}
    tool = {path for name in TOOL for path in _files(host.ROOT / name)}
    total = hashlib.sha256()
    for path in sorted(own | lab | tool):
        total.update(f"{path.relative_to(host.ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(place: Path) -> Iterable[Path]:
    if place.is_file():
        return [place]
    return (path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def kept(scenario: type[Scenario]) -> dict[str, Any] | None:
    """The verdict of an earlier play with the same inputs, if it held."""
    try:
        verdict = json.loads((host.RESULTS / scenario.NAME / VERDICT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return verdict if verdict.get("verdict") == HELD and verdict.get("inputs") == of(scenario) else None


def origin(scenario: type[Scenario]) -> dict[str, str]:
    """What is written beside a verdict: the inputs, the commit ("+" where the tree differs from it) and the date."""
    return {"inputs": of(scenario), "commit": _commit(), "date": f"{datetime.now(timezone.utc):%Y-%m-%d}"}


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=host.ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "--short", "HEAD")
    changed = git("status", "--porcelain", "--", *TOOL, "tests/lab") if commit else ""
    return f"{commit or 'no commit'}{'+' if changed else ''}"
