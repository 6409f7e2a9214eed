"""Whether a command made what it was to make: looked for in the files that it made, since an exit status proves little."""

from __future__ import annotations

from collections.abc import Iterable

from wizard.boot_content import entries_lack, images_lack
from wizard.node import bootloader, initramfs, system
from wizard.node.bootloader import BootFacts
from wizard.node.node import Node
from wizard.plan import HoldsArguments, Proof


def shortcomings(node: Node, proofs: Iterable[Proof]) -> tuple[list[str], list[str]]:
    """Sentences for what is not as it has to be, and for what could not be looked into."""
    wrong: list[str] = []
    unknown: list[str] = []
    looked: tuple[initramfs.Held | None, str] | None = None
    for proof in proofs:
        boot = bootloader.read(node, system.read(node))
        if isinstance(proof, HoldsArguments):
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


def _lacking(boot: BootFacts, proof: HoldsArguments) -> str | None:
    return entries_lack(boot, proof.words, proof.without, 1 if proof.entries == "first" else None)
