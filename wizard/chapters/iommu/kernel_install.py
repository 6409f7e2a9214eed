"""Kernel arguments in /etc/kernel/cmdline, of which kernel-install makes systemd-boot's entries."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.boot import next_command_line
from wizard.chapters.iommu.kernel_arguments import Answers, all_words
from wizard.chapters.iommu.line_editor import LineEditor
from wizard.facts.bootloaders.kernel_install import CMDLINE
from wizard.facts.bootloaders.loader import Way
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.changes import FileEdit


class KernelInstall(LineEditor):
    """Words at the end of the one line: it keeps no layer of its own, and the run that added them takes them away."""

    loader: Way = "kernel-install"

    def asked(self, facts: Facts, answers: Answers) -> list[str]:
        lacking = self.lacking(facts, answers)
        there = kernel_arguments.split(next_command_line.next_boot(facts).arguments or "")
        return [word for word in all_words(facts, answers) if word in lacking or word in there]

    def edits(self, words: list[str]) -> tuple[FileEdit, ...]:
        if not words:
            return ()
        why = f"add {' '.join(words)} to the kernel's command line"
        return (FileEdit(CMDLINE, why, lambda content: added(words, content), labels=("reboot",)),)


def added(words: Sequence[str], content: bytes | None) -> bytes | None:
    """The line with these words at its end; of several lines the last that holds anything. None where there is none: the whole line,
    root= too, is what an entry is made of."""
    if content is None:
        return None
    kept = content.rstrip()
    return kept + (b" " if kept else b"") + " ".join(words).encode() + content[len(kept) :]
