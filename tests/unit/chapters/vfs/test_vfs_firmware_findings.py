"""More VFs than the card offers now: they wait for its firmware, or never come; and what is said of it is what is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from nodes import CX3, codes, found, origin, planned, remove, today

from wizard.answers import files as answer_files
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand, WriteFile, WriteSysfs
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import make_plan
from wizard.planning.verification import verify
from wizard.simulator.built_in import simulate

CX5 = "/sys/devices/pci0000:30/0000:30:02.0/0000:3b:00.0"
FIRST = "0000:3b:00.0"
UNIT = "/etc/systemd/system/compute-wizard-vfs-0000-3b-00-0.service"
ASKED = ("mstconfig", "-d", FIRST, "-e", "q")


def wanting(firmware: str = "set", count: int | str = 16, address: str = FIRST) -> dict[str, object]:
    return {"card": [{"match": {"address": address}, "count": count, "firmware": firmware}]}


def said(node: MemoryNode, name: str, current: str, following: str) -> None:
    """Let mstconfig say another value."""
    lines = node.commands[ASKED].stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if name in line.split()[:2])
    lines[at] = f"*       {name}       0        {current}       {following}"
    node.commands[ASKED] = Output(ASKED, 0, "\n".join(lines) + "\n", "")


def no_tool(node: MemoryNode) -> None:
    """A node without mstconfig, where nobody could ask."""
    for path in ("/usr/bin/mstconfig", "/usr/local/bin/mstconfig"):
        remove(node, path)
    for argv in [argv for argv in node.commands if argv[0] == "mstconfig"]:
        del node.commands[argv]


def off(node: MemoryNode, place: str = CX5) -> None:
    for name in ("sriov_totalvfs", "sriov_numvfs"):
        remove(node, f"{place}/{name}")


def written(plan: Plan) -> list[str]:
    return [step.path for step in plan.steps if isinstance(step, WriteSysfs)]


def run(plan: Plan, program: str) -> list[tuple[str, ...]]:
    return [step.argv for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] == program]


@pytest.mark.parametrize("now", ["0", "4"])
def test_what_the_firmware_will_only_offer_after_a_reset_is_not_written_now(now: str) -> None:
    node = today()
    node.entries[f"{CX5}/sriov_numvfs"].content = f"{now}\n".encode()
    plan = planned(node, vfs=wanting(), passthrough=None)
    assert plan.blocked == ()
    assert written(plan) == []
    assert run(plan, "mstconfig") == [("mstconfig", "-y", "-d", FIRST, "set", "NUM_OF_VFS=16")]
    assert UNIT in [getattr(step, "path", "") for step in plan.steps]
    finding = found(plan, "VFS-AFTER-REBOOT")
    assert finding.severity == "tells"
    assert "offers 8 VFs now, 16 are asked for; the last step of this plan" in finding.seen
    assert {"VFS-ABOVE-LIMIT", "VFS-IN-USE", "VFS-CARRIES-NODE"}.isdisjoint(codes(plan))


def test_it_is_carried_out_and_there_after_the_reboot(tmp_path: Path) -> None:
    node = simulate(today(), tmp_path)
    seen = facts.read(node)
    answers = answer_files.from_data({"vfs": wanting()})
    for step in make_plan(seen, answers).steps:
        if step.kind == "write_file":
            place = node.place(step.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(step.after.data())
        elif isinstance(step, WriteSysfs):
            node.set_attribute(step.path, step.after)
        elif isinstance(step, RunCommand):
            done = node.obey(step.argv)
            assert done.status == 0, done
    assert node.text(f"{CX5}/sriov_numvfs") == "0"
    node.reboot()
    assert node.text(f"{CX5}/sriov_numvfs") == "16"


@pytest.mark.parametrize("firmware", ["set", "keep"])
def test_firmware_that_is_set_already_only_waits_for_its_reset(firmware: str) -> None:
    node = today()
    said(node, "NUM_OF_VFS", "8", "16")
    plan = planned(node, vfs=wanting(firmware), passthrough=None)
    assert "is set to as many already" in found(plan, "VFS-AFTER-REBOOT").seen
    assert (plan.blocked, written(plan), run(plan, "mstconfig")) == ((), [], [])
    for step in plan.steps:
        if step.kind == "write_file":
            node.write(step.path, step.after.data(), mode=int(step.after.mode, 8))
    states = {each.what: each for each in verify(facts.read(node), answer_files.from_data(plan.answers))}
    assert states[f"{FIRST} has 16 VFs"].state == "failed"  # the unit is not enabled: no boot would make them
    node.symlink("/etc/systemd/system/multi-user.target.wants/" + UNIT.rpartition("/")[2], UNIT)
    states = {each.what: each for each in verify(facts.read(node), answer_files.from_data(plan.answers))}
    assert states[f"{FIRST} has 16 VFs"].state == "pending"
    assert "Reboot" in states[f"{FIRST} has 16 VFs"].do


def test_firmware_that_is_in_force_and_yet_offers_fewer_is_not_what_stands_in_the_way() -> None:
    node = today()
    said(node, "NUM_OF_VFS", "16", "16")
    finding = found(planned(node, vfs=wanting(), passthrough=None), "VFS-ABOVE-LIMIT")
    assert finding.severity == "blocks"
    assert "BIOS" in finding.do
    assert "firmware = " not in finding.do


def test_more_vfs_of_firmware_that_nobody_can_set() -> None:
    node = today()
    no_tool(node)
    finding = found(planned(node, vfs=wanting(), passthrough=None), "VFS-ABOVE-LIMIT")
    assert "mstflint" in finding.do


def test_sriov_that_is_off_and_a_tool_that_is_not_there() -> None:
    node = today()
    off(node)
    no_tool(node)
    plan = planned(node, vfs=wanting(), passthrough=None)
    finding = found(plan, "VFS-FIRMWARE-OFF")
    assert finding.severity == "blocks"
    assert "mstflint" in finding.do
    assert "vfs" in plan.blocked
    assert UNIT not in [getattr(step, "path", "") for step in plan.steps]


def test_sriov_that_is_off_and_a_card_that_does_not_answer() -> None:
    node = today()
    off(node)
    for argv in [("mstconfig", "-d", f"0000:3b:00.{number}", "-e", "q") for number in (0, 1)]:
        node.commands[argv] = Output(argv, 1, "", "-E- Failed to open the device\n")
    finding = found(planned(node, vfs=wanting(), passthrough=None), "VFS-FIRMWARE-OFF")
    assert "Failed to open the device" in finding.do


def test_sriov_that_is_off_and_will_be_on() -> None:
    node = today()
    off(node)
    said(node, "SRIOV_EN", "False(0)", "True(1)")
    plan = planned(node, vfs=wanting("keep", 8), passthrough=None)
    assert "VFS-FIRMWARE-OFF" not in codes(plan)
    assert found(plan, "VFS-AFTER-REBOOT").severity == "tells"
    node = today()
    off(node)
    said(node, "SRIOV_EN", "False(0)", "False(0)")
    plan = planned(node, vfs=wanting("set", 8), passthrough=None)
    assert run(plan, "mstconfig") == [("mstconfig", "-y", "-d", FIRST, "set", "SRIOV_EN=1")]
    assert found(plan, "VFS-AFTER-REBOOT").severity == "tells"


def test_a_card_without_a_driver_is_not_helped_by_firmware() -> None:
    node = today()
    remove(node, f"{CX5}/driver")
    plan = planned(node, vfs=wanting(), passthrough=None)
    assert "driver" in found(plan, "VFS-NOT-OFFERED").seen
    assert "vfs" in plan.blocked


def test_connectx3_that_was_set_waits_and_one_that_hides_its_vfs_blocks() -> None:
    node = origin()
    node.entries[f"{CX3}/sriov_totalvfs"].content = b"8\n"
    plan = planned(node, vfs=wanting("keep", 16, "0000:04:00.0"), passthrough=None)
    assert "VFS-ABOVE-LIMIT" not in codes(plan)
    assert found(plan, "VFS-AFTER-REBOOT").severity == "tells"
    off(node, CX3)
    assert found(planned(node, vfs=wanting("keep", 16, "0000:04:00.0")), "VFS-FIRMWARE-OFF").severity == "blocks"
    assert found(planned(node, vfs=wanting("set", 16, "0000:04:00.0")), "VFS-AFTER-REBOOT").severity == "tells"


def test_firmware_that_will_offer_fewer_is_warned_of() -> None:
    node = today()
    assert "VFS-FIRMWARE-LOWERS" not in codes(planned(node, vfs=wanting("keep", 8)))
    said(node, "NUM_OF_VFS", "8", "4")
    assert found(planned(node, vfs=wanting("keep", 8)), "VFS-FIRMWARE-LOWERS").severity == "warns"
    assert "VFS-FIRMWARE-LOWERS" not in codes(planned(node, vfs=wanting("keep", 4)))
    plan = planned(node, vfs=wanting("set", 8))
    assert "VFS-FIRMWARE-LOWERS" not in codes(plan)
    assert run(plan, "mstconfig") == [("mstconfig", "-y", "-d", FIRST, "set", "NUM_OF_VFS=8")]
    said(node, "NUM_OF_VFS", "4", "4")  # in force, and the kernel offers more: another setting counts
    assert "VFS-FIRMWARE-LOWERS" not in codes(planned(node, vfs=wanting("keep", 8)))


def test_a_card_in_flash_recovery_is_told_to_be_burnt_and_not_to_be_set() -> None:
    node = today()
    node.entries[f"{CX5}/device"].content = b"0x020d\n"
    for vfs, severity in ((None, "warns"), (wanting("keep"), "blocks"), (wanting("set"), "blocks")):
        plan = planned(node, vfs=vfs, passthrough=None)
        finding = next(each for each in plan.findings if FIRST in each.seen and each.code == "VFS-FLASH-RECOVERY")
        assert finding.severity == severity
        assert f"mstflint -d {FIRST} -i IMAGE burn" in finding.do
        assert "-nofs" in finding.do
        assert "SRIOV_EN=1" not in finding.do
        assert run(plan, "mstconfig") == []


def test_another_maker_s_card_is_no_matter_of_mstconfig() -> None:
    node = today()
    place = "/sys/devices/pci0000:16/0000:16:02.0/0000:18:00.0"
    node.entries[f"{place}/sriov_totalvfs"].content = b"0\n"
    for firmware in ("keep", "set"):
        plan = planned(node, vfs=wanting(firmware, 4, "0000:18:00.0"), passthrough=None)
        finding = found(plan, "VFS-FIRMWARE-OFF")
        assert finding.severity == "blocks"
        assert "maker's own tool" in finding.do
        assert 'firmware = "set"' not in finding.do


DPU = """
Device type:    BlueField2
Configurations:                                          Next Boot
        NUM_OF_VFS                                  8
        SRIOV_EN                                    True(1)
        INTERNAL_CPU_MODEL                          {model}
        INTERNAL_CPU_ESWITCH_MANAGER                {manager}
        INTERNAL_CPU_OFFLOAD_ENGINE                 {engine}
