"""What the next boot will really find: the generated boot menu and the initramfs, judged by what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wizard.facts.bootloader import BootFacts
from wizard.facts.bootloaders.loader import BootEntry
from wizard.formats import kernel_arguments

Copies = tuple[tuple[str, str, str], ...]
"""(image, path in it, sha256) of the modprobe.d files that initramfs images hold."""


def entries_lack(
    boot: BootFacts, words: Sequence[str], without: Iterable[str] = (), most: int | None = None
) -> str | None:
    """How the boot menu differs from what is wanted, as a sentence; empty where it does not, None where it is not known.

    Recovery entries are left out: they are the way to boot without the arguments. With `most`, so many are looked at.
    """
    if boot.loader.in_entries:
        if boot.grubby_arguments is None:
            return None
        asked = boot.loader.asked
        lines = [(f"kernel {number} of {asked}", line) for number, line in enumerate(boot.grubby_arguments)]
    elif boot.entries is not None:
        lines = [
            (f"{entry.path or boot.generated} line {entry.line}", entry.arguments) for entry in normal(boot.entries)
        ]
    else:
        return None
    if (
        not lines
    ):  # a menu of BLS files or of 40_custom alone, or one that only loads another: no line that could be judged
        return None
    unwanted = set(without) - set(words)
    for where, line in lines[:most]:
        missing = kernel_arguments.missing(line, words)
        if missing:
            return f"{where} lacks {' '.join(missing)}"
        left = sorted(unwanted & set(kernel_arguments.split(line)))
        if left:
            return f"{where} still holds {' '.join(left)}"
    return ""


def normal(entries: Iterable[BootEntry]) -> list[BootEntry]:
    """Entries that are made of GRUB_CMDLINE_LINUX and its kin, and are no recovery entries."""
    return [entry for entry in entries if entry.made and not entry.recovery]


def place_of(path: str) -> str:
    """A file of modprobe.d by one name for its place on the node and in an image: /lib may be /usr/lib in either."""
    return re.sub("^lib/", "usr/lib/", path.lstrip("/"))


def images_lack(copies: Copies | None, path: str, sha256: str | None) -> str | None:
    """How an initramfs differs from a file of modprobe.d, as a sentence; empty where it does not, None where it is not known.

    Only images that hold a copy of some modprobe.d file are judged: others load the module after the switch to the root.
    """
    if copies is None:
        return None
    for image in sorted({image for image, _, _ in copies}):
        held = {place_of(place): sha for where, place, sha in copies if where == image}
        if held.get(place_of(path)) != sha256:
            return f"{image} does not hold {path} as it is" if sha256 else f"{image} still holds {path}"
    return ""
