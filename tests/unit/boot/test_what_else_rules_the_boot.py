"""What else rules the next boot: other people's entries and words, loaders that are not GRUB, kexec, GRUB's own variables."""

from __future__ import annotations

import pytest
from nodes import codes, found, origin, planned, today

from wizard.facts import boot_evidence, bootloader, facts, system
from wizard.formats.grub_cfg import linux_lines
from wizard.model.plan import Plan
from wizard.node.recorded import MemoryNode

MENU, DEFAULT = "/boot/grub/grub.cfg", "/etc/default/grub"
VARIABLES = "/sys/firmware/efi/efivars"
OURS = """\
### BEGIN /etc/grub.d/10_linux ###
menuentry 'Ubuntu' $menuentry_id_option 'gnulinux-simple-1' {
\tlinux\t/boot/vmlinuz-1 root=UUID=1 ro quiet
}
menuentry 'Ubuntu, Linux 1 (Wiederherstellung)' $menuentry_id_option 'gnulinux-1-recovery-1' {
\tlinux\t/boot/vmlinuz-1 root=UUID=1 ro nomodeset
}
### END /etc/grub.d/10_linux ###
"""


def section(name: str, linux: str, head: str = "menuentry 'other' {") -> str:
    return f"### BEGIN /etc/grub.d/{name} ###\n{head}\n\t{linux}\n}}\n### END /etc/grub.d/{name} ###\n"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (OURS + section("20_memtest86+", "linux16 /boot/memtest86+.bin console=ttyS0"), [True, True, False]),
        (OURS + section("30_os-prober", "linux /boot/vmlinuz-9 root=UUID=9 quiet"), [True, True, False]),
        (OURS + section("40_custom", "linux /boot/vmlinuz-1 root=UUID=1 ro mine"), [True, True, False]),
        (OURS + section("41_snapshots-btrfs", "linux /@/boot/vmlinuz-1 root=UUID=1 ro quiet"), [True, True, False]),
        (section("10_linux_zfs", "linux /vmlinuz-1 root=ZFS=rpool ro"), [True]),
        (section("31_linux_proxy", "linux /vmlinuz-1 root=UUID=1 ro"), [True]),
        (section("20_linux_xen", "linux /vmlinuz-1 root=UUID=1 ro"), [False]),
        (section("40_custom", "linux /vmlinuz-1 root=UUID=1 ro") + OURS, [False, True, True]),
        ("menuentry 'a' {\nlinux /v root=UUID=1 ro\n}\nmenuentry 'm' {\nlinux16 /memtest.bin\n}\n", [True, False]),
        (
            "menuentry 'a' {\nlinux /v root=UUID=1\n}\nmenuentry 'b' $menuentry_id_option 'osprober-x' {\nlinux /v root=UUID=1\n}\n",
            [True, False],
        ),
    ],
)
def test_which_entries_are_made_of_the_settings(text: str, made: list[bool]) -> None:
    assert [line.made for line in linux_lines(text.encode())] == made


def test_a_recovery_entry_is_known_by_its_id_in_any_language() -> None:
    assert [line.recovery for line in linux_lines(OURS.encode())] == [False, True]


@pytest.mark.parametrize(
    "foreign",
    [section("20_memtest86+", "linux16 /boot/memtest86+.bin"), section("30_os-prober", "linux /v root=UUID=9 quiet")],
)
def test_entries_of_others_make_nothing_due(foreign: str) -> None:
    node = origin()
    before = [step for step in planned(node).steps if getattr(step, "argv", ("",))[0] == "update-grub"]
    lines = facts.read(node).boot.entries
    node.write(MENU, node.entries[MENU].content.decode() + foreign)
    seen = facts.read(node).boot.entries
    assert lines is not None
    assert seen is not None
    assert len(seen) == len(lines) + 1
    after = [step for step in planned(node).steps if getattr(step, "argv", ("",))[0] == "update-grub"]
    assert before == after


def loader(node: MemoryNode, **variables: str) -> MemoryNode:
    for name, text in variables.items():
        content = b"\6\0\0\0" + text.encode("utf-16-le") + b"\0\0"
        node.write(f"{VARIABLES}/{name}-{boot_evidence.LOADER_GUID}", content)
    return node


