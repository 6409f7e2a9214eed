"""What has to be so once a run was taken back: the same kinds of proof that the run's own commands carried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wizard import kernel_line
from wizard.formats import kernel_arguments
from wizard.node.facts import Facts
from wizard.plan import HoldsArguments, HoldsFile, Proof, Run, digest


def proofs(facts: Facts, command: Run, overlay: Mapping[str, bytes | None]) -> tuple[Proof, ...]:
    """What the command that takes this one back has to have made, with the files of `overlay` as they are there then
    (None: removed). Nothing where that cannot be computed."""
    return tuple(found for proof in command.proves for found in _of(facts, command, proof, overlay))


def _of(facts: Facts, command: Run, proof: Proof, overlay: Mapping[str, bytes | None]) -> Iterator[Proof]:
    if isinstance(proof, HoldsFile):
        content = overlay[proof.path] if proof.path in overlay else facts.content(proof.path)
        yield HoldsFile(path=proof.path, sha256=digest(content) if content is not None else None)
    elif facts.boot.way == "grubby":
        if "--update-kernel=ALL" in command.argv:  # else other kernels had the arguments before
            yield HoldsArguments(words=proof.without, without=proof.words)
    else:
        line = kernel_line.next_boot(facts, overlay).arguments
        if line is not None:
            gone = tuple(word for word in kernel_line.OURS if word not in kernel_arguments.split(line))
            yield HoldsArguments(words=(), without=gone, entries="first")
