"""Other ways to boot: GRUB under UEFI, and systemd-boot."""

from __future__ import annotations

import json

from lab.machine import Hardware, Machine
from lab.scenarios.card import CARD, numvfs
from lab.scenarios.scenario import Scenario
from lab.scenarios.today import ANSWERS
from lab.stage import Stage

INSTALL_SYSTEMD_BOOT = """\
set -e
bootctl install --no-variables
mkdir -p /etc/kernel
sed -e 's/^BOOT_IMAGE=[^ ]* //' /proc/cmdline > /etc/kernel/cmdline
kernel-install add "$(uname -r)" "/boot/vmlinuz-$(uname -r)" "/boot/initrd.img-$(uname -r)"
sync
"""
ADD_BY_HAND = """\
set -e
sed -i 's/$/ intel_iommu=on iommu=pt/' /etc/kernel/cmdline
kernel-install add "$(uname -r)" "/boot/vmlinuz-$(uname -r)" "/boot/initrd.img-$(uname -r)"
sync
"""
LOADER = "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
"""In it the boot loader says its name (the Boot Loader Interface of systemd)."""


class Uefi(Scenario):
    NAME = "uefi-grub"
    TITLE = "GRUB under UEFI: the same assertions on the kernel's line"
    HARDWARE = (Hardware(look="connectx-5", firmware="uefi"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.hold("this machine was started by UEFI", machine.run("test -d /sys/firmware/efi")[0] == 0)
            stage.answers(machine, ANSWERS.format(card=CARD, count=4))
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            stage.reboot(machine)
            line = machine.must("cat /proc/cmdline").split()
            stage.hold(
                "intel_iommu=on and iommu=pt are on the kernel's line",
                {"intel_iommu=on", "iommu=pt"} <= set(line),
                line,
            )
            stage.hold("the VFs are there", numvfs(machine) == 4)
            states = stage.checks(machine, 0)
            stage.hold("every check of verify is held", set(states.values()) == {"held"}, states)
            stage.tool(machine, "undo --yes")
            stage.reboot(machine)
            line = machine.must("cat /proc/cmdline").split()
            stage.hold("undone: both arguments are gone", not {"intel_iommu=on", "iommu=pt"} & set(line), line)


class SystemdBoot(Scenario):
    NAME = "systemd-boot"
    TITLE = "systemd-boot: refused in plain words, rather than a GRUB file written that nothing reads; done by hand, no longer in the way"
    HARDWARE = (Hardware(look="connectx-5", firmware="uefi"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            machine.must(INSTALL_SYSTEMD_BOOT)
            stage.reboot(machine)
            loader = machine.must(f"tr -d '\\0' < {LOADER}")
            stage.hold("systemd-boot started this kernel", "systemd-boot" in loader, loader)
            stage.answers(machine, ANSWERS.format(card=CARD, count=4))
            finding = _finding(stage, machine, 3)
            stage.hold("IOMMU-BOOTLOADER blocks", finding["severity"] == "blocks", finding)
            stage.hold("it says which arguments to add", "intel_iommu=on iommu=pt" in finding["do"], finding)
            stage.tool(machine, "apply --answers /root/answers.toml --yes", 3)
            machine.must(ADD_BY_HAND)
            stage.say("done by hand, as it says")
            stage.reboot(machine)
            stage.hold("the IOMMU is on now", int(machine.must("ls /sys/kernel/iommu_groups | wc -l")) > 0)
            finding = _finding(stage, machine, 2)  # a card named by its address warns
            stage.hold("IOMMU-BOOTLOADER only tells", finding["severity"] == "tells", finding)
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            stage.hold("4 VFs now", numvfs(machine) == 4)
            states = stage.checks(machine, 0)
            stage.hold("every check of verify is held", set(states.values()) == {"held"}, states)


def _finding(stage: Stage, machine: Machine, code: int) -> dict[str, str]:
    found = json.loads(stage.tool(machine, "check --answers /root/answers.toml --json", code))["findings"]
    return next((each for each in found if each["code"] == "IOMMU-BOOTLOADER"), {"severity": "not found", "do": ""})
