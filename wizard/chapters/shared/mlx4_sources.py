"""Who gives mlx4_core its options: files of modprobe.d, and what has the last word over all of them.

modprobe hands over the options of its files, then those of the kernel's line (libkmod-config.c, kmod_config_parse_kcmdline), then
what stands on its own command line - in an `install` line, or in the initramfs's list of modules - and the kernel keeps the last.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import cached_property

from wizard.boot import next_command_line
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.formats import kernel_arguments, modprobe

MODULE = "mlx4_core"
INITRAMFS_MODULES = "/etc/initramfs-tools/modules"
COPIED = ("/etc/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d")
"""What mkinitramfs and dracut copy into an image; /run is gone at the next boot, and neither takes /usr/local."""


@dataclass(frozen=True, slots=True)
class Later:
    """Options that come after those of the files. `place` says where they stand."""

    place: str
    options: Mapping[str, str]


class Mlx4Options:
    """The options of mlx4_core, with the files of `overlay` in place of what is on the node: read and computed once."""

    def __init__(self, files: list[tuple[str, bytes]], later: list[Later]) -> None:
        self.files, self.later = files, later

    @classmethod
    def read(cls, facts: Facts, overlay: Mapping[str, bytes | None] | None = None) -> Mlx4Options:
        there = files(facts, overlay)
        found = [_kernel_line(facts), *_install(there), *_initramfs_modules(facts)]
        return cls(there, [each for each in found if each.options])

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The options that mlx4_core will be loaded with."""
        return self._with_later(self.files)

    @cached_property
    def lasting(self) -> dict[str, str]:
        """Those of them that will be there at a boot with an initramfs that is made now."""
        return self._with_later([each for each in self.files if is_copied(each[0])])

    def _with_later(self, files: list[tuple[str, bytes]]) -> dict[str, str]:
        found = dict(modprobe.effective(files).get(MODULE, {}))
        for each in self.later:
            found |= each.options
        return found

    @cached_property
    def _given(self) -> list[tuple[str, Mapping[str, str]]]:
        """What each file gives the module, in modprobe's order."""
        return [(path, modprobe.effective([(path, content)]).get(MODULE, {})) for path, content in self.files]

    def setters(self, parameter: str = "") -> list[str]:
        """The files that give the module options (this one): the last one has the last word among them."""
        return [path for path, options in self._given if (parameter in options if parameter else options)]

    def last_word(self, parameter: str) -> str:
        """Where what counts for a parameter stands; empty where nothing sets it."""
        afterwards = [each.place for each in self.later if parameter in each.options]
        return ([*self.setters(parameter), *afterwards] or [""])[-1]


def files(facts: Facts, overlay: Mapping[str, bytes | None] | None = None) -> list[tuple[str, bytes]]:
    """All files that modprobe reads, in its order, with `overlay` in place of what is there."""
    overlay = overlay or {}
    names = [f"{directory}/{name}" for directory in modprobe.DIRECTORIES for name in facts.files.names(directory)]
    found = []
    for path in modprobe.order([*names, *(path for path in overlay if path not in names)]):
        content = overlay[path] if path in overlay else facts.content(path)
        if content is not None:
            found.append((path, content))
    return found


def _kernel_line(facts: Facts) -> Later:
    """The next boot's line where it is known, else the running one."""
    line = next_command_line.next_boot(facts)
    text = facts.iommu.command_line if line.resolved is None else line.resolved
    found: dict[str, str] = {}
    for word in kernel_arguments.split(text):
        name = kernel_arguments.key(word)
        if name.startswith(f"{MODULE}."):
            found[name.removeprefix(f"{MODULE}.")] = word.partition("=")[2].strip('"')
    layers = next_command_line.layers_with(facts, {}, lambda word: kernel_arguments.key(word).startswith(f"{MODULE}."))
    where = f" ({'; '.join(layer.partition(': ')[0] for layer in layers)})" if layers else ""
    return Later(f"the kernel's command line{where}", found)


def _install(files: list[tuple[str, bytes]]) -> list[Later]:
    """The first `install` line counts (kmod_module_get_install_commands)."""
    found = modprobe.installs(files, MODULE)
    if not found:
        return []
    path, number, command = found[0]
    options: dict[str, str] = {}
    for match in re.finditer(r"mlx4[-_]core\b([^;&|\n]*)", command):
        words = modprobe.arguments(match[1])
        options |= {name: value for name, value in words.items() if value and re.fullmatch(r"\w+", name)}
    return [Later(f"{path} line {number} (install)", options)]


def _initramfs_modules(facts: Facts) -> list[Later]:
    """Modules that initramfs-tools is to load, each with its options."""
    if facts.boot.initramfs != "update-initramfs":
        return []
    found = []
    for number, line in enumerate((facts.content(INITRAMFS_MODULES) or b"").decode("utf-8", "replace").splitlines(), 1):
        name, _, rest = line.strip().partition(" ")
        if name.replace("-", "_") == MODULE:
            found.append(Later(f"{INITRAMFS_MODULES} line {number}", modprobe.arguments(rest.partition("#")[0])))
    return found


def is_copied(path: str) -> bool:
    """Whether a file of modprobe.d is copied into an initramfs."""
    return posixpath.dirname(path) in COPIED
