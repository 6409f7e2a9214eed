"""grub.cfg: which entries there are, and what each gives to the kernel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wizard.formats.grub_cfg import LinuxLine, linux_lines

MENU = b"""\
set timeout=5
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple' {
\tlinux\t/boot/vmlinuz-6.12.74 root=UUID=aa-bb ro  quiet intel_iommu=on
\tinitrd\t/boot/initrd.img-6.12.74
}
submenu "Advanced options" {
\tmenuentry 'Debian GNU/Linux, with Linux 6.12.74 (recovery mode)' {
\t\tlinux\t/boot/vmlinuz-6.12.74 root=UUID=aa-bb ro single
\t}
}
menuentry "old" {
  linux16 /vmlinuz-3.10 root=/dev/mapper/vg-root ro rd.lvm.lv=vg/root rhgb quiet
}
"""


def test_the_lines_of_a_menu() -> None:
    assert linux_lines(MENU) == [
        LinuxLine("Debian GNU/Linux", 3, "/boot/vmlinuz-6.12.74 root=UUID=aa-bb ro", "quiet intel_iommu=on", False),
        LinuxLine(
            "Debian GNU/Linux, with Linux 6.12.74 (recovery mode)",
            8,
            "/boot/vmlinuz-6.12.74 root=UUID=aa-bb ro",
            "single",
            True,
        ),
        LinuxLine(
            "old", 12, "/vmlinuz-3.10 root=/dev/mapper/vg-root ro", "rd.lvm.lv=vg/root rhgb quiet", False, made=False
        ),
    ]


@given(st.binary(max_size=300))
def test_anything_is_read(content: bytes) -> None:
    for line in linux_lines(content + b"\n" + MENU):
        assert line.line >= 1
