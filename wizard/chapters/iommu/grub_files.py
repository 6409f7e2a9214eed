"""Kernel arguments in the files that grub-mkconfig reads: in a drop-in of ours, or in a line of /etc/default/grub."""

from __future__ import annotations

from wizard.boot import next_command_line
from wizard.chapters.iommu.kernel_arguments import (
    DROP_IN,
    GRUB_DEFAULT,
    HEADER,
    MARK,
    without_mark,
)
from wizard.chapters.iommu.line_editor import LineEditor
from wizard.facts.bootloaders.loader import Way
from wizard.model.changes import FileEdit


class InPlace(LineEditor):
    """A marked line at the end of /etc/default/grub."""

    loader: Way = "grub-inplace"

    def edits(self, words: list[str]) -> tuple[FileEdit, ...]:
        return (FileEdit(GRUB_DEFAULT, _why(words), lambda content: _in_place(words, content), labels=("reboot",)),)


class DropIn(LineEditor):
    """A file of ours beside the others."""

    loader: Way = "grub-dropin"

    def edits(self, words: list[str]) -> tuple[FileEdit, ...]:
        return (FileEdit(DROP_IN, _why(words), lambda _: drop_in(words) if words else None, labels=("reboot",)),)


def _why(words: list[str]) -> str:
    return f"add {' '.join(words)} to the kernel's command line" if words else "the arguments are no longer wanted"


def drop_in(words: list[str]) -> bytes:
    """The drop-in's bytes. `NAME="$NAME …"` and never `+=`, which dash does not know: update-grub would fail."""
    return f'{HEADER}{next_command_line.NORMAL}="${next_command_line.NORMAL} {" ".join(words)}"\n'.encode()


def _in_place(words: list[str], content: bytes | None) -> bytes | None:
    if content is None:
        return None
    kept = without_mark(content)
    if not words:
        return kept
    end = b"" if not kept or kept.endswith(b"\n") else b"\n"
    name = next_command_line.NORMAL
    return kept + end + f'{name}="${{{name}:+${name} }}{" ".join(words)}" {MARK}\n'.encode()
