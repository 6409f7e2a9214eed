"""The keeper with a program in QEMU's place: what it passes on, and that nothing outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from wizard.probes.guest.supervisor import Job
from wizard.probes.guest.supervisor_client import keep

MARK = "cw-test"
PATIENCE = 60.0


def job(script: str, limit: float = 60.0) -> Job:
    return Job(["sh", "-c", script], "", MARK, limit, [])


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_lines_errors_and_the_end() -> None:
    kept = keep(job(f"echo '{MARK} kernel 6.1'; echo bad >&2; echo '{MARK} end'"))
    assert kept.lines == [f"{MARK} kernel 6.1", f"{MARK} end"]
    assert (kept.ended, kept.errors, kept.problem, kept.left) == ("", "bad\n", "", "")


def test_what_inherits_a_file_can_read_it() -> None:
    descriptor = os.memfd_create("test")
    try:
        os.write(descriptor, b"held\n")
        kept = keep(Job(["cat", f"/dev/fd/{descriptor}"], "", MARK, 60.0, [descriptor]))
    finally:
        os.close(descriptor)
    assert kept.lines == ["held"]


def test_time_is_limited() -> None:
    kept = keep(job("echo begun; sleep 600", limit=1.0))
    assert kept.ended == "time"


def test_a_program_that_is_not_there() -> None:
    kept = keep(Job(["/nowhere/qemu"], "", MARK, 60.0, []))
    assert kept.ended == "not started"
    assert "/nowhere/qemu cannot be run" in kept.problem


def started(place: Path) -> subprocess.Popen[bytes]:
    """Somebody who keeps a guest, until it runs; its pid is written down."""
    script = f"echo $$ > {place}/pid.new; mv {place}/pid.new {place}/pid; exec sleep 600"
    code = (
        "import signal\nfrom wizard.probes.guest.supervisor import Job\nfrom wizard.probes.guest.supervisor_client import keep\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job is started with it ignored
        f"keep(Job(['sh', '-c', {script!r}], '', 'm', 600.0, []))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    until((place / "pid").exists)
    return process


def pid_of(place: Path) -> int:
    return int((place / "pid").read_text(encoding="ascii"))


def test_the_guest_ends_when_whoever_wanted_it_is_killed(tmp_path: Path) -> None:
    process = started(tmp_path)
    process.kill()
    process.wait()
    until(lambda: not alive(pid_of(tmp_path)))


def test_the_guest_ends_with_ctrl_c(tmp_path: Path) -> None:
    process = started(tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE) != 0
    until(lambda: not alive(pid_of(tmp_path)))


def test_the_guest_ends_when_its_keeper_is_killed(tmp_path: Path) -> None:
    process = started(tmp_path)
    keeper = int(Path(f"/proc/{pid_of(tmp_path)}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    assert keeper != process.pid
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not alive(pid_of(tmp_path)))
    assert process.wait(timeout=PATIENCE) != 0
