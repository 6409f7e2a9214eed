"""What the kernel can do with the IOMMU: its driver, its default, and the words it knows."""

from __future__ import annotations

import pytest
from nodes import codes, found, origin, planned, remove, replace
from test_iommu_grubby import IOMMU, rocky

from wizard.answers import files as answer_files
from wizard.chapters.iommu import chapter as iommu
from wizard.facts import facts
from wizard.model.findings import Check
from wizard.model.steps import RunCommand, WriteFile
from wizard.node.recorded import MemoryNode

CONFIG = "/boot/config-3.19.0-25-generic"
DROP_IN = "/etc/default/grub.d/zz-compute-wizard.cfg"


def amd() -> MemoryNode:
    node = origin()
    replace(node, "/proc/cpuinfo", "GenuineIntel", "AuthenticAMD")
    node.write("/sys/firmware/acpi/tables/IVRS", "")
    return node


def arm(node: MemoryNode, *config: str) -> MemoryNode:
    """The same node with a processor of ARM's."""
    node.write("/proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\n")
    node.write("/sys/firmware/acpi/tables/IORT", "")
    (path,) = [path for path in node.entries if path.startswith("/boot/config-")]
    node.write(path, "CONFIG_PCI_IOV=y\n" + "".join(f"{line}\n" for line in config))
    return node


def checked(node: MemoryNode) -> dict[str, Check]:
    return {each.what: each for each in iommu.checks(facts.read(node), answer_files.from_data(IOMMU))}


@pytest.mark.parametrize(
    ("node", "option", "name"),
    [(amd(), "CONFIG_AMD_IOMMU", "AMD-Vi"), (origin(), "CONFIG_INTEL_IOMMU", "VT-d")],
    ids=["amd", "intel"],
)
def test_a_kernel_without_the_driver_blocks(node: MemoryNode, option: str, name: str) -> None:
    """Debian's cloud kernel is built without AMD's."""
    replace(node, CONFIG, f"{option}=y", f"# {option} is not set")
    plan = planned(node)
    finding = found(plan, "IOMMU-NO-DRIVER")
    assert finding.severity == "blocks"
    assert finding.seen == f"{CONFIG}: {option} is not set"
    assert name in finding.why
    assert "IOMMU-OFF-ELSEWHERE" not in codes(plan)
    assert {"iommu", "passthrough"} <= set(plan.blocked)
    check = checked(node)["The IOMMU is on"]
    assert (check.state, "anyway" in check.seen) == ("failed", False)
    assert found(planned(node, iommu=None), "IOMMU-NO-DRIVER").severity == "tells"


def test_groups_that_are_there_say_more_than_a_file_in_boot() -> None:
    node = amd()
    replace(node, CONFIG, "CONFIG_AMD_IOMMU=y", "# CONFIG_AMD_IOMMU is not set")
    node.symlink("/sys/kernel/iommu_groups/1/devices/0000:04:00.0", "../../../../bus/pci/devices/0000:04:00.0")
    assert not {"IOMMU-NO-DRIVER", "IOMMU-OFF-ELSEWHERE"} & codes(planned(node))


def test_amd_with_its_driver_is_on_by_itself() -> None:
    node = amd()
    seen = facts.read(node)
    assert (seen.iommu.driver_in_kernel, seen.iommu.kernel_default_on) == (True, True)
    assert not {code for code in codes(planned(node)) if code.startswith("IOMMU")}


def test_where_the_kernels_configuration_is_not_at_hand_it_is_not_said_to_be_so_anyway() -> None:
    node = amd()
    remove(node, CONFIG)
    seen = facts.read(node)
    assert (seen.iommu.driver_in_kernel, seen.iommu.kernel_default_on) == (None, None)
    assert not {code for code in codes(planned(node)) if code.startswith("IOMMU")}
    check = checked(node)["The IOMMU is on"]
    assert (check.state, check.seen) == ("pending", "at the next boot: on by itself, if this kernel has the driver")


def test_arm_gets_the_word_that_it_knows_with_every_boot_loader() -> None:
    driver = "CONFIG_ARM_SMMU_V3=y"
    files = [step for step in planned(arm(origin(), driver)).steps if isinstance(step, WriteFile)]
    (drop_in,) = [step for step in files if step.path == DROP_IN]
    assert "iommu.passthrough=1" in str(drop_in)
    node = arm(rocky("ro quiet"), driver)
    commands = [step.argv for step in planned(node).steps if isinstance(step, RunCommand) and step.argv[0] == "grubby"]
    assert commands == [("grubby", "--update-kernel=ALL", "--args=iommu.passthrough=1")]


def test_a_word_of_x86_is_nothing_to_arm() -> None:
    node = arm(rocky("ro quiet iommu=pt"), "CONFIG_ARM_SMMU_V3=y", "# CONFIG_IOMMU_DEFAULT_PASSTHROUGH is not set")
    mode = next(check for what, check in checked(node).items() if "not translated" in what)
    assert mode.state == "failed"
    finding = found(planned(node), "IOMMU-NO-EFFECT")
    assert (finding.severity, finding.seen) == ("tells", "the next boot's line holds iommu=pt")


def test_arm_without_a_driver_of_an_smmu() -> None:
    node = arm(origin(), "# CONFIG_ARM_SMMU is not set", "# CONFIG_ARM_SMMU_V3 is not set")
    assert found(planned(node), "IOMMU-NO-DRIVER").seen.endswith("CONFIG_ARM_SMMU, CONFIG_ARM_SMMU_V3 are not set")
    one = arm(origin(), "CONFIG_ARM_SMMU=m", "# CONFIG_ARM_SMMU_V3 is not set")
    assert "IOMMU-NO-DRIVER" not in codes(planned(one))


def test_another_processor_is_not_judged_by_intels_default() -> None:
    node = origin()
    replace(node, "/proc/cpuinfo", "GenuineIntel", "CentaurHauls")
    assert facts.read(node).iommu.kernel_default_on is None
    assert "IOMMU-OFF-ELSEWHERE" not in codes(planned(node))
    assert checked(node)["The IOMMU is on"].state == "unknown"


def test_amd_iommu_on_is_told_to_be_no_argument() -> None:
    node = origin()
    node.write("/etc/default/grub.d/50-other.cfg", 'GRUB_CMDLINE_LINUX="amd_iommu=on"\n')
    plan = planned(node)
    finding = found(plan, "IOMMU-NO-EFFECT")
    assert finding.severity == "tells"
    assert "/etc/default/grub.d/50-other.cfg line 1" in finding.seen
    assert "iommu" not in plan.blocked
