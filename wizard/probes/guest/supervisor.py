"""The process that has the VF and the guest: `python -I -m wizard.probes.guest.supervisor`.

It lends the VF, runs QEMU, passes on what the guest says, ends QEMU and gives the VF back - also when whoever started it goes
away: it ends with its input. QEMU in turn ends with it. The job comes as the first line of its input, in JSON; what happens
goes to stdout, one JSON object a line.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.node.live import ENVIRONMENT
from wizard.probes import commands
from wizard.probes.guest import report as guest_report
from wizard.probes.guest.idle_vfs import VFIO
from wizard.probes.guest.vfio_binding import Lending
from wizard.probes.lock import only_one

GOODBYE = 10.0  # seconds in which a guest that has told everything may switch itself off
MODULE_LIMIT = 60  # seconds for one modprobe
_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h
_LOADED = Path("/sys/module/vfio_pci")
_TAIL = 2000  # bytes of QEMU's own messages that are passed on


@dataclass(frozen=True, slots=True)
class Job:
    """`address` is the function to lend, or "" where the guest gets an emulated device; `fds` are QEMU's to inherit."""

    argv: list[str]
    address: str
    mark: str
    limit: float  # seconds
    fds: list[int]

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> int:
    """Do the job. What went wrong is told, never raised."""
    stop = _stopper()
    job = Job(**json.loads(_first_line(sys.stdin.fileno())))
    try:
        if job.address:
            with only_one():
                _with_vf(job, stop)
        else:
            _run(job, stop)
    except NodeError as error:
        _tell(problem=str(error))
    return 0


def _with_vf(job: Job, stop: Callable[[], bool]) -> None:
    """What an earlier keeper left, first; then the job, with its function lent."""
    lending = Lending()
    before = lending.noted()
    if before is not None:
        lending.refuse_held(before.address)  # somebody may have been given it meanwhile
        lending.give_back(before)
        _unload(before.loaded)
        _tell(healed=before.address)
    loaded = _load()
    try:
        lending.lend(job.address, loaded=loaded)
        _run(job, stop)
    finally:
        _give_back(lending, loaded)


def _first_line(descriptor: int) -> bytes:
    """Unbuffered, so that the end of the input can be waited for afterwards."""
    line = b""
    while not line.endswith(b"\n") and (piece := os.read(descriptor, 1)):
        line += piece
    return line


def _tell(**what: Any) -> None:
    """Nobody may be left to hear it: the VF is given back all the same."""
    with suppress(OSError, ValueError):
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def _stopper() -> Callable[[], bool]:
    """Whether somebody wants us to end: a signal is no reason to leave the VF where it is."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: asked.append(signum))
    return lambda: bool(asked)


def _give_back(lending: Lending, loaded: bool) -> None:
    """What was lent; and the module, if it came for that. Where it fails, that is told besides whatever else is."""
    try:
        before = lending.noted()
        if before is not None:
            lending.give_back(before)
        _unload(loaded)
    except NodeError as error:
        _tell(left=str(error))


def _unload(loaded: bool) -> None:
    if loaded:
        with suppress(NodeError):  # somebody else may use it by now
            _modprobe("-r", VFIO, "vfio_iommu_type1")


def _load() -> bool:
    """Load vfio-pci where it is not there yet; gives whether that was needed. Raises NodeError."""
    if _LOADED.exists():
        return False
    _modprobe(VFIO)
    if not _LOADED.exists():
        raise NodeError("the module vfio-pci is not there after it was loaded")
    return True


def _modprobe(*words: str) -> None:
    commands.run(["modprobe", *words], MODULE_LIMIT)


def _run(job: Job, stop: Callable[[], bool]) -> None:
    """QEMU from its start to its end, at most `limit` seconds."""
    prctl = ctypes.CDLL(None).prctl
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                job.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=job.fds,
                env=ENVIRONMENT,
                preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 (there is but one thread)
            )
        except OSError as error:
            raise NodeError(f"{job.argv[0]} cannot be run: {error.strerror}") from None
        assert process.stdout is not None
        try:
            why = _follow(job, process.stdout, stop)
        finally:
            process.kill()
            status = process.wait()
            process.stdout.close()
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - _TAIL))
        _tell(ended=why, status=status, errors=errors.read().decode("utf-8", "replace"))


def _follow(job: Job, output: IO[bytes], stop: Callable[[], bool]) -> str:
    """Pass on the lines until QEMU ends, time is up, or nobody wants them any more: "", "time" or "stopped"."""
    end = time.monotonic() + job.limit
    rest = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(output, selectors.EVENT_READ)
        waiting.register(sys.stdin.fileno(), selectors.EVENT_READ)
        while time.monotonic() < end:
            if stop():
                return "stopped"
            for key, _ in waiting.select(timeout=0.5):
                if key.fileobj is not output:
                    return "stopped"
                piece = os.read(output.fileno(), 4096)
                if not piece:
                    return ""
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    text = line.decode("utf-8", "replace")
                    _tell(line=text)
                    if guest_report.ended(text, job.mark):
                        end = min(end, time.monotonic() + GOODBYE)
    return "time"


if __name__ == "__main__":
    sys.exit(main())
