"""The next boot: which program makes the kernel's command line, from what sources, and what it would be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts import boot_evidence
from wizard.facts.bootloaders import registry
from wizard.facts.bootloaders.loader import BootEntry, BootLoader, Way
from wizard.facts.system import SystemFacts
from wizard.node import best_effort
from wizard.node.node import Node, Unseen

InitramfsTool = Literal["update-initramfs", "dracut", "none"]


@dataclass(frozen=True, slots=True)
class BootFacts:
    """How the kernel's command line is made on this node.

    grub-dropin: grub-mkconfig reads /etc/default/grub.d (a patch of Debian and Ubuntu: looked for in the program itself);
    grub-inplace: it does not; grubby: BLS entries; kernel-install: systemd-boot's entries, made of /etc/kernel/cmdline; rpm-ostree:
    the next deployment's own arguments. The others are recognized and left alone.
    """

    way: Way
    because: str  # the evidence, one sentence
    sources: tuple[str, ...]  # the files that make the line, in the order in which they are read
    update: tuple[str, ...]  # the command that generates the configuration, the last of several; () where unknown
    generated: str  # "/boot/grub/grub.cfg", the directory of the entries, or "" where unknown
    entries: tuple[BootEntry, ...] | None  # of the generated file; None where it could not be read, or holds none
    grubby_arguments: tuple[str, ...] | None  # grubby, rpm-ostree: the args of each kernel; None where not asked
    grubby_kernels: tuple[str, ...]  # the kernels that they belong to: paths, in the same order
    initramfs: InitramfsTool
    initramfs_images: tuple[str, ...]  # of the installed kernels, newest last
    initramfs_sizes: tuple[int, ...]  # bytes of each of them
    kept_images: tuple[str, ...]  # copies that this tool made of them before they were rebuilt
    saved_entry: str  # what GRUB's environment block says is booted, or is booted once: "saved_entry=…"; "" where it says nothing
    kernels: tuple[str, ...]  # releases installed, as /boot/vmlinuz-* names them
    unseen: tuple[Unseen, ...]
    roots: tuple[str, ...] = ()  # grubby only: the root of each kernel
    dash: bool = True  # /bin/sh, which reads GRUB's sources, is dash
    programs: tuple[str, ...] = ()  # that those sources call, and this node has
    refused: str = ""  # what `sh -n` says of a source that the node's own shell refuses
    environment: tuple[
        tuple[str, str, str], ...
    ] = ()  # name, value and place of variables that GRUB puts into the line
    kexec: str = ""  # where it says that reboots go through kexec
    updates: tuple[tuple[str, ...], ...] = ()  # all commands that generate the configuration, in their order
    images_follow: bool = (
        True  # false: entries hold copies of the initramfs, and nothing is known to renew them when it is rebuilt
    )
    entries_free: int | None = None  # kernel-install only: bytes free where the entries are; None for a recorded node

    @property
    def loader(self) -> BootLoader:
        """What follows from the way: asked for in place of its name."""
        return registry.loader(self.way)


KEPT = ".before-compute-wizard"


def read(node: Node, system: SystemFacts) -> BootFacts:
    """Find out who makes the next boot's line, in the order in which one would be overruled by another."""
    unseen: list[Unseen] = []
    loader, because = registry.recognize(node, system)
    generated = loader.generated(node)
    tool, images = _initramfs(node)
    of_kernels = loader.entries(node, unseen)
    sources = loader.sources(node)
    updates = loader.updates(node, generated)
    return BootFacts(
        way=loader.name,
        because=because,
        sources=sources,
        update=updates[-1] if updates else (),
        generated=generated,
        entries=loader.menu(node, generated, unseen),
        grubby_arguments=of_kernels.arguments,
        grubby_kernels=of_kernels.kernels,
        initramfs=tool,
        initramfs_images=images,
        initramfs_sizes=tuple(_size(node, image) for image in images),
        kept_images=tuple(f"/boot/{name}" for name in _boot(node) if name.endswith(KEPT)),
        saved_entry=_saved_entry(node, generated),
        kernels=tuple(
            _newest_last(name.removeprefix("vmlinuz-") for name in _boot(node) if name.startswith("vmlinuz-"))
        ),
        unseen=tuple(unseen),
        roots=of_kernels.roots,
        dash=boot_evidence.runs_dash(node, system),
        programs=boot_evidence.programs(node, sources) if loader.from_sources else (),
        refused=boot_evidence.refused(node, sources) if loader.from_sources else "",
        environment=boot_evidence.environment(node, _environment_directory(node, generated), generated),
        kexec=boot_evidence.kexec(node),
        updates=updates,
        images_follow=loader.images_follow(node),
        entries_free=node.free(generated) if loader.line_file and generated else None,
    )


def _environment_directory(node: Node, generated: str) -> str:
    places = (generated.rpartition("/")[0], "/boot/grub2", "/boot/grub")
    return next((place for place in places if place and node.exists(f"{place}/grubenv")), places[0])


def _size(node: Node, path: str) -> int:
    try:
        status = node.status(path)
    except NodeError:
        return 0
    return status.size if status else 0


def _saved_entry(node: Node, generated: str) -> str:
    """An entry that was chosen for one boot goes before the one that is chosen for good (grub.d/00_header)."""
    block = node.text(f"{generated.rpartition('/')[0]}/grubenv") if generated else None
    found = dict(line.split("=", 1) for line in (block or "").splitlines() if "=" in line and not line.startswith("#"))
    return next((f"{name}={found[name]}" for name in ("next_entry", "saved_entry") if found.get(name)), "")


def _boot(node: Node) -> list[str]:
    return best_effort.names(node, "/boot")


def _newest_last(names: Iterable[str]) -> list[str]:
    """By the numbers in a kernel's release: 6.12.9 comes before 6.12.74."""
    return sorted(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])


def _initramfs(node: Node) -> tuple[InitramfsTool, tuple[str, ...]]:
    names = [
        name
        for name in _boot(node)
        if (name.startswith("initrd.img-") or (name.startswith("initramfs-") and name.endswith(".img")))
        and not any(word in name for word in ("rescue", "kdump", ".bak", ".old", ".new", ".dpkg", KEPT))
    ]
    images = tuple(f"/boot/{name}" for name in _newest_last(names))
    if node.command("update-initramfs"):
        return "update-initramfs", images
    return ("dracut" if node.command("dracut") else "none"), images
