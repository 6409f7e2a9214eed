"""Puts file systems onto their disks, as a program of its own: on a dead disk or a dead server that can hang for good.

`python -I -m wizard.apply.flush PATH…`: the file system of each path that is there, each once. Not all of the machine's: a dead
NFS mount that holds nothing of ours would hang it.
"""

from __future__ import annotations

import ctypes
import os
import sys


def main(argv: list[str]) -> int:
    """Exit code 0, or 1 with the system's reason on stderr."""
    library = ctypes.CDLL(None, use_errno=True)
    done: set[int] = set()
    for path in argv:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        device = os.fstat(descriptor).st_dev
        if device not in done and library.syncfs(descriptor):
            sys.stderr.write(f"{path}: {os.strerror(ctypes.get_errno())}")
            return 1
        done.add(device)
        os.close(descriptor)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
