"""IOMMU: let the kernel translate what devices do to memory, so that a device can be given to a guest."""

from __future__ import annotations

from collections.abc import Iterator

from wizard import boot_room, dropped, kernel_line
from wizard.answers import AllAnswers
from wizard.boot_content import entries_lack, normal
from wizard.cards import AnswersModel
from wizard.formats import kernel_arguments
from wizard.formats.kernel_arguments import IommuVerdict
from wizard.node.facts import Facts
from wizard.plan import Finding, HoldsArguments, Proof, Run
from wizard.questions import Check, Question, Table
from wizard.wants import Action, Edit, Product, Wants

NAME = "iommu"
TITLE = "IOMMU"
WHY = (
    "A guest may only drive a device whose memory accesses the IOMMU holds in check: VT-d at Intel, AMD-Vi at AMD. "
    "The BIOS has to offer it, and the kernel has to switch it on at boot."
)
NEEDS: tuple[str, ...] = ()

DROP_IN = "/etc/default/grub.d/zz-compute-wizard.cfg"
GRUB_DEFAULT = "/etc/default/grub"
MARK = "# compute-wizard: IOMMU"
HEADER = """\
# Written by compute-wizard: kernel arguments for the IOMMU.
# It sorts last and appends, so that no other file overrides it. To take it back: remove it, then run update-grub.
"""
TABLES = {"intel": ("DMAR", "VT-d"), "amd": ("IVRS", "AMD-Vi (IOMMU)"), "arm": ("IORT", "SMMU")}


class Answers(AnswersModel):
    """`passthrough_mode` is iommu=pt: the host's own devices are not translated, guests' devices still are."""

    enable: bool
    passthrough_mode: bool = True


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
    ]


def _without_ours(facts: Facts) -> dict[str, bytes | None]:
    """The files of the boot loader as they would be had this tool never been here."""
    overlay: dict[str, bytes | None] = {DROP_IN: None}
    content = facts.content(GRUB_DEFAULT)
    if content is not None:
        overlay[GRUB_DEFAULT] = _without_mark(content)
    return overlay


def _without_mark(content: bytes) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if not line.rstrip().endswith(MARK.encode()))


def _verdict(facts: Facts, arguments: str) -> IommuVerdict:
    return kernel_arguments.iommu_verdict(
        arguments, facts.iommu.vendor, facts.iommu.kernel_default_on, facts.iommu.kernel_default_passthrough
    )


def wanted_words(facts: Facts, answers: Answers) -> list[str]:
    """The kernel arguments that this tool has to add to what others already set and to what the kernel does anyway."""
    if not answers.enable:
        return []
    base = kernel_line.next_boot(facts, _without_ours(facts))
    if facts.boot.way == "grubby":
        return _grubby_words(facts, answers)
    verdict = _verdict(facts, base.arguments or "")
    words = []
    if facts.iommu.vendor == "intel" and verdict.on is not True:
        words.append("intel_iommu=on")
    if answers.passthrough_mode and verdict.passthrough is not True:
        words.append("iommu.passthrough=1" if facts.iommu.vendor == "arm" else "iommu=pt")
    return words


def _grubby_words(facts: Facts, answers: Answers) -> list[str]:
    """grubby keeps no layer of its own: what any kernel lacks is wanted."""
    lines = facts.boot.grubby_arguments
    wanted = ["intel_iommu=on"] if facts.iommu.vendor == "intel" else []
    wanted += ["iommu=pt"] if answers.passthrough_mode else []
    if lines is None:
        return wanted
    return [word for word in wanted if any(kernel_arguments.missing(line, [word]) for line in lines)]


def drop_in(words: list[str]) -> bytes:
    """The drop-in's bytes. `NAME="$NAME …"` and never `+=`, which dash does not know: update-grub would fail."""
    return f'{HEADER}{kernel_line.NORMAL}="${kernel_line.NORMAL} {" ".join(words)}"\n'.encode()


