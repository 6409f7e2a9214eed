"""A terminal that goes leaves nothing of the demo behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_leaves_no_simulated_node_behind(tmp_path: Path, number: int) -> None:
    """More than one signal, as a terminal that goes sends them."""
    place = tmp_path / "tmp"
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "screens.start", "demo", "--ui", "plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(place)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    while b"Nothing is changed" not in process.stdout.readline():
        assert process.poll() is None
    assert [path.name.startswith("compute-wizard-demo-") for path in place.iterdir()] == [True]
    while process.poll() is None:
        process.send_signal(number)
        time.sleep(0.002)
    assert process.returncode == 128 + number
    assert list(place.iterdir()) == []
    process.stdin.close()
    process.stdout.close()
