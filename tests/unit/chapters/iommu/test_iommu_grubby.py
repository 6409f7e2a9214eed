"""The IOMMU where grubby changes each kernel's own boot entry, as on RHEL and its children."""

from __future__ import annotations

import pytest
from nodes import codes, found, planned, remove, replace, today

from wizard.answers import files as answer_files
from wizard.boot import postconditions
from wizard.boot.next_command_line import after_commands
from wizard.chapters.iommu import chapter as iommu
from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.findings import Check
from wizard.model.steps import RunCommand
from wizard.node.node import Output
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import kernel_lines, make_plan

IOMMU = {"iommu": {"enable": True, "passthrough_mode": True}}
CONFIG = "/boot/config-6.8.0-79-generic"
INFO = ("grubby", "--info=ALL")


def rocky(*arguments: str, running: str = "") -> MemoryNode:
    """A kernel whose IOMMU is off unless it is told, and which was not told."""
    node = today()
    for path in [path for path in node.entries if "grub" in path]:
        remove(node, path)
    node.write(
        "/usr/lib/os-release", 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
    )
    replace(node, CONFIG, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y", "# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set")
    node.write("/usr/sbin/grubby", "", mode=0o755)
    node.write("/etc/default/grub", 'GRUB_ENABLE_BLSCFG=true\nGRUB_CMDLINE_LINUX="rhgb quiet"\n')
    node.write("/proc/cmdline", f"BOOT_IMAGE=(hd0,gpt2)/vmlinuz-0 root=UUID=1 {running or arguments[0]}\n")
    remove(node, "/sys/kernel/iommu_groups")
    say(node, *arguments)
    return node


def say(node: MemoryNode, *arguments: str) -> None:
    """What grubby says of these kernels."""
    lines = [
        f'index={number}\nkernel="/boot/vmlinuz-{number}"\nargs="{words}"\nroot="UUID=1"\ntitle="a"\n'
        for number, words in enumerate(arguments)
    ]
    node.commands[INFO] = Output(INFO, 0, "".join(lines), "")


def checked(seen: Facts) -> dict[str, Check]:
    return {each.what: each for each in iommu.checks(seen, answer_files.from_data(IOMMU))}


def test_a_kernel_that_has_the_iommu_off_is_told_to_switch_it_on() -> None:
    plan = planned(rocky("ro rhgb quiet"))
    assert [finding.code for finding in plan.findings if finding.chapter == "iommu"] == []
    assert not {"iommu", "passthrough"} & set(plan.blocked)
    commands = [step.argv for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] == "grubby"]
    assert commands == [("grubby", "--update-kernel=ALL", "--args=iommu=pt intel_iommu=on")]


def test_the_plan_says_what_the_line_will_be_after_the_reboot_and_once_it_is_taken_back() -> None:
    seen = facts.read(rocky("ro rhgb quiet"))
    plan = make_plan(seen, answer_files.from_data(IOMMU))
    image = "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-0 root=UUID=1"
    assert plan.kernel_command_line.now == f"{image} ro rhgb quiet"
    assert plan.kernel_command_line.after_reboot == f"{image} ro rhgb quiet iommu=pt intel_iommu=on"
    after = facts.read(rocky("ro rhgb quiet iommu=pt intel_iommu=on"))
    (step,) = [step for step in plan.steps if isinstance(step, RunCommand)]
    assert step.undo is not None
    back = step.model_copy(update={"argv": step.undo})
    assert kernel_lines(after, {}, [back]).after_reboot == f"{image} ro rhgb quiet"
    assert postconditions.proofs(after, step, {})[0].without == ("intel_iommu=on", "iommu=pt")  # type: ignore[union-attr]


def test_what_really_keeps_it_off_blocks() -> None:
    plan = planned(rocky("ro quiet iommu=off"))
    assert found(plan, "IOMMU-OFF-ELSEWHERE").severity == "blocks"
    assert "iommu" in plan.blocked


def test_an_argument_that_ours_overrules_is_told_of() -> None:
    plan = planned(rocky("ro quiet intel_iommu=off"))
    assert "intel_iommu=off,on" in found(plan, "IOMMU-CONFLICT").seen
    assert "iommu" not in plan.blocked


def test_grubby_that_names_no_kernel_is_not_taken_for_one_that_has_all() -> None:
    node = rocky("ro quiet")
    say(node)
    plan = planned(node)
    assert found(plan, "IOMMU-LINE-UNKNOWN").seen == "grubby --info=ALL names no kernel"
    assert checked(facts.read(node))["Each kernel's boot entry holds what was asked for"].state == "unknown"


def test_verify_waits_for_the_reboot_and_sees_an_entry_that_was_forgotten() -> None:
    words = "ro rhgb quiet iommu=pt intel_iommu=on"
    good = checked(facts.read(rocky(words, words, running="ro rhgb quiet")))
    assert {each.state for each in good.values()} == {"pending", "held"}
    assert good["The IOMMU is on"].seen == "at the next boot: intel_iommu=on"
    less = checked(facts.read(rocky(words, "ro rhgb quiet", running="ro rhgb quiet")))
    entries = less["Each kernel's boot entry holds what was asked for"]
    assert (entries.state, entries.seen) == ("failed", "kernel 1 of grubby --info=ALL lacks intel_iommu=on iommu=pt")


def test_after_the_reboot_it_is_the_dropped_argument_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no entry lacks any more was asked for nevertheless."""
    seen = facts.read(rocky("ro quiet iommu=pt intel_iommu=on", running="ro quiet"))
    monkeypatch.setattr(type(seen.history), "rebooted_since", lambda *_: True)
    good = checked(seen)
    assert "holds intel_iommu=on iommu=pt, /proc/cmdline does not" in good["The IOMMU is on"].seen
    assert "holds intel_iommu=on iommu=pt" in good["The host's own devices are not translated (iommu=pt)"].seen


def test_what_grubby_makes_of_a_line() -> None:
    line = "ro intel_iommu=sm_on quiet"
    given = ("grubby", "--update-kernel=ALL", "--args=iommu=pt intel_iommu=sm_on,on")
    after = after_commands(line, "/boot/vmlinuz-0", [given, ("update-grub",)])
    assert after == "ro quiet iommu=pt intel_iommu=sm_on,on"
    back = ("grubby", "--update-kernel=/boot/vmlinuz-0", "--remove-args=iommu=pt", "--args=intel_iommu=sm_on")
    assert after_commands(after, "/boot/vmlinuz-1", [back]) == after
    restored = after_commands(after, "/boot/vmlinuz-0", [back])
    assert set(kernel_arguments.split(restored)) == set(kernel_arguments.split(line))


def test_a_line_that_holds_all_needs_nothing() -> None:
    plan = planned(rocky("ro quiet intel_iommu=on iommu=pt"))
    assert not {code for code in codes(plan) if code.startswith("IOMMU")}
    assert [step for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] == "grubby"] == []