@pytest.mark.parametrize(
    ("line", "variables", "way"),
    [
        ("root=UUID=1 ro quiet", {"LoaderInfo": "systemd-boot 252", "StubInfo": "systemd-stub 252"}, "unified-image"),
        ("root=UUID=1 ro quiet", {"StubInfo": "systemd-stub 255"}, "unified-image"),
        ("initrd=\\EFI\\a root=UUID=1", {}, "systemd-boot"),
        ("initrd=initrd.img root=UUID=1", {}, "unknown"),
        ("BOOT_IMAGE=/boot/vmlinuz root=UUID=1", {"LoaderInfo": "GRUB 2.12"}, "grub"),
        ("BOOT_IMAGE=/boot/vmlinuz root=UUID=1", {"LoaderInfo": "systemd-boot 252"}, "grub"),
        ("root=UUID=1 ro", {}, "grub"),
    ],
)
def test_a_grub_that_only_lies_there_makes_no_next_boot(line: str, variables: dict[str, str], way: str) -> None:
    node = loader(origin(), **variables)
    node.write("/proc/cmdline", f"{line}\n")
    assert bootloader.read(node, system.read(node)).way.startswith(way)
    assert ("IOMMU-BOOTLOADER" in codes(planned(node))) is (way != "grub")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("LOAD_KEXEC=true\n", True),
        ('LOAD_KEXEC="true"\n', True),
        ("LOAD_KEXEC=false\n", False),
        ("#LOAD_KEXEC=true\n", False),
    ],
)
def test_reboots_through_kexec_are_told(settings: str, told: bool) -> None:
    node = origin()
    node.write("/etc/default/kexec", settings)
    assert "BOOT-KEXEC" not in codes(planned(node))  # nothing runs it: kexec is not installed
    node.write("/sbin/kexec", "")
    assert ("BOOT-KEXEC" in codes(planned(node))) is told


def test_grubs_own_variables_are_put_in() -> None:
    node = origin()
    node.write(DEFAULT, 'GRUB_CMDLINE_LINUX_DEFAULT="\\$tuned_params"\nGRUB_CMDLINE_LINUX=""\n')
    node.write("/boot/grub/grubenv", "# GRUB Environment Block\ntuned_params=isolcpus=2-7 iommu=off\n#####")
    plan = planned(node)
    finding = found(plan, "IOMMU-OFF-ELSEWHERE")
    assert finding.severity == "blocks"
    assert "/boot/grub/grubenv line 2" in finding.seen


def pending(words: str, **answers: object) -> Plan:
    node = origin()
    running = node.entries["/proc/cmdline"].content.decode().split()
    node.write(DEFAULT, f'GRUB_CMDLINE_LINUX="{" ".join(running[3:])} {words}"\n')
    return planned(node, iommu={"enable": True, **answers})


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("net.ifnames=0", "blocks"),
        ("biosdevname=1", "blocks"),
        ("root=/dev/sdb1", "blocks"),
        ("rd.break", "blocks"),
        ("mem=4G", "blocks"),
        ("modprobe.blacklist=mlx4_core", "blocks"),
        ("systemd.unit=rescue.target", "blocks"),
        ("init=/bin/sh", "blocks"),
        ("console=ttyS1", "tells"),
        ("mitigations=off", "tells"),
    ],
)
def test_words_of_others_that_wake_at_our_reboot_are_told_and_accepted_one_by_one(word: str, severity: str) -> None:
    finding = found(pending(word), "BOOT-PENDING-WORD")
    assert finding.severity == severity
    assert f"{DEFAULT} line 1: {word}" in finding.seen
    assert ("iommu" in pending(word).blocked) is (severity == "blocks")
    accepted = pending(word, accept=[word])
    assert found(accepted, "BOOT-PENDING-WORD").severity == "tells"
    assert not accepted.blocked
    both = pending(f"{word} init=/x", accept=[word])
    assert "iommu" in both.blocked


def test_what_runs_already_and_what_is_ours_wakes_nothing() -> None:
    assert "BOOT-PENDING-WORD" not in codes(pending(""))
    assert "BOOT-PENDING-WORD" not in codes(planned(today()))


def test_the_interfaces_that_would_be_renamed_and_the_files_that_name_them() -> None:
    node = origin()
    running = node.entries["/proc/cmdline"].content.decode().split()
    node.write(DEFAULT, f'GRUB_CMDLINE_LINUX="{" ".join(running[3:])} net.ifnames=0"\n')
    name = next(link.name for link in facts.read(node).network.links if link.kind == "physical")
    node.write("/etc/network/interfaces.d/own", f"auto {name}\niface {name} inet dhcp\n")
    why = found(planned(node), "BOOT-PENDING-WORD").why
    assert name in why
    assert "/etc/network/interfaces.d/own" in why


@pytest.mark.parametrize("content", [b'X="open\n', b"X=a b\n", b"source /x\n", b"\xef\xbb\xbfX=1\n", b"\r\n"])
@pytest.mark.parametrize("place", [DEFAULT, "/etc/default/grub.d/50-other.cfg"])
@pytest.mark.parametrize("drop_ins", [True, False])
def test_what_ends_grub_mkconfig_blocks_in_drop_ins_and_in_place(content: bytes, place: str, drop_ins: bool) -> None:
    node = origin()
    if not drop_ins:
        node.write("/usr/sbin/grub-mkconfig", "#!/bin/sh\n. /etc/default/grub\n")
    node.write(place, content)
    plan = planned(node)
    if drop_ins or place == DEFAULT:
        assert found(plan, "IOMMU-LINE-UNKNOWN").severity == "blocks"
        assert f"{place} line 1" in found(plan, "IOMMU-LINE-UNKNOWN").seen
    else:
        assert "IOMMU-LINE-UNKNOWN" not in codes(plan)


def test_a_drop_in_of_ours_that_a_shell_would_refuse_blocks() -> None:
    node = origin()
    node.write(DEFAULT, 'readonly GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
    assert found(planned(node), "IOMMU-LINE-UNKNOWN").severity == "blocks"
