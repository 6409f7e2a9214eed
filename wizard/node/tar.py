"""A tar as a node: what `recorder` and `bundle` make."""

from __future__ import annotations

import lzma
import posixpath
import stat
import tarfile
import zlib
from contextlib import closing
from pathlib import Path

from wizard.errors import InputError
from wizard.node import bounded_tar
from wizard.node.node import MAX_FILE
from wizard.node.recorded import Entry, MemoryNode, accounts_of

IMAGES = "/boot/"  # what boots is larger than any configuration file, and is looked into
LARGEST_IMAGE = 512 * 1024 * 1024
GIVE = "Give the tar that `recorder` made, or a directory."
DAMAGES = (
    *(tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError),
    *(ValueError, OverflowError, RecursionError, MemoryError),  # from numbers and names in a header that make no sense
)


def read(path: Path) -> MemoryNode:
    """A tar (plain or compressed) as a node. Raises InputError where it is not one."""
    node = MemoryNode(str(path))
    hard_links: list[tuple[str, str]] = []
    owners: list[tuple[str, int, int]] = []
    budget, archive = bounded_tar.Budget(), None
    try:
        archive, stream = bounded_tar.opened(path)
        with closing(stream):
            while (member := archive.next()) is not None:
                bounded_tar.forget(archive)
                where = _inside(member.name)
                budget.holds(where, node.entries)
                entry = _entry(archive, stream, member, budget, where)
                stream.allow(bounded_tar.HEADERS)
                if entry is None:
                    hard_links.append((where, _inside(member.linkname)))
                else:
                    node.add(where, entry)
                    owners.append((where, member.uid, member.gid))
            _whole(archive, stream)
    except bounded_tar.TooMuch as error:
        raise InputError(f"is not read: {error}", where=str(path), do=GIVE, code="ROOT-UNREADABLE") from None
    except DAMAGES as error:
        kinds = (
            (RecursionError, "a path in it is far too deep"),
            (MemoryError, "it claims more than fits into memory"),
        )
        first = next((words for kind, words in kinds if isinstance(error, kind)), str(error).partition("\n")[0])
        no_tar = archive is None and isinstance(error, tarfile.TarError | OSError | lzma.LZMAError)
        what = "is not a tar, plain or compressed by gzip, bzip2 or xz" if no_tar else f"is damaged: {first}"
        raise InputError(what, where=str(path), do=GIVE, code="ROOT-UNREADABLE") from None
    for where, target in hard_links:
        if target in node.entries:
            node.add(where, node.entries[target])
    accounts = accounts_of(node)
    for where, uid, gid in owners:
        node.entries[where].owner = accounts.owner(uid, gid)
    return node


def _inside(name: str) -> str:
    """The place of a member, which may have been packed with its first slash: two at the front would be kept as two."""
    return posixpath.normpath("/" + name.lstrip("/"))


def _whole(archive: tarfile.TarFile, stream: bounded_tar.Bounded) -> None:
    """Raise where the archive does not come to its proper end: tarfile takes a damaged header for the end, and never
    looks at the checksum of what was compressed. Raises tarfile.ReadError, or what the decompressor raises."""
    stream.seek(archive.offset)
    block = stream.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("it was cut off: the end mark is missing")
    if block.strip(b"\0"):
        raise tarfile.ReadError(f"there is no header at byte {archive.offset}")
    stream.to_the_end()


def _entry(
    archive: tarfile.TarFile,
    stream: bounded_tar.Bounded,
    member: tarfile.TarInfo,
    budget: bounded_tar.Budget,
    where: str,
) -> Entry | None:
    """What a member is, None for a hard link. A file that is too large is not read: what it claims may be all lie."""
    image = where.startswith(IMAGES)
    mode, when = stat.S_IMODE(member.mode), float(member.mtime)
    if member.isdir():
        return Entry("directory", mode=mode, modified=when)
    if member.issym():
        return Entry("link", target=member.linkname, mode=mode, modified=when)
    if member.islnk():
        return None
    if member.isfile():
        too_large = member.size > (LARGEST_IMAGE if image else MAX_FILE)
        if too_large or not budget.keeps(member.size, image=image):
            return Entry("file", mode=mode, modified=when, left_out=member.size)
        return Entry("file", bounded_tar.content(archive, stream, member), mode=mode, modified=when)
    return Entry("other", mode=mode, modified=when)
