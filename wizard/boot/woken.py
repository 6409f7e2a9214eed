"""What wakes at a reboot that this tool asks for: words of the next kernel line that do not run now, and are not its own.

Somebody wrote them, and the node was not booted since: what they do has never been seen on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wizard.boot.next_command_line import OURS, NextLine, next_boot
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments
from wizard.redaction import redacted

RENAMES = ("net.ifnames", "biosdevname")
LOSES: tuple[tuple[str, str], ...] = (
    (r"net\.ifnames|biosdevname", "network interfaces get other names"),
    (r"root|rootflags|rootfstype|rd\..*|init|rdinit|cryptdevice|zfs|boot", "another root, or another way to it"),
    (r"mem|memmap|maxcpus|nr_cpus|nosmp", "memory or processors are taken away"),
    (r"modprobe\.blacklist|module_blacklist|rdblacklist|initcall_blacklist", "a driver is not loaded"),
    (
        r"systemd\.unit|systemd\.mask|single|emergency|rescue|[1sS]|-b|ip|ifname|bond|vlan|bridge",
        "services or the network do not start",
    ),
    (
        r"acpi|noacpi|noapic|nolapic|vfio[-_]pci\.ids|xen-pciback\.hide|selinux|enforcing",
        "devices or logins may be gone",
    ),
)
"""Parameters that can lose the node, and how."""


@dataclass(frozen=True, slots=True)
class Woken:
    """`word` is on the next line and not on the running one, or (`gone`) the other way round. `loses` says how it can lose the node;
    empty where nothing is known of that. `places` are files and lines."""

    word: str
    gone: bool
    loses: str
    places: tuple[str, ...]

    @property
    def name(self) -> str:
        """The word as it may be shown, and as answers accept it: without the secret that it may hold."""
        return redacted(self.word)


def woken(
    facts: Facts, overlay: Mapping[str, bytes | None] | None = None, commands: Sequence[Sequence[str]] = ()
) -> list[Woken]:
    """In the order of the line. Nothing where either line is not known: that has findings of its own."""
    line = next_boot(facts, overlay, commands)
    running = kernel_arguments.split(facts.iommu.command_line)
    if line.resolved is None or not running:
        return []
    coming = kernel_arguments.split(line.resolved)
    there = {_plain(word) for word in running}
    found = [
        Woken(word, False, _loses(word), _places(line, word))
        for word in dict.fromkeys(coming)
        if _plain(word) not in there and word not in OURS and not _same_root(word, running)
    ]
    keys = {kernel_arguments.key(word) for word in coming}
    return found + [
        Woken(word, True, _loses(word), ())
        for word in dict.fromkeys(running)
        if kernel_arguments.key(word) in RENAMES and kernel_arguments.key(word) not in keys
    ]


def _plain(word: str) -> str:
    name, equals, value = word.partition("=")
    return f"{name.replace('-', '_')}{equals}{value.strip(chr(34))}"


def _same_root(word: str, running: Sequence[str]) -> bool:
    return kernel_arguments.key(word) in ("ro", "rw") and bool({"ro", "rw"} & set(running))


def _loses(word: str) -> str:
    name = word.partition("=")[0]
    return next((how for pattern, how in LOSES if re.fullmatch(pattern, name)), "")


def _places(line: NextLine, word: str) -> tuple[str, ...]:
    """The assignments that brought it: those of a variable that only carry it on are left out."""
    found: list[str] = []
    before: dict[str, list[str]] = {}
    for path, number, name, value in line.layers:
        words = kernel_arguments.split(value)
        if word in words and word not in before.get(name, []):
            found.append(f"{path} line {number}")
        before[name] = words
    found += [place for place, value in line.brought if word in kernel_arguments.split(value)]
    return tuple(found)
