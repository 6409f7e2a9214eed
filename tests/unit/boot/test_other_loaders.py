"""Whatever boots a node: applied, rebooted, verified, nothing left to plan, undone; or the exact words to do it by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from boot_nodes import CMDLINE, ENTRIES, efi, ostree, rhel, systemd_boot, without_grub
from nodes import found, planned, today

from wizard.answers import files as answer_files
from wizard.apply import launch
from wizard.errors import Exit
from wizard.facts import facts, system
from wizard.facts.bootloaders import registry
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand
from wizard.node.recorded import MemoryNode
from wizard.planning import reboot_advice
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import verify
from wizard.runs.journal import follow
from wizard.simulator.built_in import simulate
from wizard.simulator.simulated_node import SimulatedNode

IOMMU = answer_files.from_data({"iommu": {"enable": True, "passthrough_mode": True}})
WORDS = {"intel_iommu=on", "iommu=pt"}
ADDED = "root=UUID=4711 ro intel_iommu=on iommu=pt"


def run(node: SimulatedNode, plan: Plan) -> Exit:
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    return launch.result(started)


def boot_files(node: SimulatedNode) -> dict[str, bytes]:
    places = [
        node.place("/etc/kernel"),
        node.place("/boot"),
        node.place("/etc/default"),
        node.place("/.compute-wizard/commands"),
    ]
    return {str(path): path.read_bytes() for place in places for path in sorted(place.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "made", [systemd_boot, ostree, rhel, lambda: rhel("10.0"), lambda: rhel("8.10", ("4.18.0-553.el8",))]
)
def test_the_whole_way_and_back(made: Callable[[], MemoryNode], tmp_path: Path) -> None:
    node = simulate(made(), tmp_path)
    before = boot_files(node)
    plan = make_plan(facts.read(node), IOMMU)
    assert [finding.code for finding in plan.findings if finding.severity == "blocks"] == []
    assert run(node, plan) is Exit.DONE
    assert [step for step in make_plan(facts.read(node), IOMMU).steps if step.phase in ("files", "boot")] == []
    assert {check.state for check in verify(facts.read(node), IOMMU)} == {"held", "pending"}
    node.reboot()
    assert set((node.text("/proc/cmdline") or "").split()) >= WORDS
    assert {check.state for check in verify(facts.read(node), IOMMU)} == {"held"}
    assert make_plan(facts.read(node), IOMMU).steps == ()
    assert run(node, undo_plan(facts.read(node), node, None, node.directory)) is Exit.DONE
    after = boot_files(node)
    assert {path: after[path] for path in before} == before
    node.reboot()
    assert not set((node.text("/proc/cmdline") or "").split()) & WORDS


def test_an_entry_that_lacks_them_after_kernel_install_is_a_failed_step(tmp_path: Path) -> None:
    """What the command made counts, not its exit status."""
    node = simulate(systemd_boot(), tmp_path)
    plan = make_plan(facts.read(node), IOMMU)
    steps = tuple(
        step for step in plan.steps if not (isinstance(step, RunCommand) and not step.proves and step.phase == "boot")
    )
    assert len(steps) < len(plan.steps)  # the older kernel's entry stays as it was
    assert run(node, plan.model_copy(update={"steps": steps})) is Exit.ROLLED_BACK
    assert (node.text(CMDLINE) or "").split() == (node.text(CMDLINE) or "").replace("iommu=pt", "").split()


def test_rpm_ostree_makes_one_deployment_and_the_other_one_is_the_way_back() -> None:
    (step,) = [
        step for step in planned(ostree()).steps if isinstance(step, RunCommand) and step.argv[0] == "rpm-ostree"
    ]
    assert step.argv == ("rpm-ostree", "kargs", "--append-if-missing=intel_iommu=on", "--append-if-missing=iommu=pt")
    assert step.undo == ("rpm-ostree", "kargs", "--delete-if-present=intel_iommu=on", "--delete-if-present=iommu=pt")


def with_files(*paths: str, text: str = "") -> Callable[[], MemoryNode]:
    def made() -> MemoryNode:
        node = without_grub()
        node.write("/proc/cmdline", "root=UUID=4711 ro\n")
        for path in paths:
            node.write(path, text, mode=0o755)
        return node

    return made


@pytest.mark.parametrize(
    ("made", "way", "said"),
    [
        (with_files("/run/ostree-booted"), "bootc", 'kargs = ["intel_iommu=on", "iommu=pt"]'),
        (
            with_files("/usr/sbin/proxmox-boot-tool", "/etc/kernel/proxmox-boot-uuids"),
            "proxmox-boot-tool",
            "`proxmox-boot-tool refresh`",
        ),
        (with_files("/usr/bin/kernelstub"), "kernelstub", '`kernelstub -a "intel_iommu=on iommu=pt"`'),
        (with_files("/usr/bin/sdbootutil", CMDLINE), "sdbootutil", "`sdbootutil update-all-entries`"),
        (with_files("/boot/extlinux/extlinux.conf"), "extlinux", "EXTLINUX_PARAMETERS"),
        (with_files("/boot/extlinux/extlinux.conf", "/usr/sbin/u-boot-update"), "u-boot-menu", "U_BOOT_PARAMETERS"),
        (with_files("/usr/sbin/zipl", "/etc/zipl.conf"), "zipl", "run `zipl`"),
        (with_files(), "unknown", "by this boot loader's own way"),
    ],
)
def test_the_exact_words_where_it_is_left_to_the_admin(made: Callable[[], MemoryNode], way: str, said: str) -> None:
    node = made()
    assert facts.read(node).boot.way == way
    finding = found(planned(node), "IOMMU-BOOTLOADER")
    assert (finding.severity, said in finding.do) == ("blocks", True), finding.do
    assert finding.do.endswith("reboot, then run check again.")


def test_suse_by_its_own_tool() -> None:
    node = with_files("/etc/sysconfig/bootloader")()
    node.write("/usr/lib/os-release", 'NAME="SLES"\nID="sles"\nID_LIKE="suse"\nVERSION_ID="15.6"\n')
    assert facts.read(node).boot.way == "update-bootloader"
    said = found(planned(node), "IOMMU-BOOTLOADER").do
    assert (
        'Run `update-bootloader --add-option "intel_iommu=on"` and `update-bootloader --add-option "iommu=pt"`' in said
    )


def test_no_room_where_the_entries_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = simulate(systemd_boot(), tmp_path)
    monkeypatch.setattr(SimulatedNode, "free", lambda self, path: 2_000_000 if path == ENTRIES else None)
    finding = found(make_plan(facts.read(node), IOMMU), "BOOT-NO-ROOM")
    assert ENTRIES in finding.seen


@pytest.mark.parametrize(
    ("variables", "line", "way"),
    [
        ({"LoaderInfo": "systemd-boot 252"}, "root=UUID=1 ro", "systemd-boot"),
        ({"LoaderInfo": "systemd-boot 252", "StubInfo": "systemd-stub 252"}, "root=UUID=1 ro", "unified-image"),
        ({"StubInfo": "systemd-stub 256"}, "root=UUID=1 ro", "unified-image"),
        ({"LoaderInfo": "GRUB 2.06"}, "BOOT_IMAGE=(hd0,gpt2)/vmlinuz root=UUID=1 ro", "grubby"),
        ({}, "root=UUID=1 ro", "grubby"),
    ],
)
def test_a_grubby_that_is_only_installed_makes_no_next_boot(variables: dict[str, str], line: str, way: str) -> None:
    node = efi(rhel(), **variables)
    node.write("/proc/cmdline", f"{line}\n")
    assert facts.read(node).boot.way == way


def test_zipl_goes_before_grubby_and_grub_before_a_kernelstub_that_is_only_installed() -> None:
    node = rhel()
    for path in ("/usr/sbin/zipl", "/etc/zipl.conf"):
        node.write(path, "", mode=0o755)
    assert facts.read(node).boot.way == "zipl"
    node = today()
    node.write("/usr/bin/kernelstub", "", mode=0o755)
    assert facts.read(node).boot.way == "grub-dropin"


@pytest.mark.parametrize(
    ("setting", "line", "way"),
    [
        ("LOADER_TYPE=grub2-efi\n", "BOOT_IMAGE=/vmlinuz root=UUID=1", "grub-dropin"),
        ('LOADER_TYPE="grub2-bls"\n', "BOOT_IMAGE=/vmlinuz root=UUID=1", "sdbootutil"),
        ("LOADER_TYPE=systemd-boot\n", "root=UUID=1", "sdbootutil"),
        ("", "BOOT_IMAGE=/vmlinuz root=UUID=1", "grub-dropin"),
        ("", "root=UUID=1", "sdbootutil"),
    ],
)
def test_sdbootutil_counts_where_it_makes_the_entries(setting: str, line: str, way: str) -> None:
    node = today()
    node.write("/usr/bin/sdbootutil", "", mode=0o755)
    node.write("/proc/cmdline", f"{line}\n")
    if setting:
        node.write("/etc/sysconfig/bootloader", setting)
    assert facts.read(node).boot.way == way


@pytest.mark.parametrize(
    ("live", "text", "way"),
    [(True, "", "grub-dropin"), (True, "ABCD-1234\n", "proxmox-boot-tool"), (False, "", "proxmox-boot-tool")],
)
def test_proxmox_boot_tool_counts_where_it_has_partitions(live: bool, text: str, way: str) -> None:
    node = today()
    node.live = live
    node.write("/usr/sbin/proxmox-boot-tool", "", mode=0o755)
    node.write("/etc/kernel/proxmox-boot-uuids", text)
    assert registry.recognize(node, system.read(node))[0].name == way


def test_how_to_boot_without_the_change_is_each_loaders_own() -> None:
    said = {
        node.boot.way: reboot_advice.way_back(node)
        for node in map(facts.read, (systemd_boot(ADDED), ostree(ADDED), rhel(words=ADDED)))
    }
    assert (
        "hold Space" in said["kernel-install"] and "take intel_iommu=on iommu=pt off the line" in said["kernel-install"]
    )
    assert "choose the deployment before it" in said["rpm-ostree"]
    assert "off the line that begins with linux" in said["grubby"]
