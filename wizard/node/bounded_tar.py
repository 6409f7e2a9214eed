"""A tar that was handed over, read within bounds: a few megabytes that were compressed can claim to be gigabytes, in files, in
headers, or in names. Nothing of that is to fill the memory of the machine that looks at it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import posixpath
import tarfile
from collections.abc import Callable, Container
from pathlib import Path
from typing import IO, Any

MIB = 1024 * 1024
HEADERS = 2 * MIB  # bytes of all headers of one member, extended ones among them
MOST_BYTES = 2048 * MIB  # of the whole archive, unpacked
MOST_CONTENT = 256 * MIB  # of all files that are kept, but for images
MOST_IMAGES = 384 * MIB  # of all images that are kept; others are left out, as one that is too large alone
MOST_ENTRIES = 300_000  # files, links and directories
MOST_NAMES = 64 * MIB  # characters of all paths
MOST_GLOBAL = 50  # words of headers that hold for all members; git writes one
DICTIONARY = 256 * MIB  # memory that xz may ask for; `xz -9` needs 65 MiB
CHUNK = MIB


class TooMuch(tarfile.ReadError):
    """It holds more than is kept in memory."""


class Bounded:
    """The unpacked bytes of an archive. tarfile reads headers as large as they say they are: no more than allowed is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._left, self._ended = file, HEADERS, False

    def allow(self, size: int) -> None:
        """So much may be read from now on."""
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """Raises TooMuch for more than is allowed."""
        if size < 0 or size > self._left:
            raise TooMuch("a header in it is far too large")
        if self._ended:
            return b""
        self._within(self._file.tell() + size)
        found = self._file.read(size)
        self._left -= len(found)
        return found

    def seek(self, where: int) -> int:
        if (
            where > MOST_BYTES
        ):  # as a header may say without there being any of it: then it is damaged, and not too large
            self._file.seek(MOST_BYTES)
            self._ended = not self._file.read(1)
            if not self._ended:
                self._within(where)
            return where
        return self._file.seek(where)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()

    def to_the_end(self) -> None:
        """Read what is left, so that its checksum is looked at."""
        while self._file.read(CHUNK):
            self._within(self._file.tell())

    def _within(self, where: int) -> None:
        if where > MOST_BYTES:
            raise TooMuch(f"unpacked it is larger than {MOST_BYTES // MIB} MiB")


class _Xz(io.RawIOBase):
    """An xz file, unpacked; the library's own takes as much memory as the file asks for."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("rb")
        self._start()

    def _start(self) -> None:
        self._raw.seek(0)
        self._at, self._one = 0, lzma.LZMADecompressor(memlimit=DICTIONARY)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, where: int, whence: int = 0) -> int:
        if where < self._at:
            self._start()
        while self._at < where and self.read(min(CHUNK, where - self._at)):
            pass
        return self._at

    def read(self, size: int = -1) -> bytes:
        found = bytearray()
        while len(found) < size and (piece := self._piece(size - len(found))):
            found += piece
        self._at += len(found)
        return bytes(found)

    def _piece(self, size: int) -> bytes:
        piece = b""
        while not piece:
            if self._one.eof:
                packed = self._one.unused_data or self._raw.read(CHUNK)
                if not packed.strip(b"\0"):  # what fills it up
                    return b""
                self._one = lzma.LZMADecompressor(memlimit=DICTIONARY)
            elif self._one.needs_input:
                packed = self._raw.read(65536)
                if not packed:
                    raise EOFError("Compressed file ended before the end-of-stream marker was reached")
            else:
                packed = b""
            piece = self._one.decompress(packed, size)
        return piece

    def close(self) -> None:
        self._raw.close()
        super().close()


_KINDS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": _Xz,
    b"\x5d\0\0": _Xz,
}


def opened(path: Path) -> tuple[tarfile.TarFile, Bounded]:
    """An archive, plain or compressed, and what it is read from. Raises tarfile.TarError, OSError, or what unpacks it raises."""
    with path.open("rb") as file:
        begin = file.read(6)
    unpack = next((each for magic, each in _KINDS.items() if begin.startswith(magic)), lambda place: place.open("rb"))
    stream = Bounded(unpack(path))
    try:
        return tarfile.open(fileobj=stream, mode="r:"), stream  # type: ignore[call-overload]
    except BaseException:
        stream.close()
        raise


def forget(archive: tarfile.TarFile) -> None:
    """Drop the members that were seen: all of them would be kept, with their headers. Raises TooMuch for what holds for all."""
    archive.members.clear()  # type: ignore[attr-defined]
    if len(archive.pax_headers) > MOST_GLOBAL:
        raise TooMuch("it has far too many headers for all that follows")


class Budget:
    """What of an archive was kept."""

    def __init__(self) -> None:
        self._entries = self._names = self._content = self._images = 0

    def holds(self, path: str, there: Container[str]) -> None:
        """One more entry, and the directories above it that are not there yet. Raises TooMuch."""
        while path not in there and path != "/":
            self._entries, self._names = self._entries + 1, self._names + len(path)
            path = posixpath.dirname(path)
        if self._entries > MOST_ENTRIES:
            raise TooMuch(f"it holds more than {MOST_ENTRIES} names")
        if self._names > MOST_NAMES:
            raise TooMuch("the names in it are far too long")

    def keeps(self, size: int, *, image: bool) -> bool:
        """Whether a file of that size is kept; False for an image beyond what is kept of such. Raises TooMuch."""
        if image:
            fits = self._images + size <= MOST_IMAGES
            self._images += size if fits else 0
            return fits
        self._content += size
        if self._content > MOST_CONTENT:
            raise TooMuch(f"it holds more than {MOST_CONTENT // MIB} MiB of files")
        return True


def content(archive: tarfile.TarFile, stream: Bounded, member: tarfile.TarInfo) -> bytes:
    """The bytes of a file in an archive."""
    stream.allow(member.size + 2 * CHUNK)
    file = archive.extractfile(member)
    found = bytearray()
    while file is not None and (piece := file.read(CHUNK)):
        found += piece
    return bytes(found)