def _in_place(words: list[str], content: bytes | None) -> bytes | None:
    if content is None:
        return None
    kept = _without_mark(content)
    if not words:
        return kept
    end = b"" if not kept or kept.endswith(b"\n") else b"\n"
    name = kernel_line.NORMAL
    return kept + end + f'{name}="${{{name}:+${name} }}{" ".join(words)}" {MARK}\n'.encode()


def _edits(facts: Facts, words: list[str]) -> tuple[Edit, ...]:
    why = f"add {' '.join(words)} to the kernel's command line" if words else "the arguments are no longer wanted"
    if facts.boot.way == "grub-dropin":
        return (Edit(DROP_IN, why, lambda content: drop_in(words) if words else None, labels=("reboot",)),)
    if facts.boot.way == "grub-inplace":
        return (Edit(GRUB_DEFAULT, why, lambda content: _in_place(words, content), labels=("reboot",)),)
    return ()


def overlay_of(facts: Facts, answers: Answers) -> dict[str, bytes | None]:
    """The boot loader's files as they will be with these answers."""
    return {edit.path: edit.change(facts.content(edit.path)) for edit in _edits(facts, wanted_words(facts, answers))}


def _changes(facts: Facts, overlay: dict[str, bytes | None]) -> bool:
    return any(content != facts.content(path) for path, content in overlay.items())


def stale_entries(facts: Facts, overlay: dict[str, bytes | None]) -> str | None:
    """How the generated configuration differs from what its sources say, as a sentence; empty where it does not, None where
    either is unknown."""
    line = kernel_line.next_boot(facts, overlay)
    if line.arguments is None or facts.boot.entries is None:
        return None
    return entries_lack(facts.boot, kernel_arguments.split(line.arguments), kernel_line.OURS)


def _proof(facts: Facts, overlay: dict[str, bytes | None]) -> tuple[Proof, ...]:
    """What the boot menu has to hold once it was made anew."""
    line = kernel_line.next_boot(facts, overlay)
    if line.arguments is None:
        return ()
    words = tuple(kernel_arguments.split(line.arguments))
    return (HoldsArguments(words=words, without=tuple(word for word in kernel_line.OURS if word not in words)),)


def wants(facts: Facts, answers: AllAnswers) -> Wants:
    mine = answers.of(Answers)
    if mine is None:
        return Wants()
    words = wanted_words(facts, mine)
    if facts.boot.way == "grubby":
        return Wants(actions=tuple(_grubby_actions(facts, words)), reads=facts.boot.sources)
    edits = _edits(facts, words)
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in edits}
    product = Product(
        "grub",
        facts.boot.update,
        "boot",
        f"make {facts.boot.generated or 'the boot menu'} from its sources",
        inputs=tuple(edit.path for edit in edits),
        due=bool(stale_entries(facts, overlay)),
        labels=("reboot",),
        undo=facts.boot.update,
        proves=_proof(facts, overlay),
        order=10,
    )
    return Wants(edits=edits, products=(product,) if facts.boot.update else (), reads=facts.boot.sources)


def _grubby_actions(facts: Facts, words: list[str]) -> Iterator[Action]:
    """One command for all kernels where all lack the same; else one for each kernel, with what that one lacks: what was
    there before must not go when the run is taken back."""
    kernels, lines = facts.boot.grubby_kernels, facts.boot.grubby_arguments or ()
    lacking = [[word for word in words if kernel_arguments.missing(line, [word])] for line in lines]
    if words and all(each == words for each in lacking):
        yield _grubby_action("ALL", words)
        return
    for kernel, missing in zip(kernels, lacking, strict=True):
        if missing:
            yield _grubby_action(kernel, missing)


def _grubby_action(kernel: str, words: list[str]) -> Action:
    text = " ".join(words)
    return Action(
        Run(
            chapters=(NAME,),
            phase="boot",
            argv=("grubby", f"--update-kernel={kernel}", f"--args={text}"),
            why=("boot entries of this system are changed by grubby, never by grub2-mkconfig",),
            labels=("reboot",),
            undo=("grubby", f"--update-kernel={kernel}", f"--remove-args={text}"),
            undo_when="after_files",
            proves=(HoldsArguments(words=tuple(words)),),
        )
    )


