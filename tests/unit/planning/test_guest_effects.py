"""What steps may do to guests that run: one table, in which every step has a row; what asks for a word, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from calling import call
from nodes import codes, found, origin, planned
from prior_states import carried_out, planned_here, run_here

from wizard.answers import files as answer_files
from wizard.apply import launch, vf_holders
from wizard.cli import apply as command_apply
from wizard.cli import commands
from wizard.errors import Exit, Refused
from wizard.facts import facts
from wizard.model.guest_effects import TABLE, row, touching
from wizard.model.steps import RunCommand, Step, StopByPidfile, WriteSysfs
from wizard.planning.guest_findings import MOST, named
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs.journal import read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

GATEWAYS = {"gateways": {"network": [{"label": "demo-net", "router": "10.44.1.1", "vlan": 1441}]}}
OFF: dict[str, Any] = {"iommu": {"enable": False}, "metadata": {"redirect": False}, "vfs": {"card": []}}


def command(*argv: str) -> RunCommand:
    return RunCommand(chapters=(), phase="live", why=(), argv=argv)


def attribute(path: str) -> WriteSysfs:
    return WriteSysfs(chapters=(), phase="live", why=(), path=path, before="0", after="1")


EFFECTS: dict[str, tuple[Step, str]] = {
    "fewer VFs": (attribute("/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"), "device"),
    "probing": (attribute("/sys/bus/pci/devices/0000:3b:00.0/sriov_drivers_autoprobe"), "none"),
    "a port's type": (attribute("/sys/bus/pci/devices/0000:04:00.0/mlx4_port1"), "device"),
    "unbinding": (attribute("/sys/bus/pci/drivers/mlx5_core/unbind"), "device"),
    "another driver": (attribute("/sys/bus/pci/devices/0000:3b:00.2/driver_override"), "device"),
    "a reset": (attribute("/sys/bus/pci/devices/0000:3b:00.2/reset"), "device"),
    "an attribute that nobody knows": (attribute("/sys/class/net/eth0/mtu"), "device"),
    "a dnsmasq": (
        StopByPidfile(chapters=(), phase="services", why=(), pidfile="/run/a.pid", must_contain="nova-br1"),
        "traffic",
    ),
    "nova-network": (command("systemctl", "restart", "nova-network"), "traffic"),
    "nova-compute, upstart": (command("service", "nova-compute", "restart"), "traffic"),
    "the redirect": (command("/usr/local/sbin/compute-wizard-metadata", "apply"), "traffic"),
    "no redirect": (command("/usr/local/sbin/compute-wizard-metadata", "remove"), "traffic"),
    "units": (command("systemctl", "daemon-reload"), "none"),
    "a unit": (command("systemctl", "enable", "compute-wizard-metadata.service"), "none"),
    "the boot menu": (command("/usr/sbin/update-grub"), "none"),
    "grubby": (command("grubby", "--update-kernel=ALL", "--args=iommu=pt"), "none"),
    "an initramfs": (command("update-initramfs", "-u", "-k", "all"), "none"),
    "a copy": (command("cp", "-p", "/boot/a", "/boot/b"), "none"),
    "a test": (command("dnsmasq", "--test", "--conf-file=/etc/dnsmasq-nova.conf"), "none"),
    "firmware": (command("mstconfig", "-y", "-d", "0000:3b:00.0", "set", "NUM_OF_VFS=8"), "none"),
    "firmware, now": (command("mlxfwreset", "-d", "0000:3b:00.0", "reset"), "device"),
    "a module": (command("modprobe", "-r", "mlx5_core"), "device"),
    "a network": (command("ip", "link", "set", "eth0", "down"), "device"),
    "systemd's other words": (command("systemctl", "isolate", "rescue.target"), "device"),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_what_a_step_may_do(name: str) -> None:
    step, effect = EFFECTS[name]
    assert row(step).effect == effect


def test_each_row_has_an_example() -> None:
    rows = {id(row(step)) for step, _ in EFFECTS.values()}
    assert [each for each in TABLE if id(each) not in rows and each.kind not in ("write_file", "remove_file")] == []


@pytest.mark.parametrize("name", ["demo", "origin", "today"])
def test_every_step_of_a_plan_and_of_its_undo_has_a_row(name: str, tmp_path: Path) -> None:
    node = simulate(built_in(name), tmp_path / "node")
    plan = planned_here(node)
    carried_out(node, plan)
    back = undo_plan(facts.read(node), node, None, node.directory)
    off = make_plan(facts.read(node), answer_files.from_data(OFF))
    for step in (*plan.steps, *back.steps, *off.steps):
        assert row(step) in TABLE, step
        if {"restarts-service", "drops-network"} & set(step.labels) and step.kind not in ("write_file", "remove_file"):
            assert row(step).effect != "none", step


def guest(node: Any, name: str = "instance-0000002a", pid: int = 4712, *words: str) -> None:
    put = node.put if isinstance(node, SimulatedNode) else node.write
    if isinstance(node, SimulatedNode):
        node.place(f"/proc/{pid}").mkdir(parents=True)
    argv = ("/usr/bin/qemu-system-x86_64", "-name", name, "-m", "2048", *words)
    put(f"/proc/{pid}/cmdline", "".join(f"{word}\0" for word in argv))
    put(f"/proc/{pid}/comm", "qemu-system-x86\n")


def test_guests_and_the_steps_that_touch_them_are_named() -> None:
    node = origin()
    guest(node)
    plan = planned(node)
    finding = found(plan, "GUESTS-TOUCHED")
    assert "instance-0000002a" in finding.seen
    touched = touching(plan.steps)
    assert touched
    assert all(f"step {number}, " in finding.why for number, _, _ in touched)
    assert plan.word == "guests"
    assert "ends every one of them" in found(plan, "GUESTS-RUNNING").why


def test_a_plan_for_the_next_boot_alone_asks_for_no_such_word() -> None:
    node = origin()
    guest(node)
    plan = planned(node, vfs=None, passthrough=None, metadata=None, gateways=None)
    assert plan.steps and plan.word == "yes"
    assert "GUESTS-TOUCHED" not in codes(plan)
    assert "GUESTS-RUNNING" in codes(plan)
    assert planned(origin()).word == "yes"


def test_all_names_are_told_up_to_a_bound() -> None:
    names = [f"instance-{number:08x}" for number in range(MOST + 5)]
    assert all(name in named(names[:MOST]) for name in names[:MOST])
    assert named(names).endswith(" and 5 more")
    assert named(names[:1]) == "1 guest runs here: instance-00000000"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimulatedNode:
    node = simulate(built_in("demo"), tmp_path / "node")
    for module in (commands, command_apply):
        monkeypatch.setattr(module, "open_node", lambda _: SimulatedNode(node.directory))
    monkeypatch.setattr(launch, "_spawn", lambda place, run, *_: run_here(place, run))
    return node


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("said", "code"), [("yes", Exit.REFUSED), ("guests", Exit.DONE), ("", Exit.REFUSED)])
def test_the_word_is_asked_for_after_the_guests_were_named(
    node: SimulatedNode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: str,
    code: Exit,
) -> None:
    guest(node)
    answers = node.directory.parent / "answers.toml"
    answers.write_text(answer_files.to_toml(answer_files.from_data(GATEWAYS)), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", Terminal(f"{said}\n"))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    words = ["--answers", str(answers), "--root", str(node.directory)]
    assert call(capsys, "apply", *words)[0] == code
    told = asked.getvalue()
    assert told.index("instance-0000002a") < told.index("Type guests: ")
    assert bool(facts.read(node).history.runs) is (code is Exit.DONE)


@pytest.mark.parametrize("argv", [("mlxfwreset", "-d", "0000:3b:00.0", "reset"), ("unheard-of",)])
def test_a_command_that_may_take_devices_is_refused_while_a_guest_holds_one(
    tmp_path: Path, argv: tuple[str, ...]
) -> None:
    node = simulate(built_in("today"), tmp_path / "node")
    carried_out(node, planned_here(node))
    vf_holders.refuse_command(node, command(*argv), argv)
    guest(node)  # one that holds nothing
    vf_holders.refuse_command(node, command(*argv), argv)
    guest(node, "instance-0000001a", 4713, "-device", "vfio-pci,host=0000:3b:00.2")
    with pytest.raises(Refused, match="instance-0000001a"):
        vf_holders.refuse_command(node, command(*argv), argv)
    vf_holders.refuse_command(node, command("update-grub"), ("update-grub",))
    for name in ("sriov_numvfs", "mlx4_port1", "reset", "remove"):
        with pytest.raises(Refused, match="instance-0000001a"):
            vf_holders.refuse(node, f"/sys/bus/pci/devices/0000:3b:00.0/{name}")


def test_the_runner_asks_right_before_the_command(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned_here(node)
    reset = command("mlxfwreset", "-d", "0000:3b:00.0", "reset").model_copy(update={"chapters": ("vfs",)})
    started = launch.save(node.directory, plan.model_copy(update={"steps": (reset,)}), "rollback", "simulated")

    def held(*_: Any) -> None:
        raise Refused("a guest holds it")

    monkeypatch.setattr(vf_holders, "refuse_command", held)
    run_here(node.directory, started.run)
    assert [event["why"] for event in read(started.journal) if event["event"] == "failed"] == ["a guest holds it"]
