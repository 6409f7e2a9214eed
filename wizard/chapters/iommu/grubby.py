"""Kernel arguments where grubby keeps them: in each kernel's own boot entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wizard.chapters.iommu.kernel_arguments import GRUB_DEFAULT, Answers, all_words
from wizard.chapters.iommu.line_editor import LineEditor
from wizard.facts.bootloaders.loader import Way
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.model.changes import LiveAction
from wizard.model.steps import KernelArgumentsPresent, RunCommand


class Grubby(LineEditor):
    """Commands of grubby: it keeps no layer of its own, so what any kernel lacks is wanted."""

    loader: Way = "grubby"

    def lacking(self, facts: Facts, answers: Answers) -> list[str]:
        lines = facts.boot.grubby_arguments
        wanted = all_words(facts, answers)
        if not lines:  # not asked, or it named no kernel: nothing says that one has them
            return wanted
        return [word for word in wanted if any(kernel_arguments.missing(line, [word]) for line in lines)]

    def asked(self, facts: Facts, answers: Answers) -> list[str]:
        return all_words(facts, answers)

    def actions(self, chapter: str, facts: Facts, words: list[str]) -> tuple[LiveAction, ...]:
        return tuple(_actions(chapter, facts, words))

    def reads(self, facts: Facts) -> tuple[str, ...]:
        return (GRUB_DEFAULT,)


def _actions(chapter: str, facts: Facts, words: Sequence[str]) -> Iterator[LiveAction]:
    """One command for all kernels where all lack the same; else one for each kernel, with what that one lacks: what was
    there before must not go when the run is taken back.

    With ALL, grubby writes GRUB_CMDLINE_LINUX in /etc/default/grub, too (since 8.40-41), and takes the words out of it again: so
    not where one stands there already, as after an edit that never had an effect.
    """
    kernels, lines = facts.boot.grubby_kernels, facts.boot.grubby_arguments or ()
    lacking = [kernel_arguments.missing(line, words) for line in lines]
    plain = not any(kernel_arguments.values(line, word) for line in (*lines, *_settings(facts)) for word in words)
    if words and plain and all(each == list(words) for each in lacking):
        yield _action(chapter, "ALL", "", words)
        return
    for kernel, line, missing in zip(kernels, lines, lacking, strict=True):
        if missing:
            yield _action(chapter, kernel, line, missing)


def _settings(facts: Facts) -> list[str]:
    """What /etc/default/grub says, quotes and names apart: enough to see whether an argument stands in it."""
    text = (facts.content(GRUB_DEFAULT) or b"").decode("utf-8", "replace")
    return [
        line.translate({ord(quote): " " for quote in "\"'"}) for line in text.splitlines() if line.lstrip()[:1] != "#"
    ]


def _action(chapter: str, kernel: str, line: str, words: Sequence[str]) -> LiveAction:
    """grubby replaces an argument of the same key: what stands there goes along, and comes back alone."""
    given, taken, back = [], [], []
    for word in words:
        name, _, value = word.partition("=")
        own = [each for each in kernel_arguments.values(line, word) if each]
        given.append(f"{name}={','.join([*own, value])}")
        if own:
            back.append(f"{name}={','.join(own)}")
        else:
            taken.append(word)
    # The shortest key first: the first grubby for these entries (2018) looks for "iommu=" anywhere, and found it in "intel_iommu=on".
    given.sort(key=lambda each: len(kernel_arguments.key(each)))
    undo = [f"--remove-args={' '.join(taken)}"] if taken else []
    undo += [f"--args={' '.join(back)}"] if back else []
    return LiveAction(
        RunCommand(
            chapters=(chapter,),
            phase="boot",
            argv=("grubby", f"--update-kernel={kernel}", f"--args={' '.join(given)}"),
            why=("boot entries of this system are changed by grubby, never by grub2-mkconfig",),
            labels=("reboot",),
            undo=("grubby", f"--update-kernel={kernel}", *undo),
            undo_when="after_files",
            proves=(KernelArgumentsPresent(words=tuple(words)),),
            id=f"{chapter}/arguments:{kernel}",
        )
    )
