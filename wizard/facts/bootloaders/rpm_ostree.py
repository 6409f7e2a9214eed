"""Image-based systems: the kernel's arguments belong to the deployment, and rpm-ostree makes the next one with others.

From rpm-ostree's manual (kargs): without options it prints the arguments of the deployment that is booted next; --append-if-missing
and --delete-if-present make a new deployment, and the one that runs is kept. On bootc nodes that have rpm-ostree it is the same;
kargs.d belongs to the image.
"""

from __future__ import annotations

from collections.abc import Sequence

from wizard.facts.bootloaders.loader import BootLoader, KernelEntries, Way
from wizard.facts.system import SystemFacts
from wizard.node import best_effort
from wizard.node.node import Node, Unseen

BOOTED = "/run/ostree-booted"
NEXT = "the next deployment"


class RpmOstree(BootLoader):
    name: Way = "rpm-ostree"
    in_entries = True
    asked = "rpm-ostree kargs"

    def without(self, words: Sequence[str]) -> str:
        return "choose the deployment before it in the boot menu"

    def entries(self, node: Node, unseen: list[Unseen]) -> KernelEntries:
        said = best_effort.ask(node, self.asked.split(), timeout=60)
        line = said.stdout.strip().splitlines() if said is not None and not said.status else []
        if len(line) != 1:
            unseen.append(Unseen("the next deployment's arguments", f"{self.asked} could not be asked: run as root"))
            return KernelEntries()
        return KernelEntries((NEXT,), (line[0],))


def recognized(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    if not node.exists(BOOTED):
        return None
    if node.command("rpm-ostree"):
        return "rpm-ostree", f"{BOOTED}: this system's kernel arguments belong to rpm-ostree"
    return "bootc", f"{BOOTED}: this system's kernel arguments belong to its image, and rpm-ostree is not here"
