"""Findings about the IOMMU and the boot loader: each is seen where it is so, and only there."""

from __future__ import annotations

import pytest
from nodes import found, origin, planned, remove, replace


def test_no_dmar_blocks_the_iommu_and_what_needs_it_but_not_the_redirect() -> None:
    node = origin()
    remove(node, "/sys/firmware/acpi/tables/DMAR")
    plan = planned(node)
    assert found(plan, "IOMMU-NO-DMAR").severity == "blocks"
    assert plan.blocked == ("iommu", "passthrough")
    assert "metadata" in {name for step in plan.steps for name in step.chapters}


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("/run/.containerenv", "", "podman"),
        ("/.dockerenv", "", "docker"),
        ("/proc/1/environ", "PATH=/bin\0container=oci\0", "oci"),
    ],
)
def test_no_dmar_in_a_container_proves_nothing(path: str, content: str, kind: str) -> None:
    """What it sees of /sys/firmware is what it was given."""
    node = origin()
    remove(node, "/sys/firmware/acpi/tables/DMAR")
    node.write(path, content)
    plan = planned(node)
    finding = found(plan, "IOMMU-NO-DMAR")
    assert finding.severity == "warns"
    assert f"container ({kind})" in finding.why
    assert "guest" not in finding.why + finding.do
    assert not {"iommu", "passthrough"} & set(plan.blocked)


def test_no_dmar_in_a_guest_is_its_hosts_matter() -> None:
    node = origin()
    remove(node, "/sys/firmware/acpi/tables/DMAR")
    node.write(node.resolve("/sys/class/dmi/id/sys_vendor"), "QEMU\n")
    finding = found(planned(node), "IOMMU-NO-DMAR")
    assert finding.severity == "blocks"
    assert "itself a guest (kvm)" in finding.do


def test_no_ivrs_on_amd() -> None:
    node = origin()
    remove(node, "/sys/firmware/acpi/tables/DMAR")
    node.entries["/proc/cpuinfo"].content = node.entries["/proc/cpuinfo"].content.replace(
        b"GenuineIntel", b"AuthenticAMD"
    )
    assert "BIOS" in found(planned(node), "IOMMU-NO-IVRS").do


@pytest.mark.parametrize("argument", ["iommu=off", "iommu=soft"])
def test_the_iommu_is_off_on_the_next_line_by_another_layer(argument: str) -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-other.cfg", f'GRUB_CMDLINE_LINUX="{argument}"\n')
    finding = found(planned(node), "IOMMU-OFF-ELSEWHERE")
    assert finding.severity == "blocks"
    assert "/etc/default/grub.d/50-other.cfg line 1" in finding.seen


def test_a_file_that_sorts_after_ours_and_overrides_it_blocks() -> None:
    node = origin()
    node.write("/etc/default/grub.d/zzz-last.cfg", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=off"\n')
    assert found(planned(node), "IOMMU-OFF-ELSEWHERE").severity == "blocks"


def test_a_shell_command_in_the_sources_makes_the_line_unknown() -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-other.cfg", 'GRUB_CMDLINE_LINUX="$(cat /root/arguments)"\n')
    finding = found(planned(node), "IOMMU-LINE-UNKNOWN")
    assert "/etc/default/grub.d/50-other.cfg" in finding.seen


def test_our_own_drop_in_is_not_blamed_for_what_it_appends_to() -> None:
    node = origin()
    replace(
        node,
        "/etc/default/grub",
        "GRUB_CMDLINE_LINUX_DEFAULT",
        '# a comment\nA=$(b)\nGRUB_CMDLINE_LINUX_DEFAULT="$A" #',
    )
    line = node.entries["/etc/default/grub"].content.decode().splitlines().index("A=$(b)") + 1
    finding = found(planned(node), "IOMMU-LINE-UNKNOWN")
    assert finding.seen == f"/etc/default/grub line {line}: command substitution"


def test_a_boot_loader_that_is_not_ours_blocks_the_iommu_only() -> None:
    node = origin()
    remove(node, "/usr/sbin/grub-mkconfig")
    plan = planned(node)
    assert found(plan, "IOMMU-BOOTLOADER").severity == "blocks"
    assert "intel_iommu=on iommu=pt" in found(plan, "IOMMU-BOOTLOADER").do
    assert "metadata" not in plan.blocked


def test_a_boot_loader_that_is_not_ours_only_tells_once_the_running_kernel_has_what_is_needed() -> None:
    node = origin()
    remove(node, "/usr/sbin/grub-mkconfig")
    node.write("/proc/cmdline", "root=/dev/sda1 ro quiet intel_iommu=on\n")
    node.symlink("/sys/kernel/iommu_groups/1/devices/0000:04:00.0", "../../../../bus/pci/devices/0000:04:00.0")
    assert found(planned(node), "IOMMU-BOOTLOADER").severity == "blocks"  # iommu=pt is not there
    node.write("/proc/cmdline", "root=/dev/sda1 ro quiet intel_iommu=on iommu=pt\n")
    plan = planned(node)
    assert found(plan, "IOMMU-BOOTLOADER").severity == "tells"
    assert "iommu" not in plan.blocked


def test_arguments_that_stand_against_it_are_named_with_their_place() -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-other.cfg", 'GRUB_CMDLINE_LINUX="pci=noari"\n')
    assert "/etc/default/grub.d/50-other.cfg line 1" in found(planned(node), "IOMMU-CONFLICT").seen


def test_a_source_that_update_grub_would_fail_on_blocks() -> None:
    node = origin()
    node.entries["/etc/default/grub"].content += b'GRUB_CMDLINE_LINUX_DEFAULT="x\n'
    plan = planned(node)
    assert found(plan, "IOMMU-LINE-UNKNOWN").severity == "blocks"
    assert "iommu" in plan.blocked
    pipe = origin()
    pipe.entries["/etc/default/grub"].kind = "other"
    assert found(planned(pipe), "IOMMU-LINE-UNKNOWN").severity == "blocks"
