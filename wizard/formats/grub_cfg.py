"""A generated grub.cfg: its menu entries and their `linux` lines. Read, never written."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MENU = re.compile(r"""\s*(?:menuentry|submenu)\s+(?:'((?:[^']|'\\'')*)'|"((?:[^"\\]|\\.)*)"|(\S+))""")
_LINUX = re.compile(r"\s*linux(?:16|efi)?\s+(\S+)\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class LinuxLine:
    """One `linux` line: `image` is the kernel with root= and ro, `arguments` the rest. `line` counts from 1."""

    title: str
    line: int
    image: str
    arguments: str
    recovery: bool


def linux_lines(content: bytes) -> list[LinuxLine]:
    """Every `linux` line in the order of the file. Never fails: what is no menu is skipped."""
    found: list[LinuxLine] = []
    title = ""
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
        menu = _MENU.match(line)
        if menu:
            title = next((part for part in menu.groups() if part is not None), "")
            continue
        kernel = _LINUX.match(line)
        if kernel:
            head, arguments = _after_root(kernel[2])
            image = " ".join(part for part in (kernel[1], head) if part)
            recovery = "recovery" in title.lower() or bool({"single", "recovery"} & set(arguments.split()))
            found.append(LinuxLine(title, number, image, arguments, recovery))
    return found


def _after_root(text: str) -> tuple[str, str]:
    """10_linux writes `root=… ro` before the arguments that come from GRUB_CMDLINE_LINUX."""
    match = re.match(r"((?:\S+\s+)*?(?:ro|rw))(?:\s+(.*))?$", text) if text.startswith("root=") else None
    if match:
        return match[1], match[2] or ""
    root = re.match(r"(root=\S+)(?:\s+(.*))?$", text)
    return (root[1], root[2] or "") if root else ("", text)
