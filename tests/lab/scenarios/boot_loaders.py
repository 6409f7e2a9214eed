"""Other ways to boot: GRUB under UEFI, and systemd-boot."""

from __future__ import annotations

import json

from lab.machine import Hardware
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
ENTRIES = "for place in /efi /boot /boot/efi; do cat $place/loader/entries/*.conf 2>/dev/null; done"
WORDS = {"intel_iommu=on", "iommu=pt"}
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
    TITLE = "systemd-boot: /etc/kernel/cmdline changed, every entry made anew by kernel-install, undone to the byte"
    HARDWARE = (Hardware(look="connectx-5", firmware="uefi"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            machine.must(INSTALL_SYSTEMD_BOOT)
            stage.reboot(machine)
            loader = machine.must(f"tr -d '\\0' < {LOADER}")
            stage.hold("systemd-boot started this kernel", "systemd-boot" in loader, loader)
            entries, line = machine.must(ENTRIES), machine.must("cat /etc/kernel/cmdline")
            stage.answers(machine, ANSWERS.format(card=CARD, count=4))
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            made = machine.must(ENTRIES)
            stage.hold("the entry holds both arguments", "intel_iommu=on iommu=pt" in made, made)
            stage.hold("4 VFs now", numvfs(machine) == 4)
            stage.reboot(machine)
            running = machine.must("cat /proc/cmdline").split()
            stage.hold("both are on the kernel's line", set(running) >= WORDS, running)
            stage.hold("the IOMMU is on", int(machine.must("ls /sys/kernel/iommu_groups | wc -l")) > 0)
            stage.hold("4 VFs after the reboot", numvfs(machine) == 4)
            states = stage.checks(machine, 0)
            stage.hold("every check of verify is held", set(states.values()) == {"held"}, states)
            plan = json.loads(stage.tool(machine, "plan --answers /root/answers.toml --json", 0))
            stage.hold("nothing is left to plan", plan["steps"] == [], plan["steps"])
            stage.tool(machine, "undo --yes")
            stage.hold("undone: /etc/kernel/cmdline to the byte", machine.must("cat /etc/kernel/cmdline") == line)
            stage.hold("undone: the entries to the byte", machine.must(ENTRIES) == entries, machine.must(ENTRIES))
            stage.reboot(machine)
            running = machine.must("cat /proc/cmdline").split()
            stage.hold("undone: both arguments are gone", not WORDS & set(running), running)
