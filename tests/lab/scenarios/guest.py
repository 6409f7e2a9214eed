"""Launch a guest, and see the card in it: a VF in a guest of the node's own, seen from inside and given back, also after kill -9."""

from __future__ import annotations

import json

from lab.machine import Hardware, Machine
from lab.scenarios.card import CARD
from lab.scenarios.scenario import Scenario
from lab.stage import Stage

ANSWERS = f"""\
format = "compute-wizard.answers/1"
[iommu]
enable = true
[[vfs.card]]
match = {{ address = "{CARD}" }}
count = 4
"""
STATE = """\
for vf in /sys/bus/pci/devices/*/physfn; do
	vf=${vf%/physfn}
	echo "${vf##*/} $(basename "$(readlink "$vf/driver" || echo none)") $(cat "$vf/driver_override")"
done
echo "vfio modules: $(lsmod | grep -c '^vfio')"
ls /run/compute-wizard 2>&1
pgrep -c qemu-system
true
"""
RUNS = "for i in $(seq 900); do pgrep qemu-system >/dev/null && exit; sleep 0.3; done; exit 1"
ENDED = "for i in $(seq 300); do pgrep qemu-system >/dev/null || exit 0; sleep 0.3; done; exit 1"
BACK = "for i in $(seq 300); do [ -e /run/compute-wizard ] || exit 0; sleep 0.3; done; exit 1"


class Guest(Scenario):
    NAME = "guest"
    TITLE = (
        "Launch a guest and see the card in it: an idle VF is lent, seen from inside, given back, also after kill -9"
    )
    HARDWARE = (Hardware(look="connectx-5", memory=3072),)

    @classmethod
    def play(cls, stage: Stage) -> None:
        with stage.machine(cls.HARDWARE[0]) as machine:
            stage.ready(machine)
            stage.answers(machine, ANSWERS)
            said = stage.tool(machine, "verify --guest --yes", 2)
            stage.hold("without VFs it is unknown, and says why", "there is no VF on this node" in said, said)
            stage.tool(machine, "apply --answers /root/answers.toml --yes")
            stage.reboot(machine)
            before = machine.must(STATE)
            stage.say("VFs, modules, /run, guests:\n" + before)
            said = stage.tool(machine, "verify --guest", 64)
            stage.hold("without --yes it says what it would do, and does nothing", "is lent to a guest" in said, said)
            _seen(stage, machine)
            stage.hold("all is as it was", machine.must(STATE) == before, machine.must(STATE))
            _busy(stage, machine)
            _killed(stage, machine, before)


def _seen(stage: Stage, machine: Machine) -> None:
    told = json.loads(stage.tool(machine, "verify --guest --yes --json"))
    check = told["checks"][-1]
    stage.say(f"{check['state']}: {check['what']}: {check['seen']}")
    stage.hold("the guest sees the VF", check["state"] == "held" and "15b3:1018" in check["seen"], check)
    stage.hold("the node's own driver has it in there", "driver mlx5_core" in check["seen"], check)


def _busy(stage: Stage, machine: Machine) -> None:
    vf = machine.must(f"basename $(readlink /sys/bus/pci/devices/{CARD}/virtfn0)").strip()
    name = machine.must(f"ls /sys/bus/pci/devices/{vf}/net").strip()
    machine.must(f"ip link set {name} up")
    said = stage.tool(machine, f"verify --guest {vf} --yes", 7)
    stage.hold("an interface that is up is not taken from the host", f"its interface {name} is up" in said, said)
    machine.must(f"ip link set {name} down")


def _killed(stage: Stage, machine: Machine, before: str) -> None:
    """kill -9 of the tool; then of the tool and its keeper: the next proof begins with giving the VF back, and is interrupted."""
    _start(machine)
    machine.must("kill -9 $(cat /root/pid)")
    machine.must(ENDED)
    machine.must(BACK)
    stage.hold("after kill -9 of the tool all is as it was", machine.must(STATE) == before, machine.must(STATE))
    _start(machine)
    machine.must("kill -9 $(cat /root/pid) $(ps -o ppid= -p $(pgrep qemu-system))")
    machine.must(ENDED)
    note = json.loads(machine.must("cat /run/compute-wizard/lent.json"))
    stage.hold("after kill -9 of its keeper too a note says what is lent", note["driver"] == "mlx5_core", note)
    _start(machine)
    machine.must("kill -INT $(cat /root/pid)")
    machine.must(BACK)
    said = machine.must("cat /root/said")
    stage.hold("the next proof gives it back first", "had not given back, was given back" in said, said)
    stage.hold("and after Ctrl-C all is as it was", machine.must(STATE) == before, machine.must(STATE))


def _start(machine: Machine) -> None:
    """A proof under way: its pid is in /root/pid, its guest runs. (A background job has SIGINT ignored, unless env says so.)"""
    machine.must(
        "env --default-signal=INT setsid compute-wizard verify --guest --yes </dev/null >/root/said 2>&1 & echo $! > /root/pid; "
        + RUNS
    )
