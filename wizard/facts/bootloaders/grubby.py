"""BLS entries, which grubby changes: RHEL and its kin, Fedora."""

from __future__ import annotations

from wizard.facts.bootloaders.grub import bls_setting
from wizard.facts.bootloaders.loader import BootLoader, KernelEntries, Way
from wizard.facts.system import SystemFacts
from wizard.node import best_effort
from wizard.node.node import Node, Unseen


class Grubby(BootLoader):
    name: Way = "grubby"
    in_entries = True
    asked = "grubby --info=ALL"

    def entries(self, node: Node, unseen: list[Unseen]) -> KernelEntries:
        said = best_effort.ask(node, self.asked.split())
        if said is None or said.status:
            unseen.append(Unseen("the kernels' arguments", f"{self.asked} could not be asked: run as root"))
            return KernelEntries()
        found: list[tuple[str, str, list[str]]] = []
        kernel = ""
        for line in said.stdout.splitlines():
            name, _, value = line.rstrip().partition("=")
            if name == "kernel":
                kernel = value.strip('"')
            elif name == "args":
                found.append((kernel, value.removeprefix('"').removesuffix('"'), []))
            elif name == "root" and found:
                found[-1][2].append(value.strip('"'))
        kernels, arguments, roots = zip(*found, strict=True) if found else ((), (), ())
        return KernelEntries(tuple(kernels), tuple(arguments), tuple((root or [""])[0] for root in roots))


def recognized(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    if node.command("grubby") and (bls_setting(node) == "true" or system.is_redhat):
        return "grubby", "grubby is here, and boot entries of this system are BLS files"
    return None
