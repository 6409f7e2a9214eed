"""Who else could write what this tool runs, or what it keeps: as root it goes on only where nobody can.

Names come from the files /etc/passwd and /etc/group, never from a name service: one that hangs would hang the run.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from wizard.errors import Refused

ROOT = 0


def refuse_untrusted_program() -> None:
    """Raises Refused where somebody but root could change the program that is about to change the node as root."""
    files = {Path(name) for name in (*_loaded(), *sys.path, sys.executable) if name.startswith("/")}
    for place in sorted({above for file in files for path in _spellings(file) for above in (path, *path.parents)}):
        why = _writable_by(place, ROOT)
        if why:
            raise Refused(
                f"this program would run as root, and {why}",
                where=str(place),
                do="Install it where only root can write, such as /opt/compute-wizard, and start that one.",
                code="UNTRUSTED-PLACE",
            )


def _loaded() -> Iterator[str]:
    for module in list(sys.modules.values()):
        names = (getattr(module, "__file__", None), getattr(module, "__cached__", None))
        yield from (name for name in names if isinstance(name, str))


def _spellings(path: Path) -> Iterable[Path]:
    """A path as it is written and as it is without links: who may change a link may change what is run, too."""
    try:
        return {path, path.resolve()}
    except OSError:
        return {path}


def refuse_untrusted_state(directory: Path, root: Path) -> None:
    """Raises Refused where somebody else could change journals, plans or backups in the tool's state directory.

    `directory` and what lies in it directly have to belong to whoever runs this, and to be writable for nobody else; of what
    is above, up to `root`, nothing may be writable for everybody (but with the sticky bit, as /tmp is).
    """
    for place in (directory, directory / "runs"):
        why = _not_ours(place)
        if why:
            raise Refused(
                why,
                where=str(place),
                do="If you trust what is in it, give it to root with mode 0700; else move it away.",
                code="UNTRUSTED-PLACE",
            )
    for place in directory.parents:
        status = _status(place)
        if status is not None and status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            raise Refused(
                "everybody may write there, and so replace the journals and backups below it",
                where=str(place),
                do=f"Take that away: chmod o-w {place}",
                code="UNTRUSTED-PLACE",
            )
        if place == root:
            break


def _not_ours(place: Path) -> str:
    status = _status(place)
    if status is None:
        return ""
    if not stat.S_ISDIR(status.st_mode):
        return "is a symbolic link or a file, where this tool keeps its journals and backups"
    if status.st_uid != os.geteuid():
        return f"belongs to user number {status.st_uid}, not to the one who runs this ({os.geteuid()})"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write there (mode {stat.S_IMODE(status.st_mode):04o}): what lies there cannot be trusted"
    return ""


def _writable_by(place: Path, owner: int) -> str:
    """Who but the owner may write there, in words; empty where nobody may."""
    status = _status(place)
    if status is None or stat.S_ISLNK(status.st_mode):
        return ""
    if status.st_uid != owner:
        return f"user number {status.st_uid} owns a part of it"
    if status.st_mode & stat.S_IWOTH and not (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX):
        return "everybody may write to a part of it"
    if status.st_mode & stat.S_IWGRP and status.st_gid != ROOT and _has_members(status.st_gid):
        return f"group number {status.st_gid}, which has members, may write to a part of it"
    return ""


def _has_members(group: int) -> bool:
    """Whether anybody is in a group: Debian gives /usr/local to one that is empty."""
    users = [line.split(":") for line in _lines("/etc/passwd")]
    if any(len(fields) > 3 and fields[3] == str(group) and fields[2] != str(ROOT) for fields in users):
        return True
    groups = [line.split(":") for line in _lines("/etc/group")]
    return any(len(fields) > 3 and fields[2] == str(group) and fields[3].strip(", ") for fields in groups)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _status(place: Path) -> os.stat_result | None:
    try:
        return place.lstat()
    except OSError:
        return None
