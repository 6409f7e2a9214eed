"""Interrupt remapping: without it vfio refuses to hand out any device, though the IOMMU is on."""

from __future__ import annotations

from wizard.boot import next_command_line
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.findings import Check, Finding


@dataclass(frozen=True, slots=True)
class Off:
    """A word that switches it off, and where it stands."""

    word: str
    place: str


def switched_off(line: str) -> str:
    """The word of a kernel line that switches it off; empty where none does. The last one counts (drivers/iommu/irq_remapping.c)."""
    off = ""
    for token in kernel_arguments.split(line):
        name, values = kernel_arguments.key(token), token.partition("=")[2].strip('"').split(",")
        if name == "nointremap":
            off = token
        elif name == "intremap":
            for value in values:
                off = token if value == "off" else "" if value == "on" else off
    return off


def at_next_boot(facts: Facts) -> Off | None:
    line = next_command_line.next_boot(facts)
    word = switched_off(line.arguments or "")
    if not word:
        return None
    places = [
        f"{path} line {number}" for path, number, _, value in line.layers if word in kernel_arguments.split(value)
    ]
    return Off(word, places[0] if places else "the kernel's command line")


def running(facts: Facts) -> Off | None:
    word = switched_off(facts.iommu.command_line)
    return Off(word, "/proc/cmdline") if word else None


def findings(facts: Facts) -> list[Finding]:
    if facts.iommu.vendor not in ("intel", "amd"):
        return []
    off = at_next_boot(facts) or (running(facts) if next_command_line.next_boot(facts).arguments is None else None)
    if off is not None:
        return [
            _finding(
                f"{off.place}: {off.word} switches interrupt remapping off",
                f"Take {off.word} away there. Where it was set against a fault of the hardware, look for a newer BIOS first.",
            )
        ]
    if facts.iommu.interrupts_in_kernel is False:
        return [
            _finding(
                f"{facts.iommu.kernel_config}: CONFIG_IRQ_REMAP is not set",
                "Boot a kernel that has it.",
            )
        ]
    return []


def _finding(seen: str, do: str) -> Finding:
    return Finding(
        code="IOMMU-NO-INTREMAP",
        severity="warns",
        chapter="iommu",
        seen=seen,
        why="The IOMMU is on without it, and vfio still refuses to hand out a device: `No interrupt remapping support`. Guests "
        "with a VF do not start. allow_unsafe_interrupts=1 of vfio_iommu_type1 lifts that, and lets guests interrupt the host.",
        do=do,
    )


def checks(facts: Facts) -> list[Check]:
    """Only where it is switched off, now or at the next boot."""
    if facts.iommu.vendor not in ("intel", "amd"):
        return []
    what = "Interrupts are remapped, as vfio asks for"
    next_line, now = at_next_boot(facts), running(facts)
    if next_line is not None:
        return [
            Check(
                "iommu",
                what,
                "failed",
                f"{next_line.place}: {next_line.word}",
                f"Take {next_line.word} away there, then reboot.",
            )
        ]
    if now is not None:
        return [Check("iommu", what, "pending", f"the running kernel has {now.word}", "Reboot, then verify again.")]
    return []
