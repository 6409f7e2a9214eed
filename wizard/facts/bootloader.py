"""The next boot: which program makes the kernel's command line, from what sources, and what it would be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from wizard.errors import NodeError
from wizard.facts import boot_evidence
from wizard.facts.system import SystemFacts
from wizard.formats import grub_cfg
from wizard.node import best_effort
from wizard.node.node import Node, Unseen

Way = Literal["grub-dropin", "grub-inplace", "grubby", "systemd-boot", "unknown"]
InitramfsTool = Literal["update-initramfs", "dracut", "none"]


@dataclass(frozen=True, slots=True)
class BootEntry:
    """One `linux` line of the generated configuration. `image` is what comes before the arguments (kernel, root=, ro); `made` says
    whether 10_linux made it of GRUB_CMDLINE_LINUX: memtest, another system's or one of 40_custom is not."""

    title: str
    line: int
    image: str
    arguments: str
    recovery: bool
    made: bool = True


@dataclass(frozen=True, slots=True)
class BootFacts:
    """How the kernel's command line is made on this node.

    grub-dropin: grub-mkconfig reads /etc/default/grub.d (a patch of Debian and Ubuntu: looked for in the program itself);
    grub-inplace: it does not; grubby: BLS entries; systemd-boot: /etc/kernel/cmdline.
    """

    way: Way
    because: str  # the evidence, one sentence
    sources: tuple[str, ...]  # the files that make the line, in the order in which they are read
    update: tuple[str, ...]  # the command that generates the configuration, () where unknown
    generated: str  # "/boot/grub/grub.cfg", or "" where unknown
    entries: tuple[BootEntry, ...] | None  # of the generated file; None where it could not be read, or holds none
    grubby_arguments: tuple[str, ...] | None  # grubby only: the args of each kernel; None where not asked
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


GRUB_DEFAULT, GRUB_DIRECTORY = "/etc/default/grub", "/etc/default/grub.d"
GENERATED = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
BLS_DIRECTORY = "/boot/loader/entries"
MENU = "what the boot menu holds"
KEPT = ".before-compute-wizard"
MKCONFIG = ("grub-mkconfig", "grub2-mkconfig")


def read(node: Node, system: SystemFacts) -> BootFacts:
    """Find out who makes the next boot's line, in the order in which one would be overruled by another."""
    unseen: list[Unseen] = []
    way, because = _way(node, system)
    grub = way in ("grub-dropin", "grub-inplace")
    generated = _generated(node) if grub else ""
    tool, images = _initramfs(node)
    kernels, arguments, roots = _grubby(node, unseen) if way == "grubby" else ((), None, ())
    sources = _sources(node, way)
    return BootFacts(
        way=way,
        because=because,
        sources=sources,
        update=_update(node, generated) if grub else (),
        generated=generated,
        entries=_entries(node, generated, unseen) if generated else None,
        grubby_arguments=arguments,
        grubby_kernels=kernels,
        initramfs=tool,
        initramfs_images=images,
        initramfs_sizes=tuple(_size(node, image) for image in images),
        kept_images=tuple(f"/boot/{name}" for name in _boot(node) if name.endswith(KEPT)),
        saved_entry=_saved_entry(node, generated),
        kernels=tuple(
            _newest_last(name.removeprefix("vmlinuz-") for name in _boot(node) if name.startswith("vmlinuz-"))
        ),
        unseen=tuple(unseen),
        roots=roots,
        dash=boot_evidence.runs_dash(node, system),
        programs=boot_evidence.programs(node, sources) if grub else (),
        refused=boot_evidence.refused(node, sources) if grub else "",
        environment=boot_evidence.environment(node, _environment_directory(node, generated), generated),
        kexec=boot_evidence.kexec(node),
    )


def _environment_directory(node: Node, generated: str) -> str:
    places = (generated.rpartition("/")[0], "/boot/grub2", "/boot/grub")
    return next((place for place in places if place and node.exists(f"{place}/grubenv")), places[0])


def _way(node: Node, system: SystemFacts) -> tuple[Way, str]:
    if node.exists("/run/ostree-booted"):
        return "unknown", "/run/ostree-booted: this system's kernel arguments belong to rpm-ostree"
    if node.command("proxmox-boot-tool") and node.exists("/etc/kernel/proxmox-boot-uuids"):
        return "unknown", "proxmox-boot-tool makes the boot entries here"
    bls = _bls_setting(node)
    if node.command("grubby") and (bls == "true" or system.is_redhat):
        return "grubby", "grubby is here, and boot entries of this system are BLS files"
    if {"suse", "opensuse"} & set(system.os_like) and node.exists("/etc/sysconfig/bootloader"):
        return "unknown", "/etc/sysconfig/bootloader: update-bootloader makes the boot entries here"
    program = node.command(*MKCONFIG)
    other, by_systemd = boot_evidence.not_grub(node)
    if other:
        return "systemd-boot" if by_systemd else "unknown", other
    if program and node.exists(GRUB_DEFAULT):
        menu = _other_menu(node, system, bls)
        return ("unknown", menu) if menu else _grub(node, program)
    if node.exists("/etc/kernel/cmdline"):
        return "systemd-boot", "systemd-boot: /etc/kernel/cmdline is here, and no GRUB in use"
    return "unknown", "neither grub-mkconfig with /etc/default/grub nor grubby is here"


