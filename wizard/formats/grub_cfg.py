"""A generated grub.cfg: its menu entries and their `linux` lines. Read, never written."""

from __future__ import annotations

import re

from wizard.dataclass import dataclass
from wizard.regex import regex

_MENU = regex(r"""\s*(?:menuentry|submenu)\s+(?:'((?:[^']|'\\'')*)'|"((?:[^"\\]|\\.)*)"|(\S+))""")
_LINUX = regex(r"\s*linux(?:16|efi)?\s+(\S+)\s*(.*?)\s*$")


_SECTION = regex(r"### (BEGIN|END) (\S*?)([^/\s]+) ###\s*$")
_MADE = regex(r"\d*_?linux(?:[_.-](?!xen)\w+)*", re.ASCII)  # 10_linux, 10_linux_zfs, 31_linux_proxy
_MENU_ID = regex(r"""menuentry_id_option\s+(?:'([^']*)'|"([^"]*)")|--id[=\s]+['"]?([^'"\s{]+)""")


@dataclass(frozen=True, slots=True)
class LinuxLine:
    """One `linux` line: `image` is the kernel with root= and ro, `arguments` the rest. `line` counts from 1. `made` says whether
    10_linux made the entry, of GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT."""

    title: str
    line: int
    image: str
    arguments: str
    recovery: bool
    made: bool = True


def linux_lines(content: bytes) -> list[LinuxLine]:
    """Every `linux` line in the order of the file. Never fails: what is no menu is skipped.

    grub-mkconfig writes around the part of each script in /etc/grub.d which one it is. Where nothing is written, an entry counts as
    made by 10_linux if it boots a kernel with the root of the first one, and has no id of os-prober's.
    """
    found: list[LinuxLine] = []
    title = identity = section = ""
    first_root = ""
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
        border = _SECTION.match(line)
        if border:
            section = border[3] if border[1] == "BEGIN" else ""
            continue
        menu = _MENU.match(line)
        if menu:
            title = next((part for part in menu.groups() if part is not None), "")
            named = _MENU_ID.search(line, menu.end())
            identity = next((part for part in named.groups() if part is not None), "") if named else ""
            continue
        kernel = _LINUX.match(line)
        if kernel:
            head, arguments = _after_root(kernel[2])
            image = " ".join(part for part in (kernel[1], head) if part)
            words = set(arguments.split())
            recovery = "recovery" in title.lower() or "-recovery-" in identity or bool({"single", "recovery"} & words)
            root = next((word for word in (*head.split(), *arguments.split()) if word.startswith("root=")), "")
            first_root = first_root or root
            if section:
                made = _MADE.fullmatch(section) is not None
            else:
                made = bool(root) and root == first_root and not identity.startswith("osprober")
            found.append(LinuxLine(title, number, image, arguments, recovery, made))
    return found


def _after_root(text: str) -> tuple[str, str]:
    """10_linux writes `root=… ro` before the arguments that come from GRUB_CMDLINE_LINUX."""
    match = re.match(r"((?:\S+\s+)*?(?:ro|rw))(?:\s+(.*))?$", text) if text.startswith("root=") else None
    if match:
        return match[1], match[2] or ""
    root = re.match(r"(root=\S+)(?:\s+(.*))?$", text)
    return (root[1], root[2] or "") if root else ("", text)
