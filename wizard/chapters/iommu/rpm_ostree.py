"""Kernel arguments of the next deployment, which rpm-ostree makes."""

from __future__ import annotations

from wizard.chapters.iommu.kernel_arguments import Answers, all_words
from wizard.chapters.iommu.line_editor import LineEditor
from wizard.facts.bootloaders.loader import Way
from wizard.facts.bootloaders.rpm_ostree import NEXT
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.changes import LiveAction
from wizard.model.steps import KernelArgumentsPresent, RunCommand


class RpmOstree(LineEditor):
    loader: Way = "rpm-ostree"

    def lacking(self, facts: Facts, answers: Answers) -> list[str]:
        (line,) = facts.boot.grubby_arguments or ("",)
        return kernel_arguments.missing(line, all_words(facts, answers))

    def asked(self, facts: Facts, answers: Answers) -> list[str]:
        return all_words(facts, answers)

    def actions(self, chapter: str, facts: Facts, words: list[str]) -> tuple[LiveAction, ...]:
        """One command, so that there is one new deployment. It appends words, and takes the same words away: nothing else changes."""
        if not words:
            return ()
        return (
            LiveAction(
                RunCommand(
                    chapters=(chapter,),
                    phase="boot",
                    argv=("rpm-ostree", "kargs", *(f"--append-if-missing={word}" for word in words)),
                    why=(
                        "the kernel's arguments belong to the deployment: a new one is made, and the one that runs is kept",
                    ),
                    labels=("reboot",),
                    undo=("rpm-ostree", "kargs", *(f"--delete-if-present={word}" for word in words)),
                    undo_when="after_files",
                    deadline_s=900,
                    proves=(KernelArgumentsPresent(words=tuple(words)),),
                    id=f"{chapter}/arguments:{NEXT}",
                )
            ),
        )
