"""Prints TMPDIR=DIRECTORY where a directory in memory is as good as one on a disk: each line of a journal is flushed, and tests
write many. It has to have room, to run programs, and to keep extended attributes of users (tmpfs since Linux 6.6)."""

from __future__ import annotations

import os
import shutil
import tempfile

ROOM = 2 << 30  # bytes
PLACE = "/dev/shm"


def usable() -> bool:
    if not os.path.isdir(PLACE) or os.statvfs(PLACE).f_flag & os.ST_NOEXEC or shutil.disk_usage(PLACE).free < ROOM:  # noqa: PTH112
        return False
    with tempfile.NamedTemporaryFile(dir=PLACE) as file:
        os.setxattr(file.fileno(), "user.compute-wizard", b"1")
    return True


if __name__ == "__main__":
    try:
        print(f"TMPDIR={PLACE}" if usable() else "")
    except OSError:
        print("")
