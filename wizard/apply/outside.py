"""What carries a step out: this machine, a simulated node, or nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import sh

from wizard.errors import NodeError, NotThere
from wizard.node.live import ENVIRONMENT
from wizard.node.node import Node
from wizard.node.simulated import SimulatedNode

Tell = Callable[[str], None]


class Outside(Protocol):
    """Commands, attributes and processes of a node. Everything raises NodeError where it fails."""

    @property
    def node(self) -> Node:
        """The node as it can be looked at."""

    why_not: str
    """Empty where it really does things; else why it does not."""

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell) -> int:
        """Run a command, its output line by line to `tell`; gives its exit status."""

    def write_attribute(self, path: str, value: str, deadline_s: int) -> None:
        """One plain write, read back."""

    def flush(self) -> None:
        """Put all that was written onto the disks: what makes a boot menu or an initramfs does not do it itself."""

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        """End the process whose pid is in the file now, if its command line holds the text; says what was done."""


class Live:
    """This machine."""

    why_not = ""

    def __init__(self, node: Node) -> None:
        self.node = node

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell) -> int:
        path = argv[0] if "/" in argv[0] else self.node.command(argv[0])
        if path is None:
            raise NotThere(f"there is no command {argv[0]} on this node")
        try:
            command = sh.Command(path)
        except sh.CommandNotFound:
            raise NotThere(f"there is no command {argv[0]} on this node") from None
        process = command(
            *argv[1:],
            _in="",
            _out=tell,
            _err=tell,
            _tty_out=False,
            _new_session=True,
            _bg=True,
            _bg_exc=False,
            _env=ENVIRONMENT,
            _decode_errors="replace",
            _ok_code=list(range(256)),
            _done=None,
        )
        return self._waited(process, argv[0], deadline_s)

    def _waited(self, process: sh.RunningCommand, name: str, deadline_s: int) -> int:
        try:
            process.wait(timeout=deadline_s)
        except sh.TimeoutException:
            with suppress(ProcessLookupError):  # the whole session: a grandchild would go on holding the output open
                os.killpg(process.pgid, signal.SIGKILL)
            raise NodeError(f"{name} had not ended after {deadline_s} seconds, and was killed") from None
        except sh.ErrorReturnCode as error:
            return 128 + abs(error.exit_code)
        return int(process.exit_code)

    def flush(self) -> None:
        os.sync()

    def write_attribute(self, path: str, value: str, deadline_s: int) -> None:
        said = _helper("write", path, value, deadline_s)
        if said.returncode:
            raise NodeError(f"writing {value} to {path}: {said.stderr.decode('utf-8', 'replace').strip()}")
        now = _helper("read", path, "", 15).stdout.decode("utf-8", "replace").strip()
        if now != value:
            raise NodeError(f"{path} is {now} after {value} was written to it")

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        pid = _pid(self.node, pidfile)
        if pid is None or not _is(self.node, pid, must_contain):
            return f"no such process is running ({pidfile})"
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if not _is(self.node, pid, must_contain):
                return f"process {pid} has ended"
            time.sleep(0.1)
        raise NodeError(f"process {pid} has not ended within {deadline_s} seconds")


def _helper(what: str, path: str, value: str, deadline_s: int) -> subprocess.CompletedProcess[bytes]:
    """A process of its own reads or writes: such a write can hang in the kernel for good, and is then left there."""
    argv = [sys.executable, "-I", "-m", "wizard.apply.attribute", what, path]
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        out, err = process.communicate(value.encode(), timeout=deadline_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise NodeError(f"the kernel did not answer within {deadline_s} seconds: {what} {path}") from None
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def _pid(node: Node, pidfile: str) -> int | None:
    text = node.text(pidfile) or ""
    return int(text) if text.isdecimal() and int(text) > 1 else None


def _is(node: Node, pid: int, must_contain: str) -> bool:
    return must_contain in (node.text(f"/proc/{pid}/cmdline") or "").replace("\0", " ")


class Simulated:
    """A node that obeys in its directory."""

    why_not = ""

    def __init__(self, directory: Path) -> None:
        self.node = SimulatedNode(directory)

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell) -> int:
        said = self.node.obey(argv)
        for line in (said.stdout + said.stderr).splitlines():
            tell(line)
        return said.status

    def flush(self) -> None:
        """Nothing of it is on a disk of its own."""

    def write_attribute(self, path: str, value: str, deadline_s: int) -> None:
        self.node.set_attribute(path, value)
        if self.node.text(path) != value:
            raise NodeError(f"{path} is {self.node.text(path)} after {value} was written to it")

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        pid = _pid(self.node, pidfile)
        if pid is None or not _is(self.node, pid, must_contain):
            return f"no such process is running ({pidfile})"
        self.node.kill(pid)
        return f"process {pid} has ended"


class Nobody:
    """Files are written, everything else is only listed."""

    why_not = "files only: commands below a root other than / are not run"

    def __init__(self, node: Node) -> None:
        self.node = node

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell) -> int:
        raise NodeError(self.why_not)

    def flush(self) -> None:
        """No command was run."""

    def write_attribute(self, path: str, value: str, deadline_s: int) -> None:
        raise NodeError(self.why_not)

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        raise NodeError(self.why_not)
