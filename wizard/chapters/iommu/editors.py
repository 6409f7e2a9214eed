"""The ways to change the kernel's line, one for each boot loader."""

from __future__ import annotations

from wizard.chapters.iommu.by_hand import ByHand
from wizard.chapters.iommu.grub_files import DropIn, InPlace
from wizard.chapters.iommu.grubby import Grubby
from wizard.chapters.iommu.kernel_arguments import Answers
from wizard.chapters.iommu.kernel_install import KernelInstall
from wizard.chapters.iommu.line_editor import LineEditor
from wizard.chapters.iommu.rpm_ostree import RpmOstree
from wizard.facts.bootloaders.others import BY_HAND
from wizard.facts.facts import Facts
from wizard.model.changes import FileEdit

EDITORS: tuple[LineEditor, ...] = (
    DropIn(),
    InPlace(),
    Grubby(),
    KernelInstall(),
    RpmOstree(),
    *(ByHand(name) for name in BY_HAND),
)
"""A test holds them against the loaders of `wizard/facts/bootloaders/registry.py`."""
_BY_LOADER = {editor.loader: editor for editor in EDITORS}


def editor_of(facts: Facts) -> LineEditor:
    """The one for this node's boot loader."""
    return _BY_LOADER[facts.boot.loader.name]


def wanted_words(facts: Facts, answers: Answers) -> list[str]:
    """The kernel arguments that this tool has to add to what others already set and to what the kernel does anyway."""
    return editor_of(facts).lacking(facts, answers) if answers.enable else []


def asked_words(facts: Facts, answers: Answers) -> list[str]:
    """The kernel arguments that the answers stand for here, whether they are on the next boot's line already or not."""
    return editor_of(facts).asked(facts, answers) if answers.enable else []


def edits_for(facts: Facts, words: list[str]) -> tuple[FileEdit, ...]:
    return editor_of(facts).edits(words)


def overlay_of(facts: Facts, answers: Answers) -> dict[str, bytes | None]:
    """The boot loader's files as they will be with these answers."""
    return {edit.path: edit.change(facts.content(edit.path)) for edit in edits_for(facts, wanted_words(facts, answers))}
