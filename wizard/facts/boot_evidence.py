"""What else rules the next boot beside the boot loader's own files: the firmware's variables, kexec, GRUB's environment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from wizard.errors import NodeError
from wizard.facts.system import SystemFacts
from wizard.formats import kernel_arguments, shell_variables
from wizard.node import best_effort
from wizard.node.node import Node

LOADER_GUID = (
    "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"  # systemd's: what boot loaders tell the system (Boot Loader Interface)
)
EFI_VARIABLES = "/sys/firmware/efi/efivars"
KEXEC_SETTINGS = ("/etc/default/kexec", "/etc/default/kexec.d")


def efi_variable(node: Node, name: str) -> str:
    """The text of a variable that a boot loader left, such as LoaderInfo: 'systemd-boot 252.31-1'; empty where there is none."""
    try:
        content = node.read(f"{EFI_VARIABLES}/{name}-{LOADER_GUID}")
    except NodeError:
        return ""
    return content[4:].decode("utf-16-le", "replace").strip("\0 ")


def not_grub(node: Node) -> tuple[str, Literal["", "systemd-boot", "unified-image", "another"]]:
    """Why it was not GRUB that booted the running kernel, as a sentence, and what did; empty where nothing says so. A GRUB that
    only lies there makes no next boot."""
    line = kernel_arguments.split(node.text("/proc/cmdline") or "")
    if any(word.startswith("BOOT_IMAGE=") for word in line):
        return "", ""
    loader, stub = efi_variable(node, "LoaderInfo"), efi_variable(node, "StubInfo")
    if stub and line:
        return (
            f"the firmware says that this kernel is a unified image ({stub}), which holds its own line",
            "unified-image",
        )
    if loader.startswith("systemd-boot"):
        return f"the firmware says that {loader} booted this kernel, whose line has no BOOT_IMAGE", "systemd-boot"
    given = [word for word in line if word.startswith("initrd=")]
    if given:
        said = f"the running line has {given[0]} and no BOOT_IMAGE: another boot loader than GRUB gave it"
        return said, "systemd-boot" if "\\" in given[0] else "another"
    return "", ""


def kexec(node: Node) -> str:
    """Where it says that reboots of this node go through kexec, which passes boot loader, BIOS and the reset of cards by; empty
    where nothing says so."""
    if not node.command("kexec"):
        return ""
    found: dict[str, tuple[str, str]] = {}
    names = best_effort.names(node, KEXEC_SETTINGS[1])
    for path in (KEXEC_SETTINGS[0], *(f"{KEXEC_SETTINGS[1]}/{name}" for name in names if name.endswith(".conf"))):
        try:
            source = shell_variables.Source(path, node.read(path))
        except NodeError:
            continue
        for layer in shell_variables.evaluate([source], errexit=False).assignments:
            found[layer.name] = (layer.value or "", f"{path} line {layer.line}")
    value, place = found.get("LOAD_KEXEC", ("", ""))
    if value != "true":
        return ""
    own = found.get("USE_GRUB_CONFIG", ("", ""))[0] == "true"
    return f"{place}: LOAD_KEXEC=true" + (", with the line of grub.cfg" if own else ", with the running kernel's line")


def environment(node: Node, directory: str, menu: str) -> tuple[tuple[str, str, str], ...]:
    """(name, value, place) of GRUB's variables: of its environment block, and as the menu sets them afterwards."""
    found: list[tuple[str, str, str]] = []
    block = f"{directory}/grubenv"
    for number, line in enumerate((node.text(block) or "").splitlines(), 1):
        name, equals, value = line.partition("=")
        if equals and re.fullmatch(r"\w+", name, re.ASCII):
            found.append((name, value.replace("\\\\", "\\"), f"{block} line {number}"))
    for number, line in enumerate(((node.text(menu) or "") if menu else "").splitlines(), 1):
        match = re.match(r"""\s*set\s+(tuned_params|kernelopts)=(?:"([^"$]*)"|'([^']*)'|([^\s"'$;]*))\s*$""", line)
        if match:
            value = next((group for group in match.groups()[1:] if group is not None), "")
            found.append((match[1], value, f"{menu} line {number}"))
    return tuple(found)


def runs_dash(node: Node, system: SystemFacts) -> bool:
    """Whether /bin/sh is dash: as the link says; where a recording has none, as Debian and its children have it."""
    target = best_effort.resolved(node, "/bin/sh")
    name = target.rpartition("/")[2]
    return name == "dash" if name not in ("", "sh") else system.is_debian


def refused(node: Node, paths: Iterable[str]) -> str:
    """What `sh -n` says of the first of these files that the node's own shell refuses; empty where it refuses none, or is not asked."""
    for path in paths if node.live else ():
        try:
            node.read(path)
        except NodeError:
            continue  # what may not be read is told by itself
        said = best_effort.ask(node, ["sh", "-n", path])
        if said is not None and said.status:
            return f"{path}: sh -n says: {(said.stderr.strip().splitlines() or [''])[-1]}"
    return ""


def programs(node: Node, paths: Iterable[str]) -> tuple[str, ...]:
    """Names of programs that these files call and the node has."""
    names: set[str] = set()
    for path in paths:
        try:
            names |= shell_variables.program_names(shell_variables.Source(path, node.read(path)))
        except NodeError:
            continue
    return tuple(sorted(name for name in names if re.fullmatch(r"\w[\w.+-]*", name) and node.command(name)))
