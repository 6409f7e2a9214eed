"""What carries a step out: this machine, a simulated node, or nobody."""

from __future__ import annotations

import codecs
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

LONGEST_LINE = 4096  # characters
Tell = Callable[[str], None]
Announce = Callable[[int], None]
"""Hears the pid of a process that is about to be started, in that process, before it does anything."""


def quiet(_: int) -> None:
    """Nobody wants to know."""


class Outside(Protocol):
    """Commands, attributes and processes of a node. Everything raises NodeError where it fails."""

    @property
    def node(self) -> Node:
        """The node as it can be looked at."""

    why_not: str
    """Empty where it really does things; else why it does not."""

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        """Run a command, its output line by line to `tell`; gives its exit status."""

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
        """One plain write, read back."""

    def flush(self) -> None:
        """Put all that was written onto the disks: what makes a boot menu or an initramfs does not do it itself."""

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        """End the process whose pid is in the file now, if its command line holds the text; says what was done."""


class Lines:
    """Cuts what a command says into lines; a line without end is told in pieces."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def take(self, chunk: str | bytes) -> None:
        """Some of it, as it comes."""
        *lines, rest = (self._rest + self._decode.decode(_raw(chunk))).split("\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], ""
        for line in lines:
            self._tell(line)
        self._rest = rest

    def end(self) -> None:
        """What is left."""
        rest = self._rest + self._decode.decode(b"", final=True)
        if rest:
            self._tell(rest)


def _raw(chunk: str | bytes) -> bytes:
    return chunk.encode("latin-1") if isinstance(chunk, str) else chunk


class Live:
    """This machine."""

    why_not = ""

    def __init__(self, node: Node) -> None:
        self.node = node

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        path = argv[0] if "/" in argv[0] else self.node.command(argv[0])
        if path is None:
            raise NotThere(f"there is no command {argv[0]} on this node")
        try:
            command = sh.Command(path)
        except sh.CommandNotFound:
            raise NotThere(f"there is no command {argv[0]} on this node") from None
        said, complained = Lines(tell), Lines(tell)
        process = command(
            *argv[1:],
            _in="",
            _out=said.take,
            _err=complained.take,
            _out_bufsize=4096,  # not by lines: a command that never ends one would fill the memory
            _err_bufsize=4096,
            _no_out=True,
            _no_err=True,
            _encoding="latin-1",  # every chunk is bytes: a character may be cut in two
            _preexec_fn=lambda: announce(os.getpid()),
            _tty_out=False,
            _new_session=True,
            _bg=True,
            _bg_exc=False,
            _env=ENVIRONMENT,
            _ok_code=list(range(256)),
            _done=None,
        )
        status = self._waited(process, argv[0], deadline_s)
        said.end()
        complained.end()
        return status

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

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
        said = _helper("write", path, value, deadline_s, announce)
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


def _helper(
    what: str, path: str, value: str, deadline_s: int, announce: Announce = quiet
) -> subprocess.CompletedProcess[bytes]:
    """A process of its own reads or writes: such a write can hang in the kernel for good, and is then left there."""
    argv = [sys.executable, "-I", "-m", "wizard.apply.attribute", what, path]
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        announce(process.pid)  # before it is told the value, and hence does anything
        out, err = process.communicate(value.encode(), timeout=deadline_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise NodeError(f"the kernel did not answer within {deadline_s} seconds: {what} {path}") from None
    except BaseException:
        process.kill()
        raise
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

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        said = self.node.obey(argv)
        for line in (said.stdout + said.stderr).splitlines():
            tell(line)
        return said.status

    def flush(self) -> None:
        """Nothing of it is on a disk of its own."""

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
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

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        raise NodeError(self.why_not)

    def flush(self) -> None:
        """No command was run."""

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
        raise NodeError(self.why_not)

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        raise NodeError(self.why_not)
