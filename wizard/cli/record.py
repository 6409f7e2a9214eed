"""record: this node as a tar, made by the very script that `recorder` prints."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

from wizard.errors import Exit, InputError, UsageError
from wizard.user_files import STANDARD


def script() -> str:
    """The recorder: POSIX sh, the same for a node with this tool and for one without."""
    return (resources.files("assets") / "node" / "recorder.sh").read_text(encoding="utf-8")


def record(options: argparse.Namespace) -> int:
    """Record the running machine. Raises InputError where the script could not."""
    if options.root != "/":
        raise UsageError("record is for the running machine", do="A directory or a tar is a recording already.")
    if options.out != STANDARD:
        return _run(Path(options.out), options)
    if sys.stdout.isatty():
        raise UsageError("a tar is not written to a terminal", do="Send it into a file or a pipe.")
    with tempfile.TemporaryDirectory(prefix="compute-wizard-record-") as scratch:
        tar = Path(scratch) / "node.tar"
        code = _run(tar, options, told=sys.stderr.fileno())
        with tar.open("rb") as content:
            sys.stdout.flush()
            shutil.copyfileobj(content, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return code


def _run(out: Path, options: argparse.Namespace, told: int | None = None) -> int:
    """Run the script; what it says goes to `told`, a descriptor, else is printed unless --quiet was said."""
    with tempfile.TemporaryDirectory(prefix="compute-wizard-recorder-") as scratch:
        recorder = Path(scratch) / "recorder.sh"
        recorder.write_text(script(), encoding="utf-8")
        name = f"./{out}" if str(out).startswith("-") else str(out)
        done = subprocess.run(
            ["sh", str(recorder), *(["--with-secrets"] if options.with_secrets else []), name],
            stdin=subprocess.DEVNULL,
            stdout=told if told is not None else subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.stdout:
        sys.stdout.write(done.stdout)
    if done.returncode:
        raise InputError(
            f"was not recorded: the recorder ended with {done.returncode}",
            where=str(out),
            do="What it said stands above.",
            code="NOT-RECORDED",
        )
    return Exit.DONE
