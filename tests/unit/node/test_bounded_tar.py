"""A tar that unpacks to more than it should: refused in words, with no more memory than a recording takes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wizard.errors import InputError, NodeError
from wizard.node import bounded_tar
from wizard.node.recorded import read_tar

MIB = 1024 * 1024


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def file(name: str, content: bytes) -> bytes:
    return header(name, len(content)) + content + b"\0" * (-len(content) % 512)


def sparse(blocks: int) -> bytes:
    """A member of the old GNU kind whose list of pieces goes on for so many blocks."""
    first = bytearray(header("s", 0, tarfile.GNUTYPE_SPARSE))
    first[482] = 1
    first[148:156] = b"%06o\0 " % (sum(first[:148]) + sum(first[156:]) + 8 * 32)
    block = (b"00000000001\0" * 42)[:504].ljust(504, b"\0") + b"\1" + b"\0" * 7
    return bytes(first) + block * blocks


END = b"\0" * 1024
BOMBS: dict[str, Callable[[], Iterator[bytes]]] = {
    "a header of 64 MiB": lambda: iter([header("x", 64 * MIB, tarfile.XHDTYPE), b"\0" * 64 * MIB]),
    "a name of 64 MiB": lambda: iter([header("x", 64 * MIB, tarfile.GNUTYPE_LONGNAME), b"a" * 64 * MIB]),
    "a list of pieces without end": lambda: iter([sparse(5_000)]),
    "many files": lambda: (file(f"f{n}", b"\0" * MIB) for n in range(64)),
    "many names": lambda: (header(f"n{n}") for n in range(4_000)),
    "deep names": lambda: (header("/".join([f"{n:03}"] + ["d"] * 45)) for n in range(1000)),
    "more than is read of any": lambda: (file(f"boot/i{n}", b"\0" * 16 * MIB) for n in range(8)),
    "much behind its end": lambda: iter([file("f", b"x"), END, *[b"\0" * 16 * MIB] * 8]),
}
PACKERS = {"plain": lambda content: content, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that are reached soon: what is tried is that each holds."""
    for name, value in {
        "MOST_BYTES": 96 * MIB,
        "MOST_CONTENT": 8 * MIB,
        "MOST_IMAGES": 8 * MIB,
        "MOST_ENTRIES": 3000,
        "MOST_NAMES": MIB,
    }.items():
        monkeypatch.setattr(bounded_tar, name, value)


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_is_refused_in_words_and_takes_little_memory(bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "node.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for piece in BOMBS[bomb]():
            packed.write(piece)
        packed.write(END)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"is not read|is damaged") as refused:
            read_tar(path)
        assert tracemalloc.get_traced_memory()[1] < 40 * MIB
    finally:
        tracemalloc.stop()
    assert str(refused.value).count("\n") == 1
    assert len(str(refused.value)) < 300 + len(str(path))


@pytest.mark.parametrize("packer", PACKERS)
def test_a_tar_within_the_bounds_is_read_whole(packer: str, tmp_path: Path) -> None:
    content = io.BytesIO()
    files = {"etc/a": b"", "etc/b": b"x" * 512, "etc/c": bytes(range(256)) * 999, f"etc/{'n' * 180}": b"long"}
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = len(data), {"comment": "c" * 5000}
            archive.addfile(member, io.BytesIO(data))
    path = tmp_path / "node.tar"
    path.write_bytes(PACKERS[packer](content.getvalue()))
    node = read_tar(path)
    assert {name: node.read(f"/{name}") for name in files} == files


@pytest.mark.parametrize("packer", ["gz", "bz2", "xz"])
def test_one_that_is_cut_off_anywhere_is_refused(packer: str, tmp_path: Path) -> None:
    whole = PACKERS[packer](file("etc/a", bytes(range(256)) * 20) + END)
    path = tmp_path / "node.tar"
    for cut in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"is damaged|is not a tar"):
            read_tar(path)


def test_images_beyond_what_is_kept_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "node.tar"
    path.write_bytes(file("boot/one", b"1" * 6 * MIB) + file("boot/two", b"2" * 6 * MIB) + file("etc/x", b"x") + END)
    node = read_tar(path)
    assert node.read("/boot/one", 16 * MIB) == b"1" * 6 * MIB
    with pytest.raises(NodeError, match="too large"):
        node.read("/boot/two")
    assert node.read("/etc/x") == b"x"


def test_xz_that_asks_for_more_memory_than_it_may_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 64 * MIB}]
    path = tmp_path / "node.tar.xz"
    path.write_bytes(lzma.compress(file("etc/a", b"x") + END, filters=filters))
    assert read_tar(path).read("/etc/a") == b"x"
    monkeypatch.setattr(bounded_tar, "DICTIONARY", 32 * MIB)
    with pytest.raises(InputError, match=r"is damaged|is not a tar"):
        read_tar(path)
