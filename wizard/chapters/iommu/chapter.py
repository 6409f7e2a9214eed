"""IOMMU: let the kernel translate what devices do to memory, so that a device can be given to a guest."""

from __future__ import annotations

from wizard.boot import next_command_line
from wizard.boot.artifacts import entries_lack, normal
from wizard.chapters.iommu import findings as iommu_findings
from wizard.chapters.iommu import foreign, interrupt_remapping, not_effective, pending_words
from wizard.chapters.iommu import kernel_arguments as iommu_line
from wizard.chapters.iommu.editors import asked_words, editor_of, overlay_of, wanted_words
from wizard.chapters.iommu.kernel_arguments import menu_due, stale_entries, verdict_of
from wizard.chapters.shared import advice as unseen_advice
from wizard.chapters.shared import foreign as set_elsewhere
from wizard.errors import FormatError
from wizard.facts.bootloaders.loader import MENU
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.formats.kernel_arguments import IommuVerdict
from wizard.model.answers import AllAnswers
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.findings import Check, Finding, Remedy
from wizard.model.questions import Question, Table
from wizard.model.steps import KernelArgumentsPresent, Postcondition

NAME = "iommu"
TITLE = "IOMMU"
WHY = (
    "A guest may only drive a device whose memory accesses the IOMMU holds in check: VT-d at Intel, AMD-Vi at AMD. "
    "The BIOS has to offer it, and the kernel has to switch it on at boot."
)
NEEDS: tuple[str, ...] = ()
Answers = iommu_line.Answers


def suggest(facts: Facts) -> Answers | None:
    """Wherever there is a card to be passed through: without one there is nothing to be held in check."""
    wanted = any(function.offer in ("offered", "off") and not function.is_vf for function in facts.pci.functions)
    return Answers(enable=True, passthrough_mode=True) if wanted else None


def questions(facts: Facts, answers: AllAnswers) -> list[Question | Table]:
    mine = answers.of(Answers)
    off = "" if mine is None or mine.enable else "the IOMMU is not to be enabled"
    return [
        Question(("enable",), "yesno", "Enable the IOMMU at boot", help="Needed for every kind of PCI passthrough."),
        Question(
            ("passthrough_mode",),
            "yesno",
            "Pass-through mode for the host's own devices (iommu=pt)",
            help="The host's traffic is not translated: no loss at 40 Gb/s and more. Guests are still held in check.",
            disabled=off,
        ),
        *_words_of_others(facts, answers),
    ]


def _words_of_others(facts: Facts, answers: AllAnswers) -> list[Question]:
    try:
        return pending_words.questions(facts, changes(facts, answers))
    except FormatError:  # a file of the boot loader that cannot be edited: the plan has a finding of it
        return []


def _proof(facts: Facts, overlay: dict[str, bytes | None], ours: list[str]) -> tuple[Postcondition, ...]:
    """What the boot menu has to hold once it was made anew; of a line that cannot be computed, what we added to it."""
    line = next_command_line.next_boot(facts, overlay)
    if line.arguments is None:
        return (KernelArgumentsPresent(words=tuple(ours)),) if ours else ()
    words = tuple(kernel_arguments.split(line.arguments))
    return (
        KernelArgumentsPresent(
            words=words, without=tuple(word for word in next_command_line.OURS if word not in words)
        ),
    )


def changes(facts: Facts, answers: AllAnswers) -> Changes:
    mine = answers.of(Answers)
    if mine is None:
        return Changes()
    editor = editor_of(facts)
    words = wanted_words(facts, mine)
    edits = editor.edits(words)
    return Changes(
        edits=edits,
        products=_boot_menu(facts, mine, words, edits),
        actions=editor.actions(NAME, facts, words),
        reads=editor.reads(facts),
    )


def _boot_menu(facts: Facts, mine: Answers, words: list[str], edits: tuple[FileEdit, ...]) -> tuple[Artifact, ...]:
    """The menu that is made of these files; nothing where no command makes one. Of several commands the last has to have made what
    is wanted: it is the one of the entry that is booted, and the first that is run again when the run is undone."""
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in edits}
    commands = facts.boot.updates
    return tuple(
        Artifact(
            f"boot-entry:{argv[2]}" if facts.boot.loader.line_file else "grub",
            argv,
            "boot",
            _made(facts, argv),
            inputs=tuple(edit.path for edit in edits),
            due=menu_due(facts, mine, overlay),
            labels=("reboot",),
            undo=argv,
            proves=_proof(facts, overlay, words) if argv == commands[-1] else (),
            order=10,
        )
        for argv in commands
    )


def _made(facts: Facts, argv: tuple[str, ...]) -> str:
    if facts.boot.loader.line_file:
        return f"make the boot entry of {argv[2]} from {facts.boot.loader.line_file}"
    return f"make {facts.boot.generated or 'the boot menu'} from its sources"


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    mine = answers.of(Answers)
    return iommu_findings.findings(facts, mine) + set_elsewhere.findings(
        NAME, "enable = false", _elsewhere(facts, mine), _doubts(facts, mine)
    )


def _elsewhere(facts: Facts, mine: Answers | None) -> list[str]:
    """Who else switches on what is answered as off."""
    return foreign.iommu(facts, overlay_of(facts, mine)) if mine is not None and not mine.enable else []


def _doubts(facts: Facts, mine: Answers | None) -> list[str]:
    """Where that cannot be determined."""
    return foreign.doubts(facts, overlay_of(facts, mine)) if mine is not None and not mine.enable else []


def checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    mine = answers.of(Answers)
    if mine is None or not mine.enable:
        return set_elsewhere.checks(
            NAME,
            "No kernel argument of this tool switches the IOMMU on",
            _elsewhere(facts, mine),
            _doubts(facts, mine),
        )
    mode = [_mode(facts, mine)] if mine.passthrough_mode else []
    return [_running(facts, mine), *mode, *_menu(facts, mine), *interrupt_remapping.checks(facts)]


def _grubby_entries(facts: Facts, answers: Answers) -> Check:
    what = "Each kernel's boot entry holds what was asked for"
    lacking = entries_lack(facts.boot, asked_words(facts, answers))
    if lacking is None:
        return Check(NAME, what, "unknown", next_command_line.next_boot(facts).why, unseen_advice.of_next_line(facts))
    if lacking:
        return Check(NAME, what, "failed", lacking, "Do not reboot yet: run plan, then apply.")
    kernels = len(facts.boot.grubby_kernels)
    return Check(
        NAME, what, "held", f"{kernels} {'kernel' if kernels == 1 else 'kernels'} of {facts.boot.loader.asked}"
    )


def _menu(facts: Facts, answers: Answers) -> list[Check]:
    """Whether the boot menu that was generated holds what its sources say; nothing where it is made in another way."""
    if facts.boot.loader.in_entries:
        return [_grubby_entries(facts, answers)]
    if not facts.boot.generated:
        return []
    what = f"{facts.boot.generated} holds what the next boot is to have"
    stale = stale_entries(facts, {})
    if stale is None:
        unseen = next((each.why for each in facts.boot.unseen if each.what == MENU), "")
        why = next_command_line.next_boot(facts).why
        advice = unseen_advice.of_next_line(facts) if why else unseen_advice.of_node(facts)
        seen = why or unseen or f"{facts.boot.generated} holds no entry but for recovery"
        return [Check(NAME, what, "unknown", seen, advice)]
    if stale:
        return [Check(NAME, what, "failed", stale, "Do not reboot yet: run plan, then apply.")]
    return [Check(NAME, what, "held", f"{len(normal(facts.boot.entries or ()))} entries")]


def _next_verdict(facts: Facts) -> IommuVerdict | None:
    """What the next boot makes of the IOMMU; where its sources cannot be evaluated, as the menu that was made of them says."""
    line = next_command_line.next_boot(facts)
    if line.arguments is None:
        made = [verdict_of(facts, entry.arguments) for entry in normal(facts.boot.entries or ())]
        return made[0] if made and len({verdict.on for verdict in made}) == 1 else None
    if stale_entries(facts, {}):
        return None
    return verdict_of(facts, line.resolved or "")


def _running(facts: Facts, answers: Answers) -> Check:
    what = "The IOMMU is on"
    if facts.iommu.running:
        return Check(NAME, what, "held", f"{len(facts.iommu.groups)} IOMMU groups")
    if not facts.live and not facts.simulated and not facts.iommu.command_line:
        return Check(NAME, what, "unknown", "not a running system")
    coming = _next_verdict(facts)
    if coming is not None and coming.on:
        if facts.history.rebooted_since(NAME, facts.system.boot_id):
            lacking = kernel_arguments.missing(facts.iommu.command_line, asked_words(facts, answers))
            return Check(
                NAME,
                what,
                "failed",
                *(not_effective.arguments(facts, lacking) if lacking else not_effective.iommu(facts)),
            )
        return Check(NAME, what, "pending", f"at the next boot: {coming.because}", "Reboot, then verify again.")
    empty = "/sys/kernel/iommu_groups is empty"
    if coming is not None and coming.on is None:
        return Check(NAME, what, "unknown", f"{empty}; what this kernel does at the next boot is not known")
    line = next_command_line.next_boot(facts)
    if coming is None and line.arguments is None and line.why and not line.broken and facts.boot.entries is None:
        return Check(
            NAME, what, "unknown", f"{empty}; the next boot's line: {line.why}", unseen_advice.of_next_line(facts)
        )
    return Check(NAME, what, "failed", empty, Remedy.RUN_PLAN)


def _mode(facts: Facts, answers: Answers) -> Check:
    what = "The host's own devices are not translated (iommu=pt)"
    if not facts.iommu.command_line:
        return Check(NAME, what, "unknown", "/proc/cmdline could not be read")
    if verdict_of(facts, facts.iommu.command_line).passthrough:
        return Check(NAME, what, "held", facts.iommu.command_line)
    coming = _next_verdict(facts)
    if coming is not None and coming.passthrough:
        if facts.history.rebooted_since(NAME, facts.system.boot_id):
            return Check(NAME, what, "failed", *not_effective.arguments(facts, asked_words(facts, answers)))
        return Check(NAME, what, "pending", "on the next boot's command line", "Reboot, then verify again.")
    return Check(NAME, what, "failed", facts.iommu.command_line, Remedy.RUN_PLAN)


def summary(facts: Facts) -> list[str]:
    _, name = iommu_findings.TABLES.get(facts.iommu.vendor, ("", "IOMMU"))
    bios = (
        f"offered ({facts.iommu.table})"
        if facts.iommu.table
        else "not offered"
        if facts.iommu.table_seen
        else "unknown"
    )
    running = f"on, {len(facts.iommu.groups)} groups" if facts.iommu.running else "off"
    default = {True: "on", False: "off", None: "unknown"}[facts.iommu.kernel_default_on]
    line = next_command_line.next_boot(facts)
    return [
        f"{name} in the BIOS: {bios}; running: {running}; this kernel's default: {default}",
        f"next boot ({facts.boot.way}): {line.arguments if line.arguments is not None else 'unknown: ' + line.why}",
    ]
