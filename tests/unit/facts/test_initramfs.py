"""What an initramfs holds of modprobe.d, in the forms in which distributions make it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.facts.initramfs import modprobe_files
from wizard.node.live import LiveNode
from wizard.node.recorded import MemoryNode
from wizard.simulator.boot import archive

FILES = {"etc/modprobe.d/mlx4_core.conf": b"options mlx4_core num_vfs=16\n", "usr/lib/modprobe.d/aa.conf": b"# x\n"}
OTHER = {"kernel/x86/microcode/GenuineIntel.bin": b"\1\2\3"}
IMAGE = "/boot/initrd.img-1"


def looked_into(content: bytes) -> tuple[dict[str, bytes] | None, str]:
    node = MemoryNode()
    node.write(IMAGE, content)
    return modprobe_files(node, IMAGE)


@pytest.mark.parametrize(
    "content",
    [
        archive(FILES),
        archive(OTHER) + archive(FILES),
        archive(OTHER) + b"\0" * 512 + gzip.compress(archive(FILES)),
        gzip.compress(archive(FILES)),
        lzma.compress(archive(FILES)),
        bz2.compress(archive(FILES)),
    ],
    ids=["plain", "two archives", "microcode, gzip", "gzip", "xz", "bzip2"],
)
def test_the_forms_of_an_image(content: bytes) -> None:
    assert looked_into(content) == (FILES, "")


def test_zstd_needs_the_node_s_own_tool(tmp_path: Path) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("zstd: the program is not installed")
    packed = subprocess.run(["zstd", "-q", "-c"], input=archive(FILES), capture_output=True, check=True).stdout
    held, why = looked_into(packed)
    assert held is None
    assert "zstd" in why
    (tmp_path / "image").write_bytes(archive(OTHER) + packed)
    assert modprobe_files(LiveNode(), str(tmp_path / "image")) == (FILES, "")


def test_a_real_archive(tmp_path: Path) -> None:
    if shutil.which("cpio") is None:
        pytest.skip("cpio: the program is not installed")
    place = tmp_path / "etc/modprobe.d"
    place.mkdir(parents=True)
    (place / "mlx4_core.conf").write_bytes(b"options mlx4_core num_vfs=4\n")
    (place / "readme").write_bytes(b"no")
    names = b"etc\netc/modprobe.d\netc/modprobe.d/mlx4_core.conf\netc/modprobe.d/readme\n"
    made = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"], cwd=tmp_path, input=names, capture_output=True, check=True
    ).stdout
    assert looked_into(made) == ({"etc/modprobe.d/mlx4_core.conf": b"options mlx4_core num_vfs=4\n"}, "")


def test_an_image_that_is_empty_or_not_there_says_so() -> None:
    assert "empty" in looked_into(b"")[1]
    assert "no such file" in modprobe_files(MemoryNode(), IMAGE)[1]


@given(st.binary(max_size=200), st.integers(0, 300))
def test_damage_is_told_and_never_an_exception(noise: bytes, cut: int) -> None:
    for content in (noise, archive(FILES)[:cut] + noise, gzip.compress(archive(FILES))[:cut] + noise):
        held, why = looked_into(content)
        assert held is not None or why


@pytest.mark.parametrize("target", ["../../srv/x.opts", "/srv/x.opts"])
def test_a_link_is_followed_to_what_was_copied_beside_it(tmp_path: Path, target: str) -> None:
    """As mkinitramfs makes it where a file, or /etc/modprobe.d itself, is a link on the node."""
    if shutil.which("cpio") is None:
        pytest.skip("cpio: the program is not installed")
    for place in ("etc/modprobe.d", "srv"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "srv/x.opts").write_bytes(b"options mlx4_core num_vfs=4\n")
    links = {"mlx4_core": target, "masked": "/dev/null", "gone": "nowhere.conf", "round": "round.conf"}
    for name, leads in links.items():
        (tmp_path / f"etc/modprobe.d/{name}.conf").symlink_to(leads)
    names = "".join(f"etc/modprobe.d/{name}.conf\n" for name in links).encode() + b"srv/x.opts\n"
    made = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"], cwd=tmp_path, input=names, capture_output=True, check=True
    ).stdout
    expected = {"etc/modprobe.d/mlx4_core.conf": b"options mlx4_core num_vfs=4\n", "etc/modprobe.d/masked.conf": b""}
    assert looked_into(made) == (expected, "")
