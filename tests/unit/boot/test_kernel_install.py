"""systemd-boot's entries, made by kernel-install: what is read of them, what is left alone, and kernel-install itself as the judge."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from boot_nodes import CMDLINE, ENTRIES, INSTALL, KERNELS, LINE, TOKEN, efi, entry, systemd_boot
from hypothesis import given
from hypothesis import strategies as st
from nodes import codes, found, planned, remove

from wizard.boot import next_command_line
from wizard.chapters.iommu.kernel_install import added
from wizard.facts import facts
from wizard.facts.bootloader import BootFacts
from wizard.formats import kernel_arguments
from wizard.model.steps import RunCommand, WriteFile
from wizard.node.recorded import MemoryNode

NEWEST, OLDER = KERNELS


def boot(node: MemoryNode) -> BootFacts:
    return facts.read(node).boot


def test_what_is_read() -> None:
    seen = boot(systemd_boot())
    assert seen.way == "kernel-install"
    assert seen.entries is not None
    assert [(each.path, each.line, each.made) for each in seen.entries] == [
        (f"{ENTRIES}/{TOKEN}-{version}.conf", 5, True) for version in KERNELS
    ]
    assert seen.updates == tuple(
        ("kernel-install", "add", version, f"/boot/vmlinuz-{version}", f"/boot/initrd.img-{version}")
        for version in (OLDER, NEWEST)
    )


def test_the_plan_edits_the_line_and_makes_each_entry_anew_the_booted_one_last() -> None:
    plan = planned(systemd_boot())
    assert not {"IOMMU-BOOTLOADER", "IOMMU-LINE-UNKNOWN"} & set(codes(plan))
    files = [step for step in plan.steps if isinstance(step, WriteFile) and step.path == CMDLINE]
    assert [step.after.data() for step in files] == [f"{LINE} intel_iommu=on iommu=pt\n".encode()]
    commands = [step for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] == "kernel-install"]
    assert [(step.argv[2], step.argv == step.undo, bool(step.proves)) for step in commands] == [
        (OLDER, True, False),
        (NEWEST, True, True),
    ]
    assert plan.kernel_command_line.after_reboot == f"{LINE} intel_iommu=on iommu=pt"


def test_entries_that_were_not_made_of_the_line_are_made_anew() -> None:
    node = systemd_boot()
    node.write(CMDLINE, f"{LINE} intel_iommu=on iommu=pt\n")
    assert [getattr(step, "argv", ("",))[0] for step in planned(node).steps].count("kernel-install") == 2
    for version in KERNELS:
        node.write(f"{ENTRIES}/{TOKEN}-{version}.conf", entry(version, f"{LINE} intel_iommu=on iommu=pt"))
    assert "kernel-install" not in [getattr(step, "argv", ("",))[0] for step in planned(node).steps]


def test_entries_of_others_stay_and_count_for_nothing() -> None:
    node = systemd_boot()
    node.write(f"{ENTRIES}/windows.conf", "title Windows\nefi /EFI/Microsoft/bootmgfw.efi\n")
    node.write(f"{ENTRIES}/memtest.conf", "title Memtest\nlinux /memtest\n")
    node.write(f"{ENTRIES}/rescue.conf", f"title Rescue\nversion {NEWEST}\nlinux /rescue/linux\noptions single\n")
    seen = boot(node)
    assert seen.way == "kernel-install" and len(seen.updates) == 2
    assert [each.made for each in seen.entries or ()] == [True, True, False, False]


def masked(node: MemoryNode) -> None:
    node.symlink("/etc/kernel/install.d/90-loaderentry.install", "/dev/null")


def with_counters(node: MemoryNode) -> None:
    for version in KERNELS:
        remove(node, f"{ENTRIES}/{TOKEN}-{version}.conf")
        node.write(f"{ENTRIES}/{TOKEN}-{version}+3.conf", entry(version, LINE))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda node: remove(node, "/usr/bin/kernel-install"), "kernel-install is not here"),
        (lambda node: remove(node, CMDLINE), f"{CMDLINE} is not there"),
        (lambda node: node.write(CMDLINE, f"# ours\n{LINE}\n"), "holds a comment"),
        (lambda node: node.write(CMDLINE, f"{LINE}\x1b\n"), "holds a control character"),
        (lambda node: node.write("/etc/kernel/install.conf", "layout=uki\n"), "layout=uki"),
        (lambda node: node.write("/etc/kernel/install.conf", "layout=bls\n# x\nlayout=other\n"), "layout=other"),
        (lambda node: node.write("/etc/kernel/tries", "3\n"), "/etc/kernel/tries is there"),
        (lambda node: remove(node, f"{INSTALL}/90-loaderentry.install"), "is not installed"),
        (masked, "is masked"),
        (lambda node: remove(node, "/boot/efi/loader"), "there are no boot entries"),
        (lambda node: node.write("/efi/loader/entries/a.conf", "linux /a\n"), "which of them is booted is not known"),
        (lambda node: remove(node, f"/boot/vmlinuz-{OLDER}"), "is not on the root file system"),
        (lambda node: remove(node, f"/boot/initrd.img-{OLDER}"), "no plugin of kernel-install makes one"),
        (with_counters, "holds no entry that kernel-install made"),
    ],
)
def test_where_it_is_not_certain_the_words_are_printed_and_nothing_is_done(change: object, why: str) -> None:
    node = systemd_boot()
    change(node)  # type: ignore[operator]
    plan = planned(node)
    finding = found(plan, "IOMMU-BOOTLOADER")
    assert finding.severity == "blocks"
    assert why in finding.seen
    assert "intel_iommu=on iommu=pt" in finding.do and "kernel-install add" in finding.do
    assert not [step for step in plan.steps if getattr(step, "argv", ("",))[0] == "kernel-install"]


def test_a_unified_image_is_told_as_one() -> None:
    node = efi(systemd_boot(), StubInfo="systemd-stub 257")
    node.write("/proc/cmdline", f"{LINE}\n")
    assert boot(node).way == "unified-image"
    assert "signed anew where Secure Boot is on" in found(planned(node), "IOMMU-BOOTLOADER").do


def test_an_initramfs_of_its_own_generator_is_left_to_it() -> None:
    node = systemd_boot()
    for version in KERNELS:
        remove(node, f"/boot/initrd.img-{version}")
    node.write(f"{INSTALL}/50-dracut.install", "", mode=0o755)
    assert [argv[2:] for argv in boot(node).updates] == [(each, f"/boot/vmlinuz-{each}") for each in (OLDER, NEWEST)]


@given(
    st.text(alphabet=st.sampled_from("a=.\"' \t\n$1"), max_size=40),
    st.sampled_from([["intel_iommu=on", "iommu=pt"], ["iommu=pt"]]),
)
def test_the_line_keeps_what_it_holds_and_ends_with_the_words(text: str, words: list[str]) -> None:
    after = (added(words, text.encode()) or b"").decode()
    assert after.split() == [*text.split(), *words]
    assert after.startswith(text.rstrip()) and after.endswith(text[len(text.rstrip()) :])


@pytest.mark.skipif(
    not shutil.which("kernel-install") or not Path(INSTALL, "90-loaderentry.install").exists(),
    reason="kernel: kernel-install with 90-loaderentry is not here",
)
@pytest.mark.parametrize("line", [LINE, f"{LINE}\n\n", "  root=/dev/sda2\tro \n quiet\n", 'root=LABEL="a b" ro'])
def test_kernel_install_itself_makes_what_is_foretold(tmp_path: Path, line: str) -> None:
    place = tmp_path / "boot"
    settings = tmp_path / "kernel"
    (place / "loader/entries").mkdir(parents=True)
    settings.mkdir()
    (settings / "install.conf").write_text("layout=bls\n")
    (settings / "cmdline").write_bytes(added(["intel_iommu=on", "iommu=pt"], line.encode()) or b"")
    (settings / "entry-token").write_text(f"{TOKEN}\n")
    (tmp_path / "vmlinuz").write_text("kernel")
    (tmp_path / f"initrd.img-{NEWEST}").write_text("image")
    own = {
        "BOOT_ROOT": str(place),
        "KERNEL_INSTALL_CONF_ROOT": str(settings),
        "MACHINE_ID": TOKEN,
        "KERNEL_INSTALL_MACHINE_ID": TOKEN,
    }
    plugins = {"KERNEL_INSTALL_PLUGINS": f"{INSTALL}/90-loaderentry.install"}
    subprocess.run(
        ["kernel-install", "add", NEWEST, str(tmp_path / "vmlinuz"), str(tmp_path / f"initrd.img-{NEWEST}")],
        env={**os.environ, **own, **plugins},
        check=True,
    )
    (made,) = (place / "loader/entries").iterdir()
    node = systemd_boot(kernels=(NEWEST,))
    remove(node, f"{ENTRIES}/{TOKEN}-{NEWEST}.conf")
    node.write(f"{ENTRIES}/{made.name}", made.read_text())
    node.write(CMDLINE, (settings / "cmdline").read_bytes())
    seen = facts.read(node)
    (one,) = seen.boot.entries or ()
    assert one.made and seen.boot.way == "kernel-install"
    foretold = next_command_line.next_boot(seen).arguments
    assert foretold is not None
    assert kernel_arguments.missing(one.arguments, kernel_arguments.split(foretold)) == []
    assert one.arguments.split()[:-1] == foretold.split()


def test_entries_whose_copy_of_the_initramfs_nothing_renews_are_not_promised() -> None:
    node = systemd_boot()
    assert not boot(node).images_follow
    node.write("/etc/initramfs/post-update.d/systemd-boot", "", mode=0o755)
    assert boot(node).images_follow
    assert boot(MemoryNode()).images_follow
