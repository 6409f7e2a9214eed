"""Kernel arguments that others set."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.boot import next_command_line
from wizard.boot.next_command_line import layers_with, words_of
from wizard.facts.facts import Facts

IOMMU = ("intel_iommu", "amd_iommu")


def iommu(facts: Facts, overlay: Mapping[str, bytes | None]) -> list[str]:
    """Kernel arguments that switch it on. grubby keeps no layers: whose argument it is cannot be said after a run of ours."""
    if facts.boot.loader.in_entries:
        ours = any("iommu" in run.chapters and not run.undone_by for run in facts.history.runs)
        lines = zip(facts.boot.grubby_kernels, facts.boot.grubby_arguments or (), strict=False)
        found = [
            f"the boot entry of {kernel}: {word}" for kernel, line in lines for word in words_of(line, _switches_on)
        ]
        return [] if ours else found
    return layers_with(facts, overlay, _switches_on)


def doubts(facts: Facts, overlay: Mapping[str, bytes | None]) -> list[str]:
    """Why the next boot's line cannot be computed; none where it is known."""
    line = next_command_line.next_boot(facts, overlay)
    return [f"the next boot's kernel line: {line.why}"] if line.arguments is None and not line.broken else []


def _switches_on(word: str) -> bool:
    name, _, value = word.partition("=")
    return word in next_command_line.OURS or (name in IOMMU and value.split(",")[0] in ("on", "force", "force_enable"))
