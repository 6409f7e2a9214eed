"""Today's card: VFs now, and at each boot by the unit, before nova-compute starts; 8 -> 4; never while a guest holds one."""

from __future__ import annotations

from lab.machine import Hardware, Machine
from lab.scenarios.card import CARD, numvfs
from lab.scenarios.scenario import Scenario
from lab.stage import Stage

UNIT = "compute-wizard-vfs-0000-01-00-0.service"
ANSWERS = """\
format = "compute-wizard.answers/1"
[iommu]
enable = true
[[vfs.card]]
match = {{ address = "{card}" }}
count = {count}
[[passthrough.pool]]
name = "cx5"
cards = "all"
"""
HOLDER = """\
import os, signal
group = os.path.basename(os.readlink('/sys/bus/pci/devices/{vf}/iommu_group'))
container = os.open('/dev/vfio/vfio', os.O_RDWR)
held = os.open(f'/dev/vfio/{{group}}', os.O_RDWR)
print('held', flush=True)
signal.pause()
"""


class Today(Scenario):
    NAME = "today"
    TITLE = "ConnectX-5: VFs now, at boot before nova-compute, 8 -> 4, and refused while one is held"
    HARDWARE = (Hardware(look="connectx-5"),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            total = int(machine.must(f"cat /sys/bus/pci/devices/{CARD}/sriov_totalvfs"))
            stage.say(f"the card offers {total} VFs")
            stage.answers(machine, ANSWERS.format(card=CARD, count=total))
            stage.tool(machine, "plan --answers /root/answers.toml", 2)
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            stage.hold(f"{total} VFs now", numvfs(machine) == total)
            stage.hold("the rest waits for the reboot", "pending" in stage.checks(machine, 2).values())
            stage.reboot(machine)
            _after_boot(stage, machine, total)
            _held(stage, machine, total)
            fewer = total // 2
            stage.answers(machine, ANSWERS.format(card=CARD, count=fewer))
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            stage.hold(f"{total} -> {fewer}: {fewer} VFs now", numvfs(machine) == fewer)
            stage.reboot(machine)
            _after_boot(stage, machine, fewer)
            stage.tool(machine, "undo --yes")
            stage.hold(f"undone: {total} VFs again", numvfs(machine) == total)


def _after_boot(stage: Stage, machine: Machine, count: int) -> None:
    stage.hold(f"after the reboot there are {count} VFs", numvfs(machine) == count)
    stage.hold("lspci lists them", machine.must("lspci -Dnn -d 15b3:1018").count("15b3:1018") == count)
    order = machine.must(f"journalctl -b -o short-monotonic -u {UNIT} -u nova-compute.service")
    stage.note(order)
    made, started = order.find(f"has {count} VFs now"), order.find("nova-compute starts with")
    stage.hold("the unit made them before nova-compute was started", 0 <= made < started, order)
    stage.hold("nova-compute saw them all", f"nova-compute starts with {count} VFs" in order, order)
    states = stage.checks(machine, 0)
    stage.hold("every check of verify is held", set(states.values()) == {"held"}, states)
    stage.tool(machine, "plan --answers /root/answers.toml", 0)


def _held(stage: Stage, machine: Machine, total: int) -> None:
    """A process has a VF through vfio, as a guest's QEMU would."""
    vf = machine.must(f"basename $(readlink /sys/bus/pci/devices/{CARD}/virtfn1)").strip()
    device = f"/sys/bus/pci/devices/{vf}"
    machine.must(
        f"modprobe vfio-pci; echo vfio-pci > {device}/driver_override; "
        f"[ ! -e {device}/driver ] || echo {vf} > {device}/driver/unbind; echo {vf} > /sys/bus/pci/drivers_probe"
    )
    machine.must("cat > /root/hold.py", stdin=HOLDER.format(vf=vf))
    machine.must("systemd-run --quiet --unit=holder /usr/bin/python3 /root/hold.py")
    machine.must("for i in $(seq 100); do journalctl -u holder | grep -q held && exit; sleep 0.3; done; exit 1")
    stage.say(f"{vf} is held through vfio-pci")
    stage.answers(machine, ANSWERS.format(card=CARD, count=total // 2))
    said = stage.tool(machine, "apply --answers /root/answers.toml --yes", 3, 4)
    stage.hold("the refusal names the VF", vf in said, said)
    stage.hold("nothing was changed", numvfs(machine) == total)
    machine.must(f"systemctl stop holder; echo {vf} > {device}/driver/unbind; echo > {device}/driver_override")
