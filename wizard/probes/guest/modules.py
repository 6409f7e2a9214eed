"""Which kernel modules drive a device, and which those need: from the texts that depmod writes. Pure."""

from __future__ import annotations

import fnmatch
import posixpath

from wizard.regex import regex

MORE = {"mlx4_core": ("mlx4_en", "mlx4_ib"), "mlx5_core": ("mlx5_ib",)}
"""Modules that carry the ports of a driver, and that the kernel asks for by name once the driver is there."""
_WILD = regex(r"[*?[]")


def drivers(aliases: str, modalias: str) -> tuple[str, ...]:
    """The modules that modules.alias names for a device such as `pci:v000015B3d00001018sv…`, in its order."""
    found = []
    for line in aliases.splitlines():
        words = line.split()
        if len(words) != 3 or words[0] != "alias" or not modalias.startswith(_WILD.split(words[1], maxsplit=1)[0]):
            continue  # most of the tens of thousands of lines, and a pattern takes long to be made ready
        if fnmatch.fnmatchcase(modalias, words[1]):
            found.append(words[2])
    return tuple(dict.fromkeys(found))


def paths(dependencies: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The files of these modules and all that they need, what is needed first, as modules.dep has them; a module that is
    not in it is built into the kernel or not there, and left out."""
    files: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    for line in dependencies.splitlines():
        path, colon, rest = line.partition(":")
        if colon:
            files[module_name(path)] = path
            needs[path] = rest.split()
    found: list[str] = []
    for name in names:
        file = files.get(module_name(name))
        if file is not None:
            found += [*reversed(needs[file]), file]  # modules.dep has what is needed last first
    return tuple(dict.fromkeys(found))


def module_name(path: str) -> str:
    """`kernel/…/mlx5_core.ko.xz` is mlx5_core; `-` and `_` are the same."""
    return posixpath.basename(path).partition(".")[0].replace("-", "_")