"""


def bluefield(model: str, manager: str, engine: str) -> MemoryNode:
    node = today()
    node.entries[f"{CX5}/device"].content = b"0xa2d6\n"
    text = DPU.format(model=model, manager=manager, engine=engine)
    for argv in [argv for argv in node.commands if argv[0] == "mstconfig"]:
        node.commands[argv] = Output(argv, 0, text, "")
    return node


@pytest.mark.parametrize(
    ("mode", "dpu"),
    [
        (("EMBEDDED_CPU(1)", "ECPF(0)", "ENABLED(0)"), True),
        (("EMBEDDED_CPU(1)", "ECPF(0)", "DISABLED(1)"), False),  # NIC mode
        (("SEPERATED_HOST(0)", "EXT_HOST_PF(1)", "ENABLED(0)"), False),
    ],
)
def test_the_firmware_of_a_bluefield_in_dpu_mode_is_the_dpu_s_to_set(mode: tuple[str, str, str], dpu: bool) -> None:
    plan = planned(bluefield(*mode), vfs=wanting(), passthrough=None)
    assert ("VFS-DPU-MODE" in codes(plan)) is dpu
    assert ("vfs" in plan.blocked) is dpu
    assert (run(plan, "mstconfig") == []) is dpu
    if dpu:
        assert "DPU's own side" in found(plan, "VFS-DPU-MODE").do
        assert "power off and on" in found(plan, "VFS-DPU-MODE").do


def test_what_a_bluefield_in_dpu_mode_offers_can_be_had() -> None:
    plan = planned(bluefield("EMBEDDED_CPU(1)", "ECPF(0)", "ENABLED(0)"), vfs=wanting(count=8), passthrough=None)
    assert "VFS-DPU-MODE" not in codes(plan)
    assert plan.blocked == ()


@pytest.mark.parametrize(("first", "second"), [(16, 32), (32, 16), (16, 16)])
def test_two_ports_of_one_card_set_its_firmware_once_to_the_larger_number(first: int, second: int) -> None:
    cards = [
        {"match": {"address": FIRST}, "count": first, "firmware": "set"},
        {"match": {"address": "0000:3b:00.1"}, "count": second, "firmware": "set"},
    ]
    plan = planned(today(), vfs={"card": cards}, passthrough=None)
    assert run(plan, "mstconfig") == [("mstconfig", "-y", "-d", FIRST, "set", f"NUM_OF_VFS={max(first, second)}")]


@pytest.mark.parametrize(("flags", "severity"), [("0x1003", "tells"), ("0x1002", "warns"), (None, "tells")])
def test_a_driver_that_needs_its_interface_up_is_given_that_in_the_unit(flags: str | None, severity: str) -> None:
    node = today()
    for path, entry in list(node.entries.items()):
        if entry.kind == "link" and path == f"{CX5}/driver":
            node.symlink(path, "../../../../bus/pci/drivers/bnxt_en")
    node.entries[f"{CX5}/sriov_numvfs"].content = b"0\n"
    if flags is not None:
        node.write(f"{CX5}/net/enp59s0f0np0/flags", f"{flags}\n")
    plan = planned(node, vfs=wanting("keep", 8), passthrough=None)
    finding = found(plan, "VFS-NEEDS-LINK-UP")
    assert finding.severity == severity
    assert ("ip link set dev enp59s0f0np0 up" in finding.do) is (severity == "warns")
    text = next(step.after.data().decode() for step in plan.steps if isinstance(step, WriteFile) and step.path == UNIT)
    assert " 8 up=1\n" in text or " 8 autoprobe=0 up=1\n" in text
    assert "up=1" not in next(
        step.after.data().decode()
        for step in planned(today(), vfs=wanting("keep", 8), passthrough=None).steps
        if isinstance(step, WriteFile) and step.path == UNIT
    )