def _bls_setting(node: Node) -> str:
    """What /etc/default/grub says of BLS entries last; empty where it says nothing."""
    default = node.text(GRUB_DEFAULT) or ""
    said = re.findall(r"^[ \t]*(?:export[ \t]+)?GRUB_ENABLE_BLSCFG=[\"']?(\w*)", default, re.MULTILINE)
    return said[-1] if said else ""


def _other_menu(node: Node, system: SystemFacts, bls: str) -> str:
    """Why what grub-mkconfig makes would not rule the next boot, as a sentence; empty where nothing is known against it.

    Fedora's and RHEL's make no entries where the setting is true: GRUB reads them from BLS files, which grub2-mkconfig does
    not change from 9.3 on. Debian's knows no such setting. A menu that only loads another one is not the one to be made.
    """
    why = "boot entries are BLS files here, and grubby, which changes them, is not installed"
    if bls == "true" and not system.is_debian:
        return f"{GRUB_DEFAULT} has GRUB_ENABLE_BLSCFG=true: {why}"
    if not bls and system.is_redhat and any(name.endswith(".conf") for name in best_effort.names(node, BLS_DIRECTORY)):
        return f"{BLS_DIRECTORY} holds entries: {why}"
    menu = _generated(node)
    text = (node.text(menu) if menu else "") or ""
    if grub_cfg.linux_lines(text.encode("utf-8", "surrogateescape")):
        return ""
    commands = {line.split()[0] for line in text.splitlines() if line.split()}
    if "blscfg" in commands:
        return f"{menu} has no entries and calls blscfg: {why}"
    return f"{menu} has no entries and only loads another menu" if "configfile" in commands else ""


def _generated(node: Node) -> str:
    return next((path for path in GENERATED if node.exists(path)), "")


def _grub(node: Node, program: str) -> tuple[Way, str]:
    """Whether grub-mkconfig reads drop-ins is written in it: upstream's does not, Debian's does."""
    try:
        text = node.read(program)
    except NodeError as error:
        return "grub-inplace", f"{program} {error.what}: taken as one that reads no drop-ins"
    if b"default/grub.d" in text:
        return "grub-dropin", f"{program} reads {GRUB_DIRECTORY}/*.cfg after {GRUB_DEFAULT}"
    return "grub-inplace", f"{program} reads {GRUB_DEFAULT} only"


def _sources(node: Node, way: Way) -> tuple[str, ...]:
    if way == "systemd-boot":
        return ("/etc/kernel/cmdline",) if node.exists("/etc/kernel/cmdline") else ()
    drop_ins: list[str] = []
    if way == "grub-dropin":  # the shell's glob in the C locale; names that begin with a dot are left out
        names = sorted(
            name for name in best_effort.names(node, GRUB_DIRECTORY) if name.endswith(".cfg") and name[0] != "."
        )
        drop_ins = [f"{GRUB_DIRECTORY}/{name}" for name in names]
    return (GRUB_DEFAULT, *drop_ins) if way.startswith("grub-") else ()


def _update(node: Node, generated: str) -> tuple[str, ...]:
    if node.command("update-grub"):
        return ("update-grub",)
    program = node.command(*MKCONFIG)
    return (program.rsplit("/", 1)[1], "-o", generated) if program and generated else ()


def _entries(node: Node, path: str, unseen: list[Unseen]) -> tuple[BootEntry, ...] | None:
    try:
        content = node.read(path)
    except NodeError as error:
        unseen.append(Unseen(MENU, f"{path} {error.what}"))
        return None
    found = tuple(
        BootEntry(line.title, line.line, line.image, line.arguments, line.recovery, line.made)
        for line in grub_cfg.linux_lines(content)
    )
    if not found:
        unseen.append(Unseen(MENU, f"{path} holds no entry that boots Linux"))
    return found or None


def _grubby(node: Node, unseen: list[Unseen]) -> tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]]:
    """The kernels that have an entry, the arguments and the root of each."""
    said = best_effort.ask(node, ["grubby", "--info=ALL"])
    if said is None or said.status:
        unseen.append(Unseen("the kernels' arguments", "grubby --info=ALL could not be asked: run as root"))
        return (), None, ()
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
    return tuple(kernels), tuple(arguments), tuple((root or [""])[0] for root in roots)


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
