"""A kernel line that only a shell could compute: the menu that was made of it is what is judged, before the run and after it."""

from __future__ import annotations

import pytest
from nodes import answered, origin, planned

from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand
from wizard.node.recorded import MemoryNode
from wizard.planning import reboot_advice
from wizard.planning.verification import verify

GRUB, MENU = "/etc/default/grub", "/boot/grub/grub.cfg"
UNKNOWN = 'GRUB_CMDLINE_LINUX_DEFAULT="$(site-arguments)"\n'
IOMMU = {"iommu": {"enable": True, "passthrough_mode": True}}
ALONE = {**IOMMU, **dict.fromkeys(("vfs", "passthrough", "gateways", "metadata"))}


def unknown(menu_words: str = "", recovery_words: str = "") -> MemoryNode:
    """Ubuntu 14.04 with a source that only a shell can evaluate, and a menu with these words on its normal and recovery entries."""
    node = origin()
    node.entries[GRUB].content += UNKNOWN.encode()
    lines = []
    for line in node.entries[MENU].content.decode().splitlines():
        words = recovery_words if " recovery" in line or "single" in line else menu_words
        lines.append(f"{line} {words}".rstrip() if line.lstrip().startswith("linux") else line)
    node.entries[MENU].content = "\n".join(lines).encode() + b"\n"
    return node


def made(plan: Plan) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What each command has to make: the words that have to be there, and those that must not."""
    return [
        (each.words, each.without)
        for step in plan.steps
        if isinstance(step, RunCommand)
        for each in step.proves
        if each.kind == "kernel_arguments"
    ]


def test_a_line_that_is_known_is_proved_whole() -> None:
    ((words, without),) = made(planned(origin(), **ALONE))
    assert {"intel_iommu=on", "iommu=pt"} < set(words)  # and what stood there before
    assert "intel_iommu=on" not in without


def test_of_a_line_that_is_not_known_our_own_words_are_proved() -> None:
    ((words, without),) = made(planned(unknown(), **ALONE))
    assert set(words) == {"intel_iommu=on", "iommu=pt"}
    assert without == ()


@pytest.mark.parametrize(
    ("menu", "state"),
    [
        ("intel_iommu=on iommu=pt", "pending"),
        ("intel_iommu=on", "pending"),
        ("", "failed"),
        ("intel_iommu=off", "failed"),
    ],
)
def test_verify_judges_by_the_menu_that_was_made(menu: str, state: str) -> None:
    node = unknown(menu)
    seen = facts.read(node)
    checks = {each.what: each for each in verify(seen, answered(seen, **ALONE))}
    assert checks["The IOMMU is on"].state == state


def test_entries_that_differ_prove_nothing() -> None:
    node = unknown("intel_iommu=on")
    text = node.entries[MENU].content.decode()
    first = next(line for line in text.splitlines() if line.lstrip().startswith("linux"))
    node.entries[MENU].content = text.replace(first, first.replace(" intel_iommu=on", ""), 1).encode()
    seen = facts.read(node)
    checks = {each.what: each for each in verify(seen, answered(seen, **ALONE))}
    assert checks["The IOMMU is on"].state != "held"
    assert checks["The IOMMU is on"].state != "pending"


@pytest.mark.parametrize("recovery", ["", "intel_iommu=on"])
def test_the_way_back_names_the_words_of_the_menu(recovery: str) -> None:
    seen = facts.read(unknown("intel_iommu=on iommu=pt", recovery))
    said = reboot_advice.way_back(seen)
    assert "intel_iommu=on" in said
    assert ("choose the recovery entry" in said) is (not recovery)
    assert ("press e in the boot menu and take" in said) is bool(recovery)


def test_the_way_back_of_a_menu_without_our_words() -> None:
    said = reboot_advice.way_back(facts.read(unknown("quiet")))
    assert "nothing of this plan is on the kernel's line" in said


def test_no_reboot_is_suggested_while_the_menu_lacks_the_words() -> None:
    plan = planned(unknown(), **ALONE)
    wrong = reboot_advice.after_apply(facts.read(unknown()), plan)
    assert wrong[0].startswith("Do not reboot yet")
    node = unknown("intel_iommu=on iommu=pt")
    for step in plan.steps:
        if step.kind == "write_file":
            node.write(step.path, step.after.data())
    right = reboot_advice.after_apply(facts.read(node), plan)
    assert any("Reboot once" in line for line in right)
    assert not any("Do not reboot" in line for line in right)
