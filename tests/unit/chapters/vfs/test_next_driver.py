"""The driver that the card gets at the next boot: what keeps its own away is named with file and line, and verify does not hold."""

from __future__ import annotations

import pytest
from nodes import codes, found, planned, remove, today

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.node.recorded import MemoryNode
from wizard.planning.verification import verify

FIRST = "0000:3b:00.0"
CX5 = "/sys/devices/pci0000:30/0000:30:02.0/0000:3b:00.0"
CARD = {"card": [{"match": {"address": FIRST}, "count": 8}]}
GRUB = "/etc/default/grub.d/99-x.cfg"
LINE = 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {}"\n'


def with_files(files: dict[str, str]) -> MemoryNode:
    node = today()
    for path, text in files.items():
        node.write(path, text)
    return node


KEPT_AWAY = [
    ("/etc/modprobe.d/b.conf", "# x\nblacklist mlx5_core\n", "line 2"),
    ("/etc/modprobe.d/b.conf", "blacklist mlx5-core\n", "line 1"),
    ("/usr/lib/modprobe.d/b.conf", "blacklist mlx5_core\n", "line 1"),
    ("/etc/modprobe.d/b.conf", "install mlx5_core /bin/false\n", "line 1"),
    ("/etc/modprobe.d/b.conf", "install mlx5_core /usr/bin/true\n", "line 1"),
    ("/etc/modprobe.d/b.conf", "install mlx5_core \\\n  :\n", "line 1"),
    ("/etc/modprobe.d/v.conf", "options vfio-pci ids=10de:1234,15b3:1017 disable_vga=1\n", "line 1"),
    ("/etc/modprobe.d/v.conf", "options vfio_pci ids=15B3:1017\n", "line 1"),
    ("/etc/modprobe.d/v.conf", "options pci-stub ids=15b3:1017\n", "line 1"),
    ("/etc/driverctl.d/0000:3b:00.0", "vfio-pci\n", "line 1"),
    ("/etc/driverctl.d/pci-0000:3b:00.0", "vfio-pci\n", "line 1"),
    ("/etc/initramfs-tools/modules", "# x\nvfio_pci ids=15b3:1017\n", "line 2"),
    (
        "/etc/udev/rules.d/5-v.rules",
        'SUBSYSTEM=="pci", KERNEL=="0000:3b:00.0", ATTR{driver_override}="vfio-pci"\n',
        "line 1",
    ),
    (GRUB, LINE.format("modprobe.blacklist=nouveau,mlx5_core"), "line 1"),
    (GRUB, LINE.format("module_blacklist=mlx5_core"), "line 1"),
    (GRUB, LINE.format("rd.driver.blacklist=mlx5_core"), "line 1"),
    (GRUB, LINE.format("vfio-pci.ids=15b3:1017"), "line 1"),
    (GRUB, LINE.format("vfio_pci.ids=15b3:1017:ffffffff:ffffffff"), "line 1"),
]


@pytest.mark.parametrize(("path", "text", "line"), KEPT_AWAY)
def test_what_keeps_the_driver_away_is_named_with_its_place(path: str, text: str, line: str) -> None:
    node = with_files({path: text})
    finding = found(planned(node, vfs=CARD, passthrough=None), "VFS-DRIVER-AT-BOOT")
    assert finding.severity == "warns"
    assert f"{path} {line}: " in finding.seen
    checks = {check.what: check for check in verify(facts.read(node), answer_files.from_data({"vfs": CARD}))}
    held = checks[f"{FIRST} gets 8 VFs at each boot"]
    assert held.state == "failed"
    assert f"{path} {line}" in held.seen


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/modprobe.d/b.conf", "blacklist mlx5_ib\nblacklist ixgbe\n"),
        ("/etc/modprobe.d/b.conf", "#blacklist mlx5_core\n"),
        ("/etc/modprobe.d/b.disabled", "blacklist mlx5_core\n"),
        ("/etc/modprobe.d/b.conf", "install mlx5_core /sbin/modprobe --ignore-install mlx5_core\n"),
        ("/etc/modprobe.d/v.conf", "options vfio-pci ids=15b3:1018\n"),  # the VFs' own id
        ("/etc/modprobe.d/v.conf", "options vfio-pci ids=15b3:1017:1111:2222\n"),  # another maker's board
        ("/etc/modprobe.d/v.conf", "options vfio-pci ids=15b3:1017:ffffffff:ffffffff:010000:ff0000\n"),  # storage
        ("/etc/driverctl.d/0000:18:00.0", "vfio-pci\n"),
        ("/etc/initramfs-tools/modules", "vfio_pci ids=15b3:1018\nmlx5_core\nblacklist mlx5_core\n"),
        ("/etc/udev/rules.d/5-v.rules", 'SUBSYSTEM=="pci", KERNEL=="0000:18:00.0", ATTR{driver_override}="vfio-pci"\n'),
        ("/etc/driverctl.d/0000:3b:00.0", "mlx5_core\n"),
        (GRUB, LINE.format("modprobe.blacklist=nouveau vfio-pci.ids=15b3:1018")),
        (
            "/usr/lib/modules/6.8.0-79-generic/modules.builtin",
            "kernel/drivers/net/ethernet/mellanox/mlx5/core/mlx5_core.ko\n",
        ),
    ],
)
def test_what_leaves_the_card_its_driver_is_no_finding(path: str, text: str) -> None:
    node = with_files({path: text})
    if "builtin" in path:
        node.write("/etc/modprobe.d/b.conf", "blacklist mlx5_core\n")
    assert "VFS-DRIVER-AT-BOOT" not in codes(planned(node, vfs=CARD, passthrough=None))


def test_a_card_without_a_driver_is_told_what_keeps_it_away() -> None:
    node = with_files({"/etc/modprobe.d/b.conf": "blacklist mlx5_core\n"})
    remove(node, f"{CX5}/driver")
    for severity, vfs in (("warns", None), ("blocks", CARD)):
        finding = next(
            each
            for each in planned(node, vfs=vfs, passthrough=None).findings
            if FIRST in each.seen and each.code == "VFS-NOT-OFFERED"
        )
        assert finding.severity == severity
        assert "/etc/modprobe.d/b.conf line 1: blacklist mlx5_core" in finding.do
