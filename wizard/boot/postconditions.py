"""Whether a command made what it was to make: looked for in the files that it made, since an exit status proves little."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wizard.boot import next_command_line
from wizard.boot.artifacts import entries_lack, images_lack
from wizard.facts import bootloader, initramfs, system
from wizard.facts.bootloader import BootFacts
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.hashing import digest
from wizard.model.steps import HoldsFile, KernelArgumentsPresent, Postcondition, RunCommand
from wizard.node.node import Node


def shortcomings(node: Node, proofs: Iterable[Postcondition]) -> tuple[list[str], list[str]]:
    """Sentences for what is not as it has to be, and for what could not be looked into."""
    wrong: list[str] = []
    unknown: list[str] = []
    looked: tuple[initramfs.Held | None, str] | None = None
    for proof in proofs:
        boot = bootloader.read(node, system.read(node))
        if isinstance(proof, KernelArgumentsPresent):
            found, what = _lacking(boot, proof), "the boot menu"
        else:
            if looked is None:  # unpacking takes seconds: once is enough
                looked = initramfs.looked_into(node, boot.initramfs_images)
            held, why = looked
            copies = initramfs.copies(held) if held is not None else None
            found, what = images_lack(copies, proof.path, proof.sha256), why or "the initramfs"
        if found is None:
            unknown.append(f"{what} could not be looked into")
        elif found:
            wrong.append(found)
    return wrong, unknown


def _lacking(boot: BootFacts, proof: KernelArgumentsPresent) -> str | None:
    return entries_lack(boot, proof.words, proof.without, 1 if proof.entries == "first" else None)


def proofs(facts: Facts, command: RunCommand, overlay: Mapping[str, bytes | None]) -> tuple[Postcondition, ...]:
    """What the command that takes this one back has to have made, with the files of `overlay` as they are there then
    (None: removed). Nothing where that cannot be computed."""
    return tuple(found for proof in command.proves for found in _of(facts, command, proof, overlay))


def _of(
    facts: Facts, command: RunCommand, proof: Postcondition, overlay: Mapping[str, bytes | None]
) -> Iterator[Postcondition]:
    if isinstance(proof, HoldsFile):
        content = overlay[proof.path] if proof.path in overlay else facts.content(proof.path)
        yield HoldsFile(path=proof.path, sha256=digest(content) if content is not None else None)
    elif facts.boot.loader.in_entries:
        if (
            command.argv[0] != "grubby" or "--update-kernel=ALL" in command.argv
        ):  # else other kernels had the arguments before
            yield KernelArgumentsPresent(words=proof.without, without=proof.words)
    else:
        line = next_command_line.next_boot(facts, overlay).arguments
        if line is not None:
            gone = tuple(word for word in next_command_line.OURS if word not in kernel_arguments.split(line))
            yield KernelArgumentsPresent(words=(), without=gone, entries="first")
