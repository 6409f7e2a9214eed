"""GRUB by grub-mkconfig: from /etc/default/grub, and from drop-ins beside it where the program reads them."""

from __future__ import annotations

import re

from wizard.errors import NodeError
from wizard.facts.bootloaders.loader import MENU, BootEntry, BootLoader, Way
from wizard.facts.system import SystemFacts
from wizard.formats import grub_cfg
from wizard.node import best_effort
from wizard.node.node import Node, Unseen

GRUB_DEFAULT, GRUB_DIRECTORY = "/etc/default/grub", "/etc/default/grub.d"
MENUS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
BLS_DIRECTORY = "/boot/loader/entries"
MKCONFIG = ("grub-mkconfig", "grub2-mkconfig")


class InPlace(BootLoader):
    """grub-mkconfig that reads one file alone."""

    name: Way = "grub-inplace"
    from_sources = True

    def sources(self, node: Node) -> tuple[str, ...]:
        return (GRUB_DEFAULT,)

    def generated(self, node: Node) -> str:
        return menu_of(node)

    def updates(self, node: Node, generated: str) -> tuple[tuple[str, ...], ...]:
        if node.command("update-grub"):
            return (("update-grub",),)
        program = node.command(*MKCONFIG)
        return ((program.rsplit("/", 1)[1], "-o", generated),) if program and generated else ()

    def menu(self, node: Node, generated: str, unseen: list[Unseen]) -> tuple[BootEntry, ...] | None:
        if not generated:
            return None
        try:
            content = node.read(generated)
        except NodeError as error:
            unseen.append(Unseen(MENU, f"{generated} {error.what}"))
            return None
        found = tuple(
            BootEntry(line.title, line.line, line.image, line.arguments, line.recovery, line.made)
            for line in grub_cfg.linux_lines(content)
        )
        if not found:
            unseen.append(Unseen(MENU, f"{generated} holds no entry that boots Linux"))
        return found or None


class DropIn(InPlace):
    """grub-mkconfig of Debian and Ubuntu, whose patch reads drop-ins as well."""

    name: Way = "grub-dropin"

    def sources(self, node: Node) -> tuple[str, ...]:
        """In the order of the shell's glob in the C locale; names that begin with a dot are left out."""
        names = sorted(
            name for name in best_effort.names(node, GRUB_DIRECTORY) if name.endswith(".cfg") and name[0] != "."
        )
        return (GRUB_DEFAULT, *(f"{GRUB_DIRECTORY}/{name}" for name in names))


def recognized(node: Node, system: SystemFacts) -> tuple[Way, str] | None:
    """Where grub-mkconfig and its file are there, and what it makes rules the next boot."""
    program = node.command(*MKCONFIG)
    if not program or not node.exists(GRUB_DEFAULT):
        return None
    other = _other_menu(node, system, bls_setting(node))
    return ("unknown", other) if other else _by_program(node, program)


def bls_setting(node: Node) -> str:
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
    path = menu_of(node)
    text = (node.text(path) if path else "") or ""
    if grub_cfg.linux_lines(text.encode("utf-8", "surrogateescape")):
        return ""
    commands = {line.split()[0] for line in text.splitlines() if line.split()}
    if "blscfg" in commands:
        return f"{path} has no entries and calls blscfg: {why}"
    return f"{path} has no entries and only loads another menu" if "configfile" in commands else ""


def menu_of(node: Node) -> str:
    """The menu that grub-mkconfig writes; empty where none is there."""
    return next((path for path in MENUS if node.exists(path)), "")


def _by_program(node: Node, program: str) -> tuple[Way, str]:
    """Whether grub-mkconfig reads drop-ins is written in it: upstream's does not, Debian's does."""
    try:
        text = node.read(program)
    except NodeError as error:
        return "grub-inplace", f"{program} {error.what}: taken as one that reads no drop-ins"
    if b"default/grub.d" in text:
        return "grub-dropin", f"{program} reads {GRUB_DIRECTORY}/*.cfg after {GRUB_DEFAULT}"
    return "grub-inplace", f"{program} reads {GRUB_DEFAULT} only"
