"""What an initramfs holds of modprobe.d: the copies that count when a module loads before the root is mounted.

An image is a chain of cpio archives (newc), each plain or compressed: mostly plain microcode first, then the real one.
"""

from __future__ import annotations

import bz2
import lzma
import posixpath
import stat
import zlib
from collections.abc import Iterable, Mapping

from wizard.errors import NodeError
from wizard.formats import modprobe
from wizard.hashing import digest
from wizard.node.node import Node
from wizard.regex import regex

LIMIT = 1024 * 1024 * 1024  # bytes of one image, unpacked
LINKS = 8  # that are followed from one to the next
WANTED = regex(r"(?:etc|run|lib|usr/lib)/modprobe\.d/[^/]+\.conf")
Held = Mapping[str, Mapping[str, bytes]]
"""image -> path in it -> content of the modprobe.d files."""
MAGIC = b"070701"
TOOLS = {b"\x28\xb5\x2f\xfd": ("zstd", "-dcq"), b"\x02\x21\x4c\x18": ("lz4", "-dcq"), b"\x89LZO": ("lzop", "-dcq")}


def looked_into(node: Node, images: Iterable[str]) -> tuple[Held | None, str]:
    """What these images hold; None, and why, where one of them cannot be looked into."""
    found = {}
    for image in images:
        held, why = modprobe_files(node, image)
        if held is None:
            return None, why
        found[image] = held
    return found, ""


def copies(held: Held) -> tuple[tuple[str, str, str], ...]:
    """(image, path in it, sha256) of all modprobe.d files in these images."""
    return tuple(
        (image, path, digest(content)) for image, files in held.items() for path, content in sorted(files.items())
    )


def setters(held: Held, module: str) -> tuple[tuple[str, str], ...]:
    """(image, path in it) of those that give a module options."""
    return tuple(
        (image, path)
        for image, files in held.items()
        for path, content in sorted(files.items())
        if modprobe.effective([(path, content)]).get(module)
    )


def modprobe_files(node: Node, image: str) -> tuple[dict[str, bytes] | None, str]:
    """The modprobe.d files in an image by their path in it; None, and why, where it cannot be looked into."""
    try:
        content = node.read(image, limit=LIMIT)
    except NodeError as error:
        return None, f"{image} {error.what}"
    if not content:
        return None, f"{image} is empty: a recording without it"
    found: dict[str, bytes] = {}
    try:
        while content:
            rest = content.lstrip(b"\0")  # archives are padded to whole blocks
            if not rest:
                break
            if not rest.startswith((MAGIC, b"070702")):
                unpacked = _unpacked(node, rest)
                found.update(_cpio(unpacked)[0])
                break
            files, end = _cpio(rest)
            found.update(files)
            content = rest[end:]
    except (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, NodeError) as error:
        return None, f"{image} cannot be unpacked: {error}"
    return found, ""


def _unpacked(node: Node, content: bytes) -> bytes:
    """What a compressed archive holds; tools of the node itself for what the standard library cannot."""
    if content.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31).decompress(content, LIMIT)
    if content.startswith((b"\xfd7zXZ", b"\x5d\x00\x00")):
        return lzma.LZMADecompressor().decompress(content, LIMIT)
    if content.startswith(b"BZh"):
        return bz2.BZ2Decompressor().decompress(content, LIMIT)
    for magic, argv in TOOLS.items():
        if content.startswith(magic):
            return node.filter(argv, content)
    raise ValueError("an archive of an unknown kind")


def _cpio(content: bytes) -> tuple[dict[str, bytes], int]:
    """The wanted files of one archive, and where it ends. Raises ValueError where it is damaged."""
    entries: dict[str, tuple[int, int, int]] = {}  # mode, and where the content is
    place = 0
    while content[place : place + 6] in (MAGIC, b"070702"):
        fields = [int(content[place + 6 + 8 * n : place + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = content[place + 110 : place + 110 + length - 1].decode("utf-8", "replace").removeprefix("./")
        data = place + _even(110 + length)
        if data + size > len(content):
            raise ValueError("it ends too early")
        if name == "TRAILER!!!":
            found = {name: _followed(content, entries, name) for name in entries if WANTED.fullmatch(name)}
            return {name: there for name, there in found.items() if there is not None}, data + _even(size)
        entries[name] = mode, data, data + size
        place = data + _even(size)
    raise ValueError("it has no end")


def _followed(archive: bytes, entries: Mapping[str, tuple[int, int, int]], name: str) -> bytes | None:
    """What a file holds, by way of links: initramfs-tools makes one of what is one on the node, itself or a directory above
    it, and copies its target beside it (hook-functions, copy_file). None where a link leads nowhere."""
    for _ in range(LINKS):
        if name == "dev/null":
            return b""
        entry = entries.get(name) or entries.get(f"usr/{name}")
        if entry is None:
            return None
        mode, start, end = entry
        if not stat.S_ISLNK(mode):
            return archive[start:end]
        target = archive[start:end].decode("utf-8", "replace").rstrip("\0")
        name = posixpath.normpath(posixpath.join("/", posixpath.dirname(name), target)).lstrip("/")
    return None


def _even(size: int) -> int:
    return (size + 3) & ~3
