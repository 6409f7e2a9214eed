"""Before a reboot is suggested, the boot menu and the initramfs are judged by what is in them; after it, the layer that dropped
a value is named, and no second reboot is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from prior_states import Killed, run_here

from wizard.answers import editing, suggestion
from wizard.answers import files as answer_files
from wizard.apply import launch, runner
from wizard.apply.backends import Announce, Tell, quiet
from wizard.apply.file_writer import Tree
from wizard.apply.simulated_backend import SimulatedBackend
from wizard.apply.step_executor import StepExecutor
from wizard.boot import next_command_line
from wizard.boot.postconditions import shortcomings
from wizard.errors import Exit, NodeError
from wizard.facts import facts
from wizard.facts.bootloader import KEPT
from wizard.model import step_text
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.model.plan import Plan
from wizard.model.steps import KernelArgumentsPresent, RunCommand
from wizard.model.undo_order import Undo
from wizard.planning import reboot_advice
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import verify
from wizard.runs.journal import Journal, follow, read
from wizard.runs.records import fold
from wizard.simulator import pci as simulated_pci
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

IMAGE = "/boot/initrd.img-4.4.0-210-generic"
KERNEL = "/boot/vmlinuz-4.4.0-210-generic"


@pytest.fixture
def demo(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def planned(node: SimulatedNode, answers: AllAnswers | None = None) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, answers or suggestion.suggest(seen))


def applied(node: SimulatedNode, plan: Plan) -> AllAnswers:
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    return answer_files.from_data(plan.answers, "the plan")


def step(plan: Plan, command: str) -> tuple[int, RunCommand]:
    return next((n, s) for n, s in enumerate(plan.steps, 1) if isinstance(s, RunCommand) and s.argv[0] == command)


class Idle(SimulatedBackend):
    """A node on which some commands say that all went well, and do nothing."""

    def __init__(self, directory: Path, *idle: str) -> None:
        super().__init__(directory)
        self.idle = idle

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        return 0 if argv[0] in self.idle else super().run(argv, deadline_s, tell, announce)


def carrier(node: SimulatedNode, place: Path, *idle: str) -> StepExecutor:
    return StepExecutor(Tree(node.directory), Idle(node.directory, *idle), place, Journal(place / "journal.jsonl"))


@pytest.mark.parametrize(
    ("command", "lacks"),
    [
        ("update-grub", "lacks intel_iommu=on iommu=pt"),
        ("update-initramfs", "does not hold /etc/modprobe.d/mlx4_core.conf"),
    ],
)
def test_a_command_that_ends_well_and_makes_nothing_has_failed(
    demo: SimulatedNode, tmp_path: Path, command: str, lacks: str
) -> None:
    plan = planned(demo)
    number, run = step(plan, command)
    hands = carrier(demo, tmp_path, command)
    for before in range(1, number):
        hands.carry(before, plan.steps[before - 1])
    with pytest.raises(NodeError, match=lacks):
        hands.carry(number, run)
    carrier(demo, tmp_path).carry(number, run)


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        ("update-grub", "still holds intel_iommu=on iommu=pt"),
        ("update-initramfs", "still holds /etc/modprobe.d/mlx4_core.conf"),
    ],
)
def test_an_undo_whose_command_makes_nothing_has_failed(
    demo: SimulatedNode, tmp_path: Path, command: str, holds: str
) -> None:
    applied(demo, planned(demo))
    back = undo_plan(facts.read(demo), demo, None, demo.directory)
    number, run = step(back, command)
    hands = carrier(demo, tmp_path, command)
    for before in range(1, number):
        hands.carry(before, back.steps[before - 1])
    with pytest.raises(NodeError, match=holds):
        hands.carry(number, run)
    carrier(demo, tmp_path).carry(number, run)


def test_an_entry_by_hand_with_the_same_argument_does_not_stand_in_the_way_of_an_undo(demo: SimulatedNode) -> None:
    menu = demo.text("/boot/grub/grub.cfg") or ""
    by_hand = "menuentry 'mine' {\n\tlinux\t/boot/vmlinuz-4.4.0-210-generic root=/dev/sda1 ro intel_iommu=on\n}\n"
    demo.put("/boot/grub/grub.cfg", f"{menu}\n{by_hand}")
    applied(demo, planned(demo))
    back = undo_plan(facts.read(demo), demo, None, demo.directory)
    (proof,) = step(back, "update-grub")[1].proves
    assert proof == KernelArgumentsPresent(words=(), without=next_command_line.OURS, entries="first")
    demo.obey(["update-grub"])
    demo.put("/boot/grub/grub.cfg", f"{menu}\n{by_hand}")
    assert shortcomings(demo, (proof,)) == ([], [])
    assert shortcomings(demo, (proof.model_copy(update={"entries": "all"}),)) == (
        [],
        [],
    )  # not made by 10_linux: not judged


def test_what_a_boot_command_made_is_on_the_disk_before_the_step_holds(demo: SimulatedNode, tmp_path: Path) -> None:
    plan = planned(demo)
    journal = tmp_path / "journal.jsonl"
    flushed: list[bool] = []

    class Watched(SimulatedBackend):
        def flush(self, written: Iterable[str]) -> None:
            flushed.append(number in fold(read(journal)).held)

    hands = carrier(demo, tmp_path)
    hands.outside = Watched(demo.directory)
    number, run = step(plan, "update-grub")
    for each in range(1, number + 1):
        hands.carry(each, plan.steps[each - 1])
    hands.undo(Undo("after", (number,), run), plan.steps)
    assert flushed == [False, True]


def test_an_image_that_cannot_be_looked_into_is_said_and_no_failure(demo: SimulatedNode, tmp_path: Path) -> None:
    plan = planned(demo)
    demo.put(IMAGE, b"\x28\xb5\x2f\xfd not to be unpacked without the node's own zstd")
    number, run = step(plan, "update-initramfs")
    carrier(demo, tmp_path, "update-initramfs").carry(number, run)
    assert "could not be looked into" in (tmp_path / "journal.jsonl").read_text(encoding="utf-8")


def test_the_guard_says_to_wait_where_the_menu_was_put_back_since(demo: SimulatedNode) -> None:
    plan = planned(demo)
    old = demo.read("/boot/grub/grub.cfg")
    applied(demo, plan)
    said = reboot_advice.after_apply(facts.read(demo), plan)
    assert "they hold what was planned" in said[0]
    assert sum("Reboot once" in line for line in said) == 1
    demo.put(
        "/boot/grub/grub.cfg", old
    )  # as a power cut leaves it: seen on a real ext4, seconds after update-grub returned
    said = reboot_advice.after_apply(facts.read(demo), plan)
    assert said[0].startswith("Do not reboot yet: $ update-grub is still due")
    assert not any("Reboot once" in line for line in said)
    assert [step_text.title(each) for each in planned(demo).steps] == ["$ update-grub"]


def test_the_way_back_is_one_line_that_names_what_the_recovery_entry_lacks(demo: SimulatedNode) -> None:
    applied(demo, planned(demo))
    line = reboot_advice.way_back(facts.read(demo))
    assert "\n" not in line
    for part in ("recovery entry", "lacks intel_iommu=on iommu=pt", "modprobe.blacklist=mlx4_core", IMAGE + KEPT):
        assert part in line
    recovery = [entry for entry in facts.read(demo).boot.entries or () if entry.recovery]
    assert recovery
    assert not [entry for entry in recovery if "iommu" in entry.arguments]


def test_without_a_recovery_entry_that_lacks_them_the_line_is_edited_by_hand(demo: SimulatedNode) -> None:
    demo.place("/etc/default/grub").write_text('GRUB_CMDLINE_LINUX="iommu=pt"\n', encoding="utf-8")
    applied(demo, planned(demo))
    text = demo.read("/boot/grub/grub.cfg").decode().replace("ro recovery nomodeset", "ro recovery nomodeset iommu=pt")
    demo.put("/boot/grub/grub.cfg", text)
    assert "press e in the boot menu and take" in reboot_advice.way_back(facts.read(demo))


def test_no_reboot_is_suggested_where_none_is_needed(demo: SimulatedNode) -> None:
    answers = answer_files.from_data({"metadata": {"redirect": True, "bridges": ["br1441"]}}, "here")
    assert reboot_advice.after_apply(facts.read(demo), planned(demo, answers)) == []


# room


def blocked(node: SimulatedNode, free: int, **sizes: int) -> set[str]:
    node.remember(boot_free=free)
    return {f.chapter for f in planned(node).findings if f.code == "BOOT-NO-ROOM" and f.severity == "blocks"}


def test_room_for_two_of_the_biggest_image_is_needed_before_anything_is_touched(demo: SimulatedNode) -> None:
    demo.put("/boot/initrd.img-4.4.0-99-generic", b"\0" * 3_000_000)
    assert blocked(demo, 5_990_000) == {"vfs"}
    assert blocked(demo, 6_010_000) == set()
    assert blocked(demo, 999_999) == {"iommu", "vfs"}
    demo.remember(boot_free=5_990_000)
    assert not [each for each in planned(demo).steps if "vfs" in each.chapters]


def test_a_plan_that_does_not_touch_boot_asks_for_no_room(demo: SimulatedNode) -> None:
    answers = applied(demo, planned(demo))
    demo.put("/boot/initrd.img-4.4.0-99-generic", b"")
    demo.remember(boot_free=1000)
    assert "BOOT-NO-ROOM" not in {f.code for f in planned(demo, answers).findings if f.chapter == "iommu"}


# the image before


def test_the_image_before_is_kept_by_a_step_of_the_plan_and_goes_with_the_run(demo: SimulatedNode) -> None:
    before = demo.read(IMAGE)
    plan = planned(demo)
    assert step(plan, "cp")[0] + 1 == step(plan, "update-initramfs")[0]
    applied(demo, plan)
    assert demo.read(IMAGE) != before
    assert demo.read(IMAGE + KEPT) == before
    back = undo_plan(facts.read(demo), demo, None, demo.directory)
    assert step_text.title(back.steps[-1]) == f"$ rm -f {IMAGE}{KEPT}"
    applied(demo, back)
    assert not demo.exists(IMAGE + KEPT)
    assert demo.read(IMAGE) == before


def test_an_image_that_is_known_to_boot_is_not_overwritten_by_one_that_never_did(demo: SimulatedNode) -> None:
    answers = suggestion.suggest(facts.read(demo))
    before = demo.read(IMAGE)
    applied(demo, planned(demo, answers))
    fewer = editing.change(answers, "vfs", ("card", 0, "count"), 4)
    plan = planned(demo, fewer)
    assert not [each for each in plan.steps if isinstance(each, RunCommand) and each.argv[0] == "cp"]
    applied(demo, plan)
    assert demo.read(IMAGE + KEPT) == before
    demo.reboot()
    again = planned(demo, answers)
    assert step(again, "cp")[1].argv[-1] == IMAGE + KEPT  # this one has booted: it is the one to be kept now


def test_a_part_of_a_copy_is_not_taken_for_the_image_that_is_known_to_boot(
    demo: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = demo.read(IMAGE)

    def half(node: SimulatedNode, source: str, target: str) -> str:
        node.place(target).write_bytes(node.read(source)[:100])
        raise Killed

    started = launch.save(demo.directory, planned(demo), "rollback", "simulated")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(SimulatedNode, "_copy", half)
        run_here(demo.directory, started.run)
    assert len(demo.read(IMAGE + KEPT)) == 100
    applied(demo, planned(demo))  # planned anew: not gone on with
    assert demo.read(IMAGE + KEPT) == before
    assert demo.read(IMAGE) != before


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        ("update-grub", "update-grub ended well, but .*still holds intel_iommu=on iommu=pt"),
        ("update-initramfs", "update-initramfs ended well, but .*still holds /etc/modprobe.d/mlx4_core.conf"),
        ("", ""),
    ],
)
def test_a_rollback_whose_command_makes_nothing_has_failed(
    demo: SimulatedNode, tmp_path: Path, command: str, holds: str
) -> None:
    plan = planned(demo)
    number = step(plan, "update-initramfs")[0]
    hands = carrier(demo, tmp_path)
    for each in range(1, number + 1):
        hands.carry(each, plan.steps[each - 1])
    hands.outside = Idle(demo.directory, command)
    result = runner._rollback(plan, hands, hands.journal, list(range(1, number + 1)))
    assert result == ("failed" if command else "rolled_back")
    failed = [event["why"] for event in read(tmp_path / "journal.jsonl") if event["event"] == "rollback_failed"]
    assert len(failed) == bool(command)
    assert not command or re.search(holds, failed[0])


def test_the_image_before_stays_where_the_rebuild_cannot_be_taken_back(demo: SimulatedNode, tmp_path: Path) -> None:
    plan = planned(demo)
    number = step(plan, "update-initramfs")[0]
    hands = carrier(demo, tmp_path)
    for each in range(1, number + 1):
        hands.carry(each, plan.steps[each - 1])

    class Broken(SimulatedBackend):
        def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
            return 1 if argv[0] == "update-initramfs" else super().run(argv, deadline_s, tell, announce)

    hands.outside = Broken(demo.directory)
    assert runner._rollback(plan, hands, hands.journal, list(range(1, number + 1))) == "failed"
    assert demo.exists(IMAGE + KEPT)


# after the reboot


def checks(node: SimulatedNode, answers: AllAnswers) -> dict[str, Check]:
    return {check.what: check for check in verify(facts.read(node), answers)}


def dropped(node: SimulatedNode, line: str) -> tuple[SimulatedNode, AllAnswers]:
    """The node after its reboot, come up with another kernel line than the menu has."""
    answers = applied(node, planned(node))
    node.reboot()
    node.put("/proc/cmdline", line + "\n")
    simulated_pci.set_groups(node, False)
    return node, answers


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (f"BOOT_IMAGE={KERNEL} root=UUID=1 ro quiet", "with another line"),
        ("BOOT_IMAGE=/vmlinuz-9.9.9 root=UUID=1 ro quiet", "another disk's or loader's menu"),
        (f"BOOT_IMAGE={KERNEL} root=UUID=1 ro recovery nomodeset", "a recovery entry was booted"),
        ("root=UUID=1 ro quiet", "it was not GRUB"),
        (f"BOOT_IMAGE={KERNEL} root=UUID=1 ro intel_iommu=on iommu=pt", "the kernel or the firmware dropped it"),
    ],
)
def test_an_argument_that_is_not_there_after_the_reboot_is_blamed_on_its_layer(
    demo: SimulatedNode, line: str, names: str
) -> None:
    node, answers = dropped(demo, line)
    found = checks(node, answers)["The IOMMU is on"]
    assert found.state == "failed"
    assert names in found.seen
    assert "pending" not in {check.state for check in checks(node, answers).values()}
    assert not [check for check in checks(node, answers).values() if check.do.startswith("Reboot")]


def test_the_saved_entry_is_named(demo: SimulatedNode) -> None:
    demo.put("/boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=gnulinux-rec\n####")
    node, answers = dropped(demo, f"BOOT_IMAGE={KERNEL} root=UUID=1 ro quiet")
    assert "saved_entry=gnulinux-rec" in checks(node, answers)["The IOMMU is on"].seen


def test_before_the_reboot_it_is_pending_and_one_reboot_is_asked_for(demo: SimulatedNode) -> None:
    answers = applied(demo, planned(demo))
    assert checks(demo, answers)["The IOMMU is on"].state == "pending"
    assert checks(demo, answers)["0000:04:00.0 has 16 VFs"].state == "pending"


@pytest.mark.parametrize(
    ("parameter", "line", "names"),
    [
        ("\n", "", "loaded with no num_vfs"),
        ("8\n", "", "loaded with num_vfs=8, /etc/modprobe.d/mlx4_core.conf says 16"),
        ("16\n", "", "the card did not get them"),
        ("0\n", " mlx4_core.num_vfs=0", "the kernel's command line holds mlx4_core.num_vfs=0"),
    ],
)
def test_vfs_that_are_not_there_after_the_reboot(demo: SimulatedNode, parameter: str, line: str, names: str) -> None:
    answers = applied(demo, planned(demo))
    demo.reboot()
    simulated_pci.make_vfs(demo, "0000:04:00.0", 0)
    demo.put("/sys/module/mlx4_core/parameters/num_vfs", parameter)
    demo.put("/proc/cmdline", (demo.text("/proc/cmdline") or "") + line + "\n")
    found = checks(demo, answers)["0000:04:00.0 has 16 VFs"]
    assert found.state == "failed"
    assert names in found.seen
    assert not found.do.startswith("Reboot")


def test_a_module_that_is_not_loaded(demo: SimulatedNode) -> None:
    answers = applied(demo, planned(demo))
    demo.reboot()
    simulated_pci.make_vfs(demo, "0000:04:00.0", 0)
    demo.place("/sys/module/mlx4_core/parameters/num_vfs").unlink()
    assert "mlx4_core is not loaded" in checks(demo, answers)["0000:04:00.0 has 16 VFs"].seen
