"""Reads or writes one kernel attribute, as a program of its own: such a write can hang in the kernel for good.

`python -I -m wizard.apply.attribute read|write PATH`; the value to be written comes on stdin, what was read goes to stdout.
One write call, with a line end: mlx4_port1 compares with "ib\\n" (drivers/net/ethernet/mellanox/mlx4/main.c).
"""

from __future__ import annotations

import os
import sys


def main(argv: list[str]) -> int:
    """Exit code 0, or 1 with the system's reason on stderr."""
    what, path = argv
    try:
        if what == "read":
            descriptor = os.open(path, os.O_RDONLY)
            os.write(1, os.read(descriptor, 65536))
        else:
            value = sys.stdin.buffer.read()
            if not value:  # the runner was killed before it said which
                return 1
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
            os.write(descriptor, value + b"\n")
        os.close(descriptor)
    except OSError as error:
        sys.stderr.write(os.strerror(error.errno or 0))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
