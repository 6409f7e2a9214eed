"""What is wrong, or will go wrong, with the IOMMU: firmware, boot loader, and other layers of the kernel's line."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.boot import next_command_line
from wizard.chapters.iommu import interrupt_remapping
from wizard.chapters.iommu.editors import editor_of, overlay_of, wanted_words
from wizard.chapters.iommu.kernel_arguments import Answers, stale_entries, verdict_of
from wizard.chapters.shared import boot_space
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.findings import Finding
from wizard.model.steps import RunCommand

CHAPTER = "iommu"
TABLES = {"intel": ("DMAR", "VT-d"), "amd": ("IVRS", "AMD-Vi (IOMMU)"), "arm": ("IORT", "SMMU")}


def findings(facts: Facts, mine: Answers | None) -> list[Finding]:
    if mine is None or not mine.enable:
        return [finding.model_copy(update={"severity": "tells"}) for finding in (*_bios(facts), *_driver(facts))]
    found = [*_bios(facts), *_driver(facts), *interrupt_remapping.findings(facts)]
    if not editor_of(facts).by_tool:
        found.append(_other_boot_loader(facts, mine))
        return found
    overlay = overlay_of(facts, mine)
    line = next_command_line.next_boot(facts)
    if not line.broken:  # else what grub-mkconfig fails on stands there already, whatever ours would make of it
        line = next_command_line.next_boot(facts, overlay, _commands(facts, mine))
    if facts.boot.update and (stale_entries(facts, overlay) or _changes(facts, overlay)):
        found += boot_space.of_menu(facts, CHAPTER)
    if line.arguments is None:
        found.append(
            Finding(
                code="IOMMU-LINE-UNKNOWN",
                severity="blocks" if line.broken else "warns",
                chapter=CHAPTER,
                seen=line.why,
                why=f"{facts.boot.update[0] if facts.boot.update else 'The boot loader'} would fail on it."
                if line.broken
                else "The next boot's command line could not be computed, so nothing can be promised about it.",
                do="Fix that file, then run check again: `sh -n` of it says nothing once its syntax is right."
                if line.broken
                else "Compare /proc/cmdline after the reboot; verify does.",
            )
        )
        return found
    return [*found, *_other_layers(facts, line), *_idle(facts, line)]


def _commands(facts: Facts, answers: Answers) -> list[tuple[str, ...]]:
    """What brings arguments onto the next boot's line though no file of the overlay shows them."""
    actions = editor_of(facts).actions(CHAPTER, facts, wanted_words(facts, answers))
    return [action.step.argv for action in actions if isinstance(action.step, RunCommand)]


def _changes(facts: Facts, overlay: dict[str, bytes | None]) -> bool:
    return any(content != facts.content(path) for path, content in overlay.items())


def _other_boot_loader(facts: Facts, answers: Answers) -> Finding:
    """What is to be added by hand; once the running kernel has it, nothing is in the way any more."""
    verdict = verdict_of(facts, facts.iommu.command_line)
    there = facts.iommu.running and (verdict.passthrough is True or not answers.passthrough_mode)
    return Finding(
        code="IOMMU-BOOTLOADER",
        severity="tells" if there else "blocks",
        chapter=CHAPTER,
        seen=f"{facts.boot.because}{'; the running kernel has what is needed' if there else ''}",
        why="This tool changes kernel arguments through grub-mkconfig, grubby, kernel-install or rpm-ostree, and none of them makes "
        "the next boot's here.",
        do="Keep that so when its kernel line is changed: this tool cannot see the next boot's."
        if there
        else editor_of(facts).by_hand(wanted_words(facts, answers)),
    )


