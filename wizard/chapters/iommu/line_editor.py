"""What changing the kernel's line asks of a boot loader: the changing half. Its reading half is in `wizard/facts/bootloaders/`."""

from __future__ import annotations

from wizard.chapters.iommu.kernel_arguments import Answers, lacking_words
from wizard.facts.bootloaders.loader import Way
from wizard.facts.facts import Facts
from wizard.model.changes import FileEdit, LiveAction


class LineEditor:
    """How kernel arguments get onto the next boot's line, and off it; as it stands, by nothing that this tool does."""

    loader: Way = "unknown"
    by_tool: bool = True  # False: this tool does not change the line, and says what is to be done by hand

    def lacking(self, facts: Facts, answers: Answers) -> list[str]:
        """The kernel arguments that are to be added; the answers switch the IOMMU on."""
        return lacking_words(facts, answers)

    def asked(self, facts: Facts, answers: Answers) -> list[str]:
        """Those that the answers stand for here, whether they are on the next boot's line already or not."""
        return self.lacking(facts, answers)

    def edits(self, words: list[str]) -> tuple[FileEdit, ...]:
        """The files that bring these arguments, or none of ours."""
        return ()

    def actions(self, chapter: str, facts: Facts, words: list[str]) -> tuple[LiveAction, ...]:
        """The commands that bring these arguments."""
        return ()

    def reads(self, facts: Facts) -> tuple[str, ...]:
        """The files that must not change before that is done."""
        return facts.boot.sources

    def by_hand(self, words: list[str]) -> str:
        """What the admin is to do, where this tool does not."""
        return ""
