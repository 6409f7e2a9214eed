"""verify for a monitoring system: a plugin's line and codes, metrics, and units that have it look once an hour."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from calling import call, written
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.model.findings import Check
from wizard.report import monitoring

ANSWERS = 'format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n'
# https://prometheus.io/docs/instrumenting/exposition_formats/
SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? [0-9]+')


def check(state: str, what: str = "w", seen: str = "s") -> Check:
    return Check("vfs", what, state, seen)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "states, code, word",
    [
        ([], 0, "OK"),
        (["held"], 0, "OK"),
        (["held", "pending"], 1, "WARNING"),
        (["held", "unknown"], 3, "UNKNOWN"),
        (["pending", "unknown"], 1, "WARNING"),
        (["held", "pending", "failed", "unknown"], 2, "CRITICAL"),
    ],
)
def test_a_plugins_word_is_the_worst(states: list[str], code: int, word: str) -> None:
    checks = [check(state) for state in states]
    assert monitoring.status(checks) == code
    first = monitoring.nagios(checks).splitlines()[0]
    assert re.fullmatch(rf"COMPUTE-WIZARD {word} - [^|]+ \| held=\d+ failed=\d+ pending=\d+ unknown=\d+", first)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
CHECKS = st.lists(st.builds(check, st.sampled_from(monitoring.STATES), TEXTS, TEXTS), max_size=6)


@settings(max_examples=100, deadline=None)
@given(CHECKS)
def test_no_text_of_a_node_breaks_the_forms(checks: list[Check]) -> None:
    told = monitoring.nagios(checks)
    assert told.count("|") == 1 and "|" in told.splitlines()[0]
    assert len(told.split("\n")) == 2 + sum(each.state != "held" for each in checks)
    lines = monitoring.prometheus(checks, 1.5e9).split("\n")
    assert lines.pop() == ""
    samples = [line for line in lines if not line.startswith("# ")]
    assert all(SAMPLE.fullmatch(line) for line in samples), lines
    series = [line.rpartition(" ")[0] for line in samples]
    assert len(series) == len(set(series))  # a series that is there twice spoils the whole file


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(written(tmp_path / "origin"))
    code, out, err = call(capsys, "verify", "--format", "nagios", "--root", root)
    assert (code, err) == (2, "") and out.startswith("COMPUTE-WIZARD CRITICAL - ")
    code, out, err = call(capsys, "verify", "--format", "prometheus", "--root", root)
    assert (code, err) == (0, "") and "compute_wizard_verify_status 2\n" in out
    metrics = tmp_path / "compute-wizard.prom"
    assert call(capsys, "verify", "--format", "prometheus", "--out", str(metrics), "--root", root) == (0, "", "")
    assert metrics.stat().st_mode & 0o777 == 0o644
    assert metrics.read_text("utf-8").splitlines()[:-1] == out.splitlines()[:-1]  # but for the time
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compute-wizard.prom", "origin"]


def test_a_plugin_that_cannot_look_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "verify", "--format", "nagios", "--root", str(tmp_path / "gone"))
    assert (code, err) == (3, "") and out.startswith("COMPUTE-WIZARD UNKNOWN - ")
    code, out, err = call(capsys, "verify", "--format", "prometheus", "--root", str(tmp_path / "gone"))
    assert (code, out) == (1, "") and "does not exist" in err


def test_json_is_a_format_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(written(tmp_path / "origin"))
    assert call(capsys, "verify", "--format", "json", "--root", root) == call(
        capsys, "verify", "--json", "--root", root
    )
    assert call(capsys, "verify", "--format", "nagios", "--json", "--root", root)[0] == 64


def test_the_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "export", "timer", "--out", str(tmp_path))
    assert code == 0 and "systemctl enable --now compute-wizard-drift.timer" in out
    units = sorted(tmp_path.iterdir())
    assert [unit.name for unit in units] == ["compute-wizard-drift.service", "compute-wizard-drift.timer"]
    assert all(unit.stat().st_mode & 0o777 == 0o644 and "@" not in unit.read_text("utf-8") for unit in units)
    printed = call(capsys, "export", "timer", "--out", "-")[1]
    assert all(unit.read_text("utf-8") in printed for unit in units)
    if shutil.which("systemd-analyze"):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        told = [line for line in done.stderr.splitlines() if "compute-wizard-drift" in line]
        assert [line for line in told if "is not executable" not in line] == []


@pytest.mark.parametrize(
    "path", ["relative.prom", "/x/metrics.txt", "/a b.prom", "/a;b.prom", "/%h.prom", "/a\nb.prom"]
)
def test_a_place_for_metrics_that_a_unit_would_read_otherwise_is_refused(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys, "export", "timer", "--textfile", path, "--out", str(tmp_path))[0] == 1
    assert list(tmp_path.iterdir()) == []