def findings(facts: Facts, answers: AllAnswers) -> list[Finding]:
    mine = answers.of(Answers)
    if mine is None or not mine.enable:
        return [finding.model_copy(update={"severity": "tells"}) for finding in _bios(facts)]
    found = _bios(facts)
    if facts.boot.way in ("unknown", "systemd-boot"):
        found.append(_other_boot_loader(facts, mine))
        return found
    overlay = overlay_of(facts, mine)
    line = kernel_line.next_boot(facts, overlay)
    if facts.boot.update and (stale_entries(facts, overlay) or _changes(facts, overlay)):
        found += boot_room.finding(facts, NAME, "a new boot menu", boot_room.MENU_BYTES)
    if line.arguments is None:
        found.append(
            Finding(
                code="IOMMU-LINE-UNKNOWN",
                severity="blocks" if line.broken else "warns",
                chapter=NAME,
                seen=line.why,
                why=f"{facts.boot.update[0] if facts.boot.update else 'The boot loader'} would fail on it."
                if line.broken
                else "The next boot's command line could not be computed, so nothing can be promised about it.",
                do="Mend that file, then run check again."
                if line.broken
                else "Compare /proc/cmdline after the reboot; verify does.",
            )
        )
        return found
    return found + _other_layers(facts, line)


def _other_boot_loader(facts: Facts, answers: Answers) -> Finding:
    """What is to be added by hand; once the running kernel has it, nothing is in the way any more."""
    verdict = _verdict(facts, facts.iommu.command_line)
    there = facts.iommu.running and (verdict.passthrough is True or not answers.passthrough_mode)
    words = " ".join(wanted_words(facts, answers))
    by_hand = (
        f"Add {words} to the kernel's command line"
        if words
        else "Take what keeps the IOMMU off from the kernel's command line"
    )
    return Finding(
        code="IOMMU-BOOTLOADER",
        severity="tells" if there else "blocks",
        chapter=NAME,
        seen=f"{facts.boot.because}{'; the running kernel has what is needed' if there else ''}",
        why="This tool changes kernel arguments through GRUB or grubby only, and neither rules the next boot here.",
        do="Keep that so when its kernel line is changed: this tool cannot see the next boot's."
        if there
        else f"{by_hand} by this boot loader's own way, reboot, then run check again.",
    )


def _bios(facts: Facts) -> list[Finding]:
    table, name = TABLES.get(facts.iommu.vendor, ("", ""))
    if not table or facts.iommu.table or facts.iommu.running or not facts.iommu.table_seen:
        return []
    virtual = facts.system.virtualization not in ("none", "")
    where = f"This node is itself a guest ({facts.system.virtualization}): its host has to give it a virtual IOMMU."
    return [
        Finding(
            code=f"IOMMU-NO-{table}",
            severity="blocks",
            chapter=NAME,
            seen=f"/sys/firmware/acpi/tables/{table} is not there, and /sys/kernel/iommu_groups is empty",
            why=f"The firmware does not offer {name}: no kernel argument can switch it on.",
            do=where
            if virtual
            else f"Enable {name} in the BIOS set-up (and SR-IOV, where it has a switch of its own), "
            "switch the power off and on, then run check again.",
        )
    ]


def _other_layers(facts: Facts, line: kernel_line.NextLine) -> list[Finding]:
    arguments = line.arguments or ""
    verdict = _verdict(facts, arguments)
    guilty = "; ".join(
        f"{path} line {number} sets {name}={value!r}"
        for path, number, name, value in line.layers
        if any(word in kernel_arguments.split(value) for word in verdict.conflicts)
    )
    if verdict.on is False:
        return [
            Finding(
                code="IOMMU-OFF-ELSEWHERE",
                severity="blocks",
                chapter=NAME,
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
                chapter=NAME,
                seen=guilty or f"the next boot's line holds {' '.join(verdict.conflicts)}",
                why="These arguments stand against what is wanted here, or have no effect.",
                do="Look whether they are still needed, and take them away where they are set.",
            )
        ]
    return []


