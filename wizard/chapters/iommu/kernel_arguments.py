"""What the kernel's line gets for the IOMMU, and where it is written: what others set and what the kernel does anyway is left alone."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from wizard.boot import next_command_line
from wizard.boot.artifacts import entries_lack
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.formats.kernel_arguments import IommuVerdict
from wizard.model.answers import AnswersModel

DROP_IN = "/etc/default/grub.d/zz-compute-wizard.cfg"
GRUB_DEFAULT = "/etc/default/grub"
MARK = "# compute-wizard: IOMMU"
HEADER = """\
# Written by compute-wizard: kernel arguments for the IOMMU.
# It sorts last and appends, so that no other file overrides it. To take it back: remove it, then run update-grub.
"""


class Answers(AnswersModel):
    """`passthrough_mode` is iommu=pt: the host's own devices are not translated, guests' devices still are. `accept` are words that
    somebody else put on the next boot's line, and that may come into force with the reboot."""

    enable: bool = Field(description="have the kernel use the IOMMU; false: undo what this tool set")
    passthrough_mode: bool = Field(default=True, description="iommu=pt: only guests' devices are translated")
    accept: list[str] = Field(
        default_factory=list, description="kernel arguments of somebody else that may come into force with the reboot"
    )

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Where nothing is accepted, nothing is said of it."""
        data: dict[str, Any] = handler(self)
        return data if self.accept else {name: value for name, value in data.items() if name != "accept"}


def without_ours(facts: Facts) -> dict[str, bytes | None]:
    """The files of the boot loader as they would be had this tool never been here."""
    overlay: dict[str, bytes | None] = {DROP_IN: None}
    content = facts.content(GRUB_DEFAULT)
    if content is not None:
        overlay[GRUB_DEFAULT] = without_mark(content)
    return overlay


def without_mark(content: bytes) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if not line.rstrip().endswith(MARK.encode()))


def verdict_of(facts: Facts, arguments: str) -> IommuVerdict:
    """What this node's kernel makes of a command line."""
    return kernel_arguments.iommu_verdict(
        arguments, facts.iommu.vendor, facts.iommu.kernel_default_on, facts.iommu.kernel_default_passthrough
    )


def all_words(facts: Facts, answers: Answers) -> list[str]:
    """The kernel arguments that the answers stand for, whatever is there already."""
    words = ["intel_iommu=on"] if facts.iommu.vendor == "intel" else []
    return [*words, passthrough_word(facts)] if answers.passthrough_mode else words


def lacking_words(facts: Facts, answers: Answers) -> list[str]:
    """Those that are to be added to what others already set and to what the kernel does anyway."""
    verdict = verdict_of(facts, next_command_line.next_boot(facts, without_ours(facts)).resolved or "")
    words = []
    if facts.iommu.vendor == "intel" and verdict.on is not True:
        words.append("intel_iommu=on")
    if answers.passthrough_mode and verdict.passthrough is not True:
        words.append(passthrough_word(facts))
    return words


def passthrough_word(facts: Facts) -> str:
    """`iommu=` is a parameter of x86; the other name is read by drivers/iommu wherever that is built."""
    return "iommu.passthrough=1" if facts.iommu.vendor == "arm" else "iommu=pt"


def stale_entries(facts: Facts, overlay: dict[str, bytes | None]) -> str | None:
    """How the generated configuration differs from what its sources say, as a sentence; empty where it does not, None where
    either is unknown."""
    line = next_command_line.next_boot(facts, overlay)
    if line.arguments is None or facts.boot.entries is None:
        return None
    return entries_lack(facts.boot, kernel_arguments.split(line.arguments), next_command_line.OURS)


def menu_due(facts: Facts, answers: Answers, overlay: dict[str, bytes | None]) -> bool:
    """Whether the boot menu has to be made anew though no file changes. Where the IOMMU is to be off, only for arguments of ours that
    it still holds: what others set and did not put into it yet is not for us to switch on."""
    if answers.enable:
        return bool(stale_entries(facts, overlay))
    line = next_command_line.next_boot(facts, overlay)
    if line.arguments is None or facts.boot.entries is None:
        return False
    words = kernel_arguments.split(line.arguments)
    return bool(entries_lack(facts.boot, (), [word for word in next_command_line.OURS if word not in words]))
