"""The guest's parts: archive, modules, arguments, and what it says; judged by cpio and by any text."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.probes.guest import cpio, qemu
from wizard.probes.guest import modules as guest_modules
from wizard.probes.guest import report as guest_report

SAMPLE = [
    cpio.file("init", b"#!/bin/sh\n", executable=True),
    cpio.file("lib/x86_64/libc.so.6", b"\x7fELF" + bytes(1021)),
    cpio.file("empty", b""),
    cpio.link("bin/sh", "busybox"),
    cpio.character_device("dev/console", 5, 1),
]


def unpacked(archive: bytes, *words: str, cwd: Path) -> str:
    if shutil.which("cpio") is None:
        pytest.skip("cpio: the program is not installed")
    done = subprocess.run(["cpio", *words], input=archive, capture_output=True, check=True, cwd=cwd)
    return done.stdout.decode()


def test_cpio_lists_it(tmp_path: Path) -> None:
    listed = unpacked(cpio.archive(SAMPLE, directories=("proc", "sys")), "--quiet", "-tv", "-n", cwd=tmp_path)
    rows = [line.split() for line in listed.splitlines()]
    assert [(row[0], row[-1]) for row in rows if row[0].startswith("d")] == [
        ("drwxr-xr-x", name) for name in ("bin", "dev", "lib", "lib/x86_64", "proc", "sys")
    ]
    assert next(row[:6] for row in rows if row[-1] == "dev/console") == ["crw-------", "1", "0", "0", "5,", "1"]
    assert any(row[-3:] == ["bin/sh", "->", "busybox"] for row in rows)
    assert {"init": "-rwxr-xr-x", "empty": "-rw-r--r--"}.items() <= {row[-1]: row[0] for row in rows}.items()


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,5}(/[a-z]{1,9}){0,2}", fullmatch=True), st.binary(max_size=40), max_size=6)
)
def test_cpio_gives_back_what_was_put_in(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    files = {
        path: content for path, content in files.items() if not any(other.startswith(f"{path}/") for other in files)
    }
    place = tmp_path_factory.mktemp("unpacked")
    unpacked(cpio.archive(cpio.file(path, content) for path, content in files.items()), "--quiet", "-id", cwd=place)
    found = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert found == files


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a\0b", "n" * 5000])
def test_no_path_leads_out(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        cpio.archive([cpio.file(path, b"")])


DEP = """kernel/drivers/net/ethernet/mellanox/mlx5/core/mlx5_core.ko.xz: kernel/mlxfw.ko.xz kernel/psample.ko.xz kernel/pci-hyperv-intf.ko.xz
kernel/mlxfw.ko.xz:
kernel/psample.ko.xz:
kernel/pci-hyperv-intf.ko.xz:
"""
ALIAS = """# Aliases extracted from modules themselves.
alias pci:v000015B3d00001018sv*sd*bc*sc*i* mlx5_core
alias pci:v00008086d000010CAsv*sd*bc*sc*i* igbvf
alias vfio_pci:v000015B3d00001018sv*sd*bc*sc*i* mlx5_vfio_pci
"""


def test_modules_come_after_what_they_need() -> None:
    names = guest_modules.drivers(ALIAS, "pci:v000015B3d00001018sv000015B3sd00000121bc02sc00i00")
    assert names == ("mlx5_core",)
    files = [path.rpartition("/")[2] for path in guest_modules.paths(DEP, (*names, "mlx5-core", "not_there"))]
    assert files == ["pci-hyperv-intf.ko.xz", "psample.ko.xz", "mlxfw.ko.xz", "mlx5_core.ko.xz"]
    assert guest_modules.drivers(ALIAS, "pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00") == ()


def test_the_guest_has_one_device_and_nothing_else() -> None:
    guest = qemu.Guest(
        "/usr/bin/qemu-system-x86_64", "/boot/vmlinuz", "/dev/fd/7", qemu.assigned("0000:3b:00.4"), "cw-1", True
    )
    words = qemu.arguments(guest)
    assert words[0] == "/usr/bin/qemu-system-x86_64"
    assert [words[at + 1] for at, word in enumerate(words) if word == "-device"] == [
        "pcie-root-port,id=cw,chassis=1",
        "vfio-pci,host=0000:3b:00.4,rombar=0,bus=cw",
    ]
    assert {"-nodefaults", "-no-user-config", "-no-reboot"} <= set(words)
    assert not {"-nic", "-netdev", "-drive", "-monitor", "-vnc"} & set(words)
    assert "ipv6.disable=1" in words[words.index("-append") + 1]
    assert words[words.index("-accel") + 1] == "kvm"


SAID = """[    0.1] something of the kernel\r
cw-1 kernel 6.1.0-56-amd64\r
cw-1 problem mlx5_core.ko: insmod: ERROR: could not insert module\r
cw-1 pci 0000:00:00.0 0x060000 0x8086 0x29c0 none\r
cw-1 pci 0000:01:00.0 0x020000 0x15b3 0x1018 mlx5_core\r
cw-1 net eth0 0c:42:a1:00:00:01 1\r
cw-1 net eth1 0c:42:a1:00:00:02 unknown\r
cw-1 port 1 ACTIVE\r
cw-1 end\r
""".splitlines()


def test_what_the_guest_says() -> None:
    report = guest_report.read(SAID, "cw-1")
    assert report.whole
    assert report.kernel == "6.1.0-56-amd64"
    assert report.device(qemu.DEVICE) == guest_report.Device(qemu.DEVICE, "020000", "15b3", "1018", "mlx5_core")
    assert report.device("0000:00:00.0") == guest_report.Device("0000:00:00.0", "060000", "8086", "29c0", "")
    assert report.links == ("eth0 0c:42:a1:00:00:01 link up", "eth1 0c:42:a1:00:00:02 link unknown", "port 1 ACTIVE")
    assert report.problems == ("mlx5_core.ko: insmod: ERROR: could not insert module",)
    assert report.console == ("[    0.1] something of the kernel",)
    assert [guest_report.ended(line, "cw-1") for line in SAID].count(True) == 1


def test_another_guest_s_lines_are_not_ours() -> None:
    report = guest_report.read(SAID, "cw-2")
    assert (report.whole, report.devices) == (False, ())
    assert len(report.console) == len(SAID)


@given(st.lists(st.text(max_size=60)), st.lists(st.text(max_size=30)))
def test_any_text_is_borne(lines: list[str], ours: list[str]) -> None:
    guest_report.read([*lines, *(f"cw-1 {text}" for text in ours), *(f"cw-1 pci {text}" for text in ours)], "cw-1")
