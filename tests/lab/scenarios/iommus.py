"""Other IOMMUs: AMD's, which needs no argument, and none at all, which no argument can mend."""

from __future__ import annotations

import json

from lab.machine import Hardware
from lab.scenarios.card import CARD, numvfs
from lab.scenarios.scenario import Scenario
from lab.scenarios.today import ANSWERS
from lab.stage import Stage


class Amd(Scenario):
    NAME = "amd"
    TITLE = "AMD: no argument of Intel's is added, groups are there"
    HARDWARE = (Hardware(look="connectx-5", iommu="amd"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.answers(machine, ANSWERS.format(card=CARD, count=4))
            plan = json.loads(stage.tool(machine, "plan --answers /root/answers.toml --json", 2))
            coming = plan["kernel_command_line"]["after_reboot"].split()
            stage.hold(
                "intel_iommu=on is not planned, iommu=pt is",
                "intel_iommu=on" not in coming and "iommu=pt" in coming,
                coming,
            )
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            stage.reboot(machine)
            stage.hold("AMD-Vi has its groups", int(machine.must("ls /sys/kernel/iommu_groups | wc -l")) > 0)
            stage.hold("the VFs are there", numvfs(machine) == 4)
            states = stage.checks(machine, 0)
            stage.hold("every check of verify is held", set(states.values()) == {"held"}, states)


class NoIommu(Scenario):
    NAME = "no-iommu"
    TITLE = "VT-d off in the BIOS: the finding blocks, and says what to do there"
    HARDWARE = (Hardware(look="connectx-5", iommu="none"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.answers(machine, ANSWERS.format(card=CARD, count=4))
            found = json.loads(stage.tool(machine, "check --answers /root/answers.toml --json", 3))["findings"]
            blocking = {each["code"]: each for each in found if each["severity"] == "blocks"}
            stage.hold("IOMMU-NO-DMAR blocks", "IOMMU-NO-DMAR" in blocking, found)
            told = blocking["IOMMU-NO-DMAR"]["do"]
            stage.hold("it says where to switch it on", "BIOS" in told or "host" in told, told)
            stage.tool(machine, "apply --answers /root/answers.toml --yes", 3)
            stage.hold(
                "nothing was changed",
                numvfs(machine) == 0
                and not machine.must("ls /var/lib/compute-wizard/runs 2>/dev/null || true").strip(),
            )
