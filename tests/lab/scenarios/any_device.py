"""Any PCI device: the card that QEMU really has, Intel's 82576 with the kernel's own driver, on Debian 12."""

from __future__ import annotations

from lab.machine import Hardware
from lab.scenarios.card import CARD, numvfs
from lab.scenarios.scenario import Scenario
from lab.stage import Stage, differences, manifest

VFS = 3
ANSWERS = f"""\
format = "compute-wizard.answers/1"
[iommu]
enable = true
[[vfs.card]]
match = {{ address = "{CARD}" }}
count = {VFS}
[[passthrough.pool]]
name = "intel"
cards = "all"
"""


class AnyDevice(Scenario):
    NAME = "any-device"
    TITLE = "Intel 82576 with the kernel's own igb, on Debian 12, whose kernel has the IOMMU on by itself"
    HARDWARE = (Hardware(image="bookworm"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            before = manifest(machine, "/etc")
            stage.answers(machine, ANSWERS)
            plan = stage.tool(machine, "plan --answers /root/answers.toml", 2)
            stage.hold(
                "intel_iommu=on is not added where the kernel does it anyway",
                "+intel_iommu" not in plan and "intel_iommu=on iommu=pt" not in plan,
                plan,
            )
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            stage.hold(f"{VFS} VFs now", numvfs(machine) == VFS)
            stage.reboot(machine)
            stage.hold(f"{VFS} VFs after the reboot", numvfs(machine) == VFS)
            line = machine.must("cat /proc/cmdline").split()
            stage.hold(
                "iommu=pt is on the kernel's line, intel_iommu is not",
                "iommu=pt" in line and "intel_iommu=on" not in line,
                line,
            )
            states = stage.checks(machine, 0)
            stage.hold("every check of verify is held", set(states.values()) == {"held"}, states)
            stage.tool(machine, "undo --yes")
            stage.hold("no VFs any more", numvfs(machine) == 0)
            stage.reboot(machine)
            stage.hold("no VFs after the reboot either", numvfs(machine) == 0)
            after = manifest(machine, "/etc")
            stage.hold("/etc is as it was, to the byte", before == after, differences(before, after))
