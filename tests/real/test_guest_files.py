"""The guest's initramfs from this machine's own programs: unpacked by cpio, its programs start with nothing but what is in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import needs
import pytest

from wizard.errors import NotThere
from wizard.node.live import LiveNode
from wizard.node.recorded import DirectoryNode
from wizard.probes.guest import image as guest_files
from wizard.probes.guest.image import Driver

MODULES = Driver(("igb",), (("dca.ko", b"one"), ("igb.ko.xz", b"two")))
STARTS = {"sh": ["-c", ":"], "mount": ["--version"], "sleep": ["0"], "insmod": ["--version"], "ip": ["-V"]}


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"{program}: the program is not installed")


def unpacked(tmp_path: Path) -> Path:
    need("cpio", "insmod", "mount", "ldd")
    place = tmp_path / "guest"
    place.mkdir()
    words = ["cpio", "-id", "--quiet", "--nonmatching", "dev/*"]  # device nodes need rights that a test may not have
    subprocess.run(words, input=guest_files.initramfs(LiveNode(), MODULES), cwd=place, check=True, capture_output=True)
    return place


def test_it_holds_the_driver_in_its_order(tmp_path: Path) -> None:
    place = unpacked(tmp_path)
    assert (place / "modules/order").read_text(encoding="ascii") == "dca.ko\nigb.ko.xz\n"
    assert (place / "modules/igb.ko.xz").read_bytes() == b"two"
    assert (place / "init").stat().st_mode & 0o111


@pytest.mark.parametrize("name", STARTS)
def test_each_program_starts_with_what_is_in_it(name: str, tmp_path: Path) -> None:
    needs.root("to change the root")
    need(name, "chroot")
    place = unpacked(tmp_path)
    done = subprocess.run(
        ["/usr/sbin/chroot", place, f"/bin/{name}", *STARTS[name]],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/bin"},
    )
    assert done.returncode == 0, done.stderr


def test_a_node_without_a_shell_cannot(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="the command sh is not on this node"):
        guest_files.initramfs(DirectoryNode(tmp_path), Driver((), ()))


def test_the_kernel_and_its_modules_are_found_where_they_are(tmp_path: Path) -> None:
    node = DirectoryNode(tmp_path)
    with pytest.raises(NotThere, match="has no image"):
        guest_files.kernel(node, "6.1.0")
    place = tmp_path / "lib/modules/6.1.0"
    place.mkdir(parents=True)
    (place / "vmlinuz").write_bytes(b"")
    assert guest_files.kernel(node, "6.1.0") == "/lib/modules/6.1.0/vmlinuz"
    assert guest_files.driver(node, "6.1.0", "pci:v00008086d000010CAsv0sd0bc02sc00i00") == Driver((), ())
    (place / "modules.alias").write_text("alias pci:v00008086d000010CAsv*sd*bc*sc*i* igbvf\n", encoding="ascii")
    (place / "modules.dep").write_text("kernel/igbvf.ko:\n", encoding="ascii")
    (place / "kernel").mkdir()
    (place / "kernel/igbvf.ko").write_bytes(b"module")
    found = guest_files.driver(node, "6.1.0", "pci:v00008086d000010CAsv0sd0bc02sc00i00")
    assert found == Driver(("igbvf",), (("igbvf.ko", b"module"),))