def checks(facts: Facts, answers: AllAnswers) -> list[Check]:
    mine = answers.of(Answers)
    if mine is None or not mine.enable:
        return []
    mode = [_mode(facts, mine)] if mine.passthrough_mode else []
    return [_running(facts, mine), *mode, *_menu(facts)]


def _menu(facts: Facts) -> list[Check]:
    """Whether the boot menu that was generated holds what its sources say; nothing where it is made in another way."""
    if not facts.boot.generated:
        return []
    what = f"{facts.boot.generated} holds what the next boot is to have"
    stale = stale_entries(facts, {})
    if stale is None:
        why = kernel_line.next_boot(facts).why or f"{facts.boot.generated} could not be read"
        return [Check(NAME, what, "unknown", why, "Run verify as root.")]
    if stale:
        return [Check(NAME, what, "failed", stale, "Do not reboot yet: run plan, then apply.")]
    return [Check(NAME, what, "held", f"{len(normal(facts.boot.entries or ()))} entries")]


def _next_verdict(facts: Facts) -> IommuVerdict | None:
    line = kernel_line.next_boot(facts)
    if line.arguments is None or stale_entries(facts, {}):
        return None
    return _verdict(facts, line.arguments)


def _running(facts: Facts, answers: Answers) -> Check:
    what = "The IOMMU is on"
    if facts.iommu.running:
        return Check(NAME, what, "held", f"{len(facts.iommu.groups)} IOMMU groups")
    if not facts.live and not facts.simulated and not facts.iommu.command_line:
        return Check(NAME, what, "unknown", "not a running system")
    coming = _next_verdict(facts)
    if coming is not None and coming.on:
        if facts.history.rebooted_since(NAME, facts.system.boot_id):
            lacking = kernel_arguments.missing(facts.iommu.command_line, wanted_words(facts, answers))
            return Check(
                NAME, what, "failed", *(dropped.arguments(facts, lacking) if lacking else dropped.iommu(facts))
            )
        return Check(NAME, what, "pending", f"at the next boot: {coming.because}", "Reboot, then verify again.")
    return Check(NAME, what, "failed", "/sys/kernel/iommu_groups is empty", "Run plan, then apply.")


def _mode(facts: Facts, answers: Answers) -> Check:
    what = "The host's own devices are not translated (iommu=pt)"
    if not facts.iommu.command_line:
        return Check(NAME, what, "unknown", "/proc/cmdline could not be read")
    if _verdict(facts, facts.iommu.command_line).passthrough:
        return Check(NAME, what, "held", facts.iommu.command_line)
    coming = _next_verdict(facts)
    if coming is not None and coming.passthrough:
        if facts.history.rebooted_since(NAME, facts.system.boot_id):
            return Check(NAME, what, "failed", *dropped.arguments(facts, wanted_words(facts, answers)))
        return Check(NAME, what, "pending", "on the next boot's command line", "Reboot, then verify again.")
    return Check(NAME, what, "failed", facts.iommu.command_line, "Run plan, then apply.")


def summary(facts: Facts) -> list[str]:
    _, name = TABLES.get(facts.iommu.vendor, ("", "IOMMU"))
    bios = (
        f"offered ({facts.iommu.table})"
        if facts.iommu.table
        else "not offered"
        if facts.iommu.table_seen
        else "unknown"
    )
    running = f"on, {len(facts.iommu.groups)} groups" if facts.iommu.running else "off"
    default = {True: "on", False: "off", None: "unknown"}[facts.iommu.kernel_default_on]
    line = kernel_line.next_boot(facts)
    return [
        f"{name} in the BIOS: {bios}; running: {running}; this kernel's default: {default}",
        f"next boot ({facts.boot.way}): {line.arguments if line.arguments is not None else 'unknown: ' + line.why}",
    ]