def _bios(facts: Facts) -> list[Finding]:
    table, name = TABLES.get(facts.iommu.vendor, ("", ""))
    if not table or facts.iommu.table or facts.iommu.running or not facts.iommu.table_seen:
        return []
    if facts.system.container:
        return [_bios_unseen(facts, table, name)]
    virtual = facts.system.virtualization not in ("none", "")
    where = f"This node is itself a guest ({facts.system.virtualization}): its host has to give it a virtual IOMMU."
    return [
        Finding(
            code=f"IOMMU-NO-{table}",
            severity="blocks",
            chapter=CHAPTER,
            seen=f"/sys/firmware/acpi/tables/{table} is not there, and /sys/kernel/iommu_groups is empty",
            why=f"The firmware does not offer {name}: no kernel argument can switch it on.",
            do=where
            if virtual
            else f"Enable {name} in the BIOS set-up (and SR-IOV, where it has a switch of its own), "
            "switch the power off and on, then run check again.",
        )
    ]


def _bios_unseen(facts: Facts, table: str, name: str) -> Finding:
    return Finding(
        code=f"IOMMU-NO-{table}",
        severity="warns",
        chapter=CHAPTER,
        seen=f"/sys/firmware/acpi/tables/{table} is not there, and /sys/kernel/iommu_groups is empty",
        why=f"This is a container ({facts.system.virtualization}): what it is given of /sys does not say whether the firmware "
        f"offers {name}.",
        do="Run check on the host itself, outside of the container.",
    )


def _driver(facts: Facts) -> list[Finding]:
    """The groups that are there go before what a file says of the kernel."""
    if facts.iommu.driver_in_kernel is not False or facts.iommu.running:
        return []
    _, name = TABLES[facts.iommu.vendor]
    return [
        Finding(
            code="IOMMU-NO-DRIVER",
            severity="blocks",
            chapter=CHAPTER,
            seen=facts.iommu.kernel_config,
            why=f"The running kernel was built without the driver of {name}: no kernel argument can switch it on.",
            do="Boot a kernel that has it (Debian: linux-image-amd64 in place of linux-image-cloud-amd64), then run check again.",
        )
    ]


def _places(line: next_command_line.NextLine, words: Sequence[str]) -> str:
    sets = [(f"{path} line {number} sets {name}", value) for path, number, name, value in line.layers]
    return "; ".join(
        f"{place}={value!r}"
        for place, value in (*sets, *line.brought)
        if any(word in kernel_arguments.split(value) for word in words)
    )


def _idle(facts: Facts, line: next_command_line.NextLine) -> list[Finding]:
    words = verdict_of(facts, line.resolved or "").idle
    if not words:
        return []
    return [
        Finding(
            code="IOMMU-NO-EFFECT",
            severity="tells",
            chapter=CHAPTER,
            seen=_places(line, words) or f"the next boot's line holds {' '.join(words)}",
            why=f"The kernel knows no {' '.join(words)} here and does nothing about it.",
            do="Nothing has to be done; take it away, so that nobody relies on it.",
        )
    ]


def _other_layers(facts: Facts, line: next_command_line.NextLine) -> list[Finding]:
    arguments = line.resolved or ""
    verdict = verdict_of(facts, arguments)
    guilty = _places(line, verdict.conflicts)
    if verdict.on is False and facts.iommu.driver_in_kernel is not False:
        return [
            Finding(
                code="IOMMU-OFF-ELSEWHERE",
                severity="blocks",
                chapter=CHAPTER,
                seen=guilty or f"the next boot's line would be: {arguments}",
                why=f"Another layer keeps the IOMMU off at the next boot: {verdict.because}.",
                do="Take that argument away where it is set; this tool never removes what others put there.",
            )
        ]
    if verdict.conflicts:
        return [
            Finding(
                code="IOMMU-CONFLICT",
                severity="warns",
                chapter=CHAPTER,
                seen=guilty or f"the next boot's line holds {' '.join(verdict.conflicts)}",
                why="These arguments stand against what is wanted here, or have no effect.",
                do="Look whether they are still needed, and take them away where they are set.",
            )
        ]
    return []
