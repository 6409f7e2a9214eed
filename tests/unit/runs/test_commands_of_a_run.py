"""Commands of a run: bounded in time and in what they say, and the disks that are flushed behind them."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from wizard.apply import backends as outside
from wizard.apply.backends import LiveBackend
from wizard.errors import NodeError
from wizard.node.live import LiveNode
from wizard.runs.journal import Journal, read


@pytest.fixture
def live() -> LiveBackend:
    return LiveBackend(LiveNode())


# commands


def test_a_command_that_hangs_is_ended_with_all_that_it_started(live: LiveBackend, tmp_path: Path) -> None:
    script = f"sleep 1000 & echo $! >{tmp_path}/child; echo $$ >{tmp_path}/parent; wait"
    with pytest.raises(NodeError, match="had not ended after 1 seconds"):
        live.run(["/bin/sh", "-c", script], 1, lambda _: None)
    for name in ("child", "parent"):
        pid = (tmp_path / name).read_text().strip()
        until(lambda pid=pid: not _lives(pid))


def test_a_command_that_does_not_end_by_being_killed_is_named_and_not_waited_for(
    live: LiveBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that hangs in the kernel: here nothing kills it."""
    begun: list[subprocess.Popen[bytes]] = []

    class Started(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **more)
            begun.append(self)

        def kill(self) -> None:
            """It does not end by that."""

    monkeypatch.setattr(subprocess, "Popen", Started)
    monkeypatch.setattr(outside, "GRACE", 0.2)
    killed: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "killpg", lambda group, _: killed.append(group))
        with pytest.raises(NodeError) as told:
            live.run(["/bin/sleep", "1000"], 1, lambda _: None)
    assert killed == [begun[0].pid]
    assert begun[0].poll() is None
    assert f"hangs in the kernel: process {begun[0].pid}" in str(told.value)
    os.killpg(begun[0].pid, signal.SIGKILL)
    begun[0].wait()


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Any) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_disks_are_flushed_each_once_and_no_other_file_system(tmp_path: Path) -> None:
    log = tmp_path / "log"
    places = [str(tmp_path), str(tmp_path / "none"), "/", "/etc"]
    words = ["strace", "-f", "-qq", "-y", "-e", "trace=sync,syncfs", "-o", str(log)]
    module = [sys.executable, "-I", "-m", "wizard.apply.flush", *places]
    subprocess.run([*words, *module], check=True, capture_output=True, timeout=300)
    calls = [line.split(" ", 1)[1].strip().split("(")[0] for line in log.read_text().splitlines() if "sync" in line]
    assert calls == ["syncfs"] * len({Path(place).stat().st_dev for place in places if Path(place).exists()})


def test_a_disk_that_does_not_answer_is_told_and_not_waited_for(
    live: LiveBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.flush([str(tmp_path / "file")])
    monkeypatch.setattr(outside, "FLUSH", 0.000001)  # no program starts in that time
    with pytest.raises(NodeError, match="a power cut now may lose it"):
        live.flush([])


def test_a_command_that_floods_its_output_fills_neither_memory_nor_journal(live: LiveBackend, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for script in ("head -c 150000000 /dev/zero", "yes | head -c 3000000"):
        journal.write("step", n=1)
        assert live.run(["/bin/sh", "-c", script], 300, lambda line: journal.output(1, line)) == 0
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 60_000, f"{grown} kB"
    events = read(tmp_path / "journal.jsonl")
    assert sum(event["event"] == "output" for event in events) <= 2 * 2001
    assert (tmp_path / "journal.jsonl").stat().st_size < 40_000_000


def test_what_a_command_says_comes_line_by_line_and_whole(live: LiveBackend) -> None:
    said: list[str] = []
    assert (
        live.run(["/bin/sh", "-c", "printf 'a\\303\\244\\nno end'; printf '\\377\\n' >&2; exit 3"], 60, said.append)
        == 3
    )
    assert said == ["aä", "no end\ufffd"]
