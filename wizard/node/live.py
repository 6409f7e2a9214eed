"""This machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from wizard.node.node import Node

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from wizard.errors import Denied, InputError, NodeError, NotThere
from wizard.node import trace
from wizard.node.node import Node, Output
from wizard.node.recorded import DirectoryNode

# A console's locale, pager or colours must not change what a command prints; sbin is not in every user's PATH.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "LANG": "C",
    "HOME": "/root",
    "TERM": "dumb",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
    "DEBIAN_FRONTEND": "noninteractive",
    "PYTHONDONTWRITEBYTECODE": "1",  # asking `nova-compute --version` must not write anything
}
SHOWN = 200  # characters of a path that can be none


class LiveNode(DirectoryNode):
    """This machine: files below /, and commands that are really run."""

    live = True

    def __init__(self) -> None:
        super().__init__(Path("/"), name="this machine")
        self.privileged = os.geteuid() == 0

    def run(self, argv: Sequence[str], *, timeout: float = 15.0, stdin: bytes | None = None) -> Output:
        path = self.command(argv[0]) if "/" not in argv[0] else argv[0]
        if path is None:
            raise NotThere(f"there is no command {argv[0]}", where=self.name)
        import sh  # late: it costs a tenth of a start, and most starts run nothing

        try:
            done = sh.Command(path)(
                *argv[1:],
                _in=stdin if stdin is not None else "",
                _tty_out=False,  # else the child gets a terminal: colours and wrapped columns
                _new_session=True,
                _return_cmd=True,
                _ok_code=list(range(256)),
                _env=ENVIRONMENT,
                _decode_errors="replace",
                _timeout=timeout,
                _timeout_signal=signal.SIGKILL,
            )
        except sh.CommandNotFound:
            raise NotThere(f"there is no command {argv[0]}", where=self.name) from None
        except sh.TimeoutException:
            raise NodeError(f"{' '.join(argv)} gave no answer within {timeout:g} seconds") from None
        except PermissionError:
            raise Denied(f"{argv[0]} may not be run", where=self.name) from None
        except sh.ErrorReturnCode as error:  # killed by a signal
            return Output(tuple(argv), 128 + abs(error.exit_code), _text(error.stdout), _text(error.stderr))
        trace.note(f"{' '.join(argv)}: exit status {done.exit_code}")
        return Output(tuple(argv), done.exit_code, _text(done.stdout), _text(done.stderr))

    def free(self, path: str) -> int | None:
        try:
            found = os.statvfs(path)
        except OSError:
            return None
        return found.f_bavail * found.f_frsize

    def filter(self, argv: Sequence[str], content: bytes) -> bytes:
        path = self.command(argv[0])
        if path is None:
            raise NotThere(f"there is no command {argv[0]}", where=self.name)
        import sh  # late: it costs a tenth of a start, and most starts run nothing

        try:
            done = sh.Command(path)(
                *argv[1:],
                _in=content,
                _tty_out=False,
                _new_session=True,
                _return_cmd=True,
                _env=ENVIRONMENT,
                _timeout=120.0,
            )
        except (sh.ErrorReturnCode, sh.TimeoutException):
            raise NodeError(f"{argv[0]} could not unpack it") from None
        return done.stdout


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def open_node(root: str) -> Node:
    """The node behind --root: this machine for '/', else a directory or a tar; - is a tar on standard input. Raises InputError."""
    from wizard.node.recorded import read_tar

    if root == "-":
        return _piped_in()
    path = Path(root)
    try:
        if path.is_file():
            return read_tar(path)
        if path.exists() and path.resolve() == Path("/"):
            return LiveNode()
        return DirectoryNode(path)
    except OSError as error:
        where = root if len(root) <= SHOWN else f"{root[:SHOWN]}…"
        raise InputError(
            f"cannot be opened: {error.strerror}",
            where=where,
            do="--root takes a directory or a tar file that holds the files of a node.",
            code="ROOT-UNREADABLE",
        ) from None


Open: TypeAlias = Callable[[], "tuple[Node, str]"]
"""Gives the node and its root. Takes up to seconds, the loading of the engine included. Raises WizardError."""


def _piped_in() -> Node:
    """A tar from standard input. It is spooled, since a tar is read with seeking: no more of it than one may unpack to."""
    import sys
    import tempfile

    from wizard.node.bounded_tar import CHUNK, MIB, MOST_BYTES
    from wizard.node.recorded import read_tar

    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("nothing is piped in", where="standard input", do="Pipe a tar in.", code="NOTHING-PIPED")
    with tempfile.NamedTemporaryFile(prefix="compute-wizard-node-") as spooled:
        while chunk := sys.stdin.buffer.read(CHUNK):
            if spooled.tell() + len(chunk) > MOST_BYTES:
                raise InputError(
                    f"is more than {MOST_BYTES // MIB} MiB", where="standard input", code="ROOT-UNREADABLE"
                )
            spooled.write(chunk)
        spooled.flush()
        node = read_tar(Path(spooled.name))
    node.name = "standard input"
    return node
