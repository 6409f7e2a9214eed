"""A cpio archive in the format newc, which is what the kernel unpacks as initramfs (Documentation/driver-api/early-userspace)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from wizard.dataclass import dataclass

_MAGIC = b"070701"
_END = "TRAILER!!!"
_DIRECTORY, _FILE, _LINK, _CHARACTER = 0o040000, 0o100000, 0o120000, 0o020000
_NAMES_MAX = 4096  # PATH_MAX, with the zero at its end


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, link or character device; the directories above it are made. `path` has no leading slash."""

    path: str
    content: bytes  # of a link: its target
    mode: int  # with its type
    device: tuple[int, int] = (0, 0)


def file(path: str, content: bytes, *, executable: bool = False) -> Entry:
    return Entry(path, content, _FILE | (0o755 if executable else 0o644))


def link(path: str, target: str) -> Entry:
    return Entry(path, target.encode(), _LINK | 0o777)


def character_device(path: str, major: int, minor: int) -> Entry:
    return Entry(path, b"", _CHARACTER | 0o600, (major, minor))


def archive(entries: Iterable[Entry], directories: Iterable[str] = ()) -> bytes:
    """The archive of these entries and (empty) directories, all of them root's. Raises ValueError for a path that cannot be."""
    whole = {entry.path: entry for entry in entries}
    wanted = [*directories, *(str(parent) for path in whole for parent in PurePosixPath(path).parents)]
    above = {path: Entry(path, b"", _DIRECTORY | 0o755) for path in wanted if path != "."}
    ordered = sorted({**above, **whole}.values(), key=lambda entry: PurePosixPath(entry.path).parts)
    records = [_record(number, entry) for number, entry in enumerate(ordered, 1)]
    return b"".join([*records, _record(0, Entry(_END, b"", 0))])


def _record(number: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    parts = PurePosixPath(entry.path).parts
    if entry.path.startswith("/") or ".." in parts or not parts or b"\0" in name[:-1] or len(name) > _NAMES_MAX:
        raise ValueError(f"{entry.path!r} is no path in an archive")
    links = 2 if entry.mode & 0o170000 == _DIRECTORY else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.content), 0, 0, *entry.device, len(name), 0)
    head = _MAGIC + b"".join(b"%08x" % field for field in fields) + name
    return _padded(head) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
