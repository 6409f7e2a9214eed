"""Boot loaders whose line this tool does not change."""

from __future__ import annotations

from wizard.chapters.iommu.kernel_arguments import Answers, lacking_words
from wizard.facts.bootloaders.loader import Way
from wizard.facts.facts import Facts
from wizard.model.changes import FileEdit, LiveAction


class Unknown:
    loader: Way = "unknown"
    by_tool = False

    def lacking(self, facts: Facts, answers: Answers) -> list[str]:
        return lacking_words(facts, answers)

    def asked(self, facts: Facts, answers: Answers) -> list[str]:
        return self.lacking(facts, answers)

    def edits(self, words: list[str]) -> tuple[FileEdit, ...]:
        return ()

    def actions(self, chapter: str, facts: Facts, words: list[str]) -> tuple[LiveAction, ...]:
        return ()

    def reads(self, facts: Facts) -> tuple[str, ...]:
        return facts.boot.sources

    def by_hand(self, words: list[str]) -> str:
        what = (
            f"Add {' '.join(words)} to the kernel's command line"
            if words
            else "Take what keeps the IOMMU off from the kernel's command line"
        )
        return f"{what} by this boot loader's own way, reboot, then run check again."


class SystemdBoot(Unknown):
    loader: Way = "systemd-boot"

    def by_hand(self, words: list[str]) -> str:
        if not words:
            return super().by_hand(words)
        return (
            f"Put {' '.join(words)} into /etc/kernel/cmdline, which has to hold the whole line, root= too, "
            "make the entry or the unified image again (`kernel-install add`), reboot, then run check again."
        )
