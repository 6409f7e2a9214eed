"""Archives that are the same bytes each time: sorted, root's, with one time."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path


def tar(directory: Path, prefix: str, epoch: int) -> bytes:
    """A directory as a tar; `epoch` is the time of every member, in seconds. Files are 0644, or 0755 where their owner may run them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in [directory, *sorted(directory.rglob("*"))]:
            name = f"{prefix}/{path.relative_to(directory)}" if path != directory else prefix
            entry = archive.gettarinfo(path, name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            entry.mtime = epoch
            mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            entry.mode = 0o777 if entry.issym() else mode
            with path.open("rb") if entry.isreg() else io.BytesIO() as content:
                archive.addfile(entry, content if entry.isreg() else None)
    return out.getvalue()


def ar(members: dict[str, bytes], epoch: int) -> bytes:
    """The archive that a Debian package is (deb(5))."""
    out = [b"!<arch>\n"]
    for name, data in members.items():
        out += [
            f"{name:<16}{epoch:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode(),
            data,
            b"\n" * (len(data) % 2),
        ]
    return b"".join(out)
