"""What carries a step out: this machine, or nobody. What does it on a simulated node is loaded for such a run alone."""

from __future__ import annotations

import codecs
import os
import posixpath
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from wizard import program
from wizard.apply import refusals
from wizard.errors import NodeError, NotThere
from wizard.node.live import ENVIRONMENT
from wizard.node.node import Node
from wizard.redaction import HIDDEN, redacted
from wizard.runs.journal import MOST_LINES

LONGEST_LINE = 1000  # characters
CONTEXT = 200  # characters that tell whether what follows is a secret
POLL = 0.05  # seconds between two looks
GRACE = 10  # seconds for a command that was killed to end
FLUSH = 300  # seconds: a slow disk with much to write takes its time
PLACES = ("/boot", "/boot/efi", "/etc", "/var/lib")  # where commands of the boot phase write
Tell = Callable[[str], None]
Announce = Callable[[int], None]
"""Hears the pid of a process that is about to be started, in that process, before it does anything."""


def quiet(_: int) -> None:
    """Nobody wants to know."""


class Backend(Protocol):
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

    def flush(self, written: Iterable[str]) -> None:
        """Put what commands made onto the disks, and the file systems of these paths: what makes a boot menu or an initramfs
        does not do it itself."""

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        """End the process whose pid is in the file now, if its command line holds the text; says what was done."""


