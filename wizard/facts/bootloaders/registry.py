"""All boot loaders, and what tells them from each other."""

from __future__ import annotations

from collections.abc import Callable

from wizard.facts.bootloaders import grub, grubby, kernel_install, others, rpm_ostree
from wizard.facts.bootloaders.loader import BootLoader, Way
from wizard.facts.system import SystemFacts
from wizard.node.node import Node

LOADERS: tuple[BootLoader, ...] = (
    grub.DropIn(),
    grub.InPlace(),
    grubby.Grubby(),
    kernel_install.KernelInstall(),
    rpm_ostree.RpmOstree(),
    *(others.ByHand(name) for name in others.BY_HAND),
)
_BY_NAME = {loader.name: loader for loader in LOADERS}

RECOGNIZERS: tuple[Callable[[Node, SystemFacts], tuple[Way, str] | None], ...] = (
    rpm_ostree.recognized,
    others.own_tool,
    others.suse,
    others.booted_this_kernel,
    grubby.recognized,
    grub.recognized,
    others.without_grub,
)
"""In the order in which one would be overruled by another. Each gives the loader and the evidence, a sentence, or None."""


def recognize(node: Node, system: SystemFacts) -> tuple[BootLoader, str]:
    """The loader that makes the next boot's line, and how that is known."""
    for recognizer in RECOGNIZERS:
        found = recognizer(node, system)
        if found is not None:
            return _BY_NAME[found[0]], found[1]
    return _BY_NAME["unknown"], "neither grub-mkconfig with /etc/default/grub nor grubby is here"


def loader(name: Way) -> BootLoader:
    return _BY_NAME[name]
