"""What all tests share: nothing of the surroundings leaks in, and no skip goes unseen."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

from wizard import locations

settings.register_profile("no clock", deadline=None)  # a slow machine is not a failure
settings.register_profile("quick", deadline=None, max_examples=10)  # for the inner loop
settings.load_profile("quick" if os.environ.get("COMPUTE_WIZARD_QUICK") else "no clock")

# Read when Textual is imported: with animations a page down takes half a second.
os.environ["TEXTUAL_ANIMATIONS"] = "none"
for name in ("COLORTERM", "NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "COLUMNS", "LINES"):
    os.environ.pop(name, None)

# An ordinary user of Debian has no sbin in his PATH: what is installed there is not missing.
os.environ["PATH"] = ":".join(dict.fromkeys([*os.environ.get("PATH", os.defpath).split(":"), "/usr/sbin", "/sbin"]))

HERE = Path(__file__).parent
STRICT = bool(os.environ.get("COMPUTE_WIZARD_STRICT_SKIPS"))


def _allowed() -> set[str]:
    lines = (HERE / "allowed_skips.txt").read_text(encoding="utf-8").splitlines()
    return {line.partition(":")[0] for line in lines if line and not line.startswith("#")}


def _reason(report: pytest.TestReport) -> str:
    """Why a test was skipped."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was left out, by what it would have needed; nothing where nothing was."""
    skipped = [report for report in terminalreporter.getreports("skipped") if not hasattr(report, "wasxfail")]
    counted = Counter(_reason(report).partition(":")[0] for report in skipped)
    if counted:
        needed = ", ".join(f"{number} for {word}" for word, number in counted.most_common())
        terminalreporter.write_line(
            f"left out: {sum(counted.values())} tests ({needed}); tests/allowed_skips.txt, -rs for each"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip for a reason that nobody allowed is a failure where it counts."""
    report = yield
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        if reason.partition(":")[0].split(" ")[0] not in _allowed():
            report.outcome = "failed"
            report.longrepr = f"skipped for a reason that tests/allowed_skips.txt does not name: {reason}"
    return report


PLACES = ("site_state_dir", "user_state_dir", "site_log_dir", "user_log_dir")


def _of_this_machine() -> set[tuple[str, int]]:
    """Files that the tool itself keeps on this machine, with their times: no test has a hand in them."""
    places = [*(Path(getattr(locations.DIRECTORIES, name)) for name in PLACES), locations.preferences()]
    files = {path for place in places if place.is_dir() for path in place.rglob("*") if os.access(path, os.R_OK)}
    return {(str(path), path.lstat().st_mtime_ns) for path in files if not path.is_dir()}


@pytest.fixture(scope="session", autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Drafts and reports of what is tested in this process go into a directory of the tests; programs that it starts have to be told."""
    base = tmp_path_factory.mktemp("own")
    before = _of_this_machine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locations, "DIRECTORIES", SimpleNamespace(**{name: str(base / name) for name in PLACES}))
        yield
    written = sorted(path for path, _ in _of_this_machine() - before)
    assert not written, f"a test wrote where the tool itself keeps its files: {written}"