class Lines:
    """Cuts what a command says into lines; a line without end is told in pieces. What looks like a secret is hidden before a
    line is cut: the half of one does not look like it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._before = ""  # the end of what was told of this line already
        self._told = 0

    def take(self, chunk: bytes) -> None:
        """Some of it, as it comes. What the journal would leave out is not looked at: a command may say gigabytes."""
        if self._told > MOST_LINES:
            return
        *lines, rest = (self._rest + self._decode.decode(chunk)).split("\n")
        for line in lines:
            if self._told > MOST_LINES:
                return
            self._say(line)
            self._before = ""
        if len(rest) > LONGEST_LINE:
            cut = max(rest.rfind(" "), rest.rfind("\t")) + 1
            if not cut or len(rest) - cut > LONGEST_LINE // 2:  # else the last word waits: it may not be whole yet
                cut = len(rest)
            self._say(rest[:cut])
            self._before, rest = (self._before + rest[:cut])[-CONTEXT:], rest[cut:]
        self._rest = rest

    def end(self) -> None:
        """What is left."""
        rest = self._rest + self._decode.decode(b"", final=True)
        if rest and self._told <= MOST_LINES:
            self._say(rest)

    def _say(self, text: str) -> None:
        shown = redacted(self._before + text)
        shown = shown[len(self._before) :] if shown.startswith(self._before) else HIDDEN
        for start in range(0, max(len(shown), 1), LONGEST_LINE):
            self._told += 1
            self._tell(shown[start : start + LONGEST_LINE])


class LiveBackend:
    """This machine."""

    why_not = ""

    def __init__(self, node: Node) -> None:
        self.node = node

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        path = argv[0] if "/" in argv[0] else self.node.command(argv[0])
        if path is None:
            raise NotThere(f"there is no command {argv[0]} on this node")
        try:
            process = subprocess.Popen(
                list(argv),
                executable=path,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                start_new_session=True,
                preexec_fn=lambda: announce(os.getpid()),  # noqa: PLW1509 - the runner has no threads
            )
        except FileNotFoundError:
            raise NotThere(f"there is no command {argv[0]} on this node") from None
        try:
            status = self._heard(process, Lines(tell), time.monotonic() + deadline_s)
        except BaseException:
            with process:  # a defect of ours: nothing is done beside it
                raise
        if status is None:
            with suppress(ProcessLookupError):  # the whole session: a grandchild would go on
                os.killpg(process.pid, signal.SIGKILL)
            _leave(process, GRACE)
            what = "was killed"
            if process.returncode is None:
                what = f"hangs in the kernel: process {process.pid} was killed and does not end"
            raise NodeError(f"{argv[0]} had not ended after {deadline_s} seconds, and {what}")
        _close(process)
        return status if status >= 0 else 128 - status

    def _heard(self, process: subprocess.Popen[bytes], lines: Lines, end: float) -> int | None:
        """The status in which a process ended, and all that it said; None where it had not ended in time. A daemon that it
        left may hold its output open: that is not waited for."""
        assert process.stdout is not None
        output = process.stdout.fileno()
        open_ = True
        while time.monotonic() < end:
            ended = process.poll()
            ready = open_ and bool(select.select([output], [], [], POLL)[0])
            if ready:
                chunk = os.read(output, 65536)
                lines.take(chunk)
                open_ = bool(chunk)
            elif ended is not None:
                lines.end()
                return ended
            elif not open_:
                time.sleep(POLL)
        return None

    def flush(self, written: Iterable[str]) -> None:
        places = dict.fromkeys([*PLACES, *(posixpath.dirname(path) for path in written)])
        what = f"the disks did not take what was written within {FLUSH} seconds"
        said = _apart(["wizard.apply.flush", *places], b"", FLUSH, f"{what}: a power cut now may lose it")
        if said.returncode:
            raise NodeError(f"what was written is not on the disk: {said.stderr.decode('utf-8', 'replace').strip()}")

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
        said = _helper("write", path, value, deadline_s, announce)
        if said.returncode:
            why = said.stderr.decode("utf-8", "replace").strip()
            raise NodeError(f"writing {value} to {path}: {why}{refusals.refused(path, value, why)}")
        now = _helper("read", path, "", 15).stdout.decode("utf-8", "replace").strip()
        if now != value:
            raise NodeError(f"{path} is {now} after {value} was written to it{refusals.not_taken(path, value, now)}")

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        pid = process_of(self.node, pidfile)
        if pid is None or not is_running(self.node, pid, must_contain):
            return f"no such process is running ({pidfile})"
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if not is_running(self.node, pid, must_contain):
                return f"process {pid} has ended"
            time.sleep(0.1)
        raise NodeError(f"process {pid} has not ended within {deadline_s} seconds")


def _helper(
    what: str, path: str, value: str, deadline_s: int, announce: Announce = quiet
) -> subprocess.CompletedProcess[bytes]:
    """One reading or writing of an attribute."""
    hung = f"the kernel did not answer within {deadline_s} seconds: {what} {path}"
    return _apart(["wizard.apply.attribute", what, path], value.encode(), deadline_s, hung, announce)


def _apart(
    module: Sequence[str], stdin: bytes, deadline_s: int, hung: str, announce: Announce = quiet
) -> subprocess.CompletedProcess[bytes]:
    """A program of ours as a process of its own: what it does can hang in the kernel for good, and is then left there.
    Raises NodeError with `hung` then."""
    argv = program.argv(*module)
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        announce(process.pid)  # before it is told the value, and hence does anything
        out, err = process.communicate(stdin, timeout=deadline_s)
    except subprocess.TimeoutExpired:
        _leave(process)
        raise NodeError(hung) from None
    except BaseException:
        _leave(process)
        raise
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def _leave(process: subprocess.Popen[bytes], seconds: float = 1) -> None:
    """Kill it; what hangs in the kernel does not end by that, and is not waited for any longer."""
    process.kill()
    _close(process)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def process_of(node: Node, pidfile: str) -> int | None:
    """The pid in a file; None where there is none."""
    text = node.text(pidfile) or ""
    return int(text) if text.isdecimal() and int(text) > 1 else None


def is_running(node: Node, pid: int, must_contain: str) -> bool:
    """Whether a process runs, and its command line holds the text."""
    return must_contain in (node.text(f"/proc/{pid}/cmdline") or "").replace("\0", " ")


class NoBackend:
    """Files are written, everything else is only listed."""

    why_not = "files only: commands below a root other than / are not run"

    def __init__(self, node: Node) -> None:
        self.node = node

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        raise NodeError(self.why_not)

    def flush(self, written: Iterable[str]) -> None:
        """No command was run."""

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
        raise NodeError(self.why_not)

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        raise NodeError(self.why_not)
