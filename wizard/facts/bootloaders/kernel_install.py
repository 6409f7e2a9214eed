"""Boot entries that kernel-install makes of /etc/kernel/cmdline, and systemd-boot boots (the Boot Loader Specification's type 1).

What is said of it was read in systemd 252 and 257: /usr/bin/kernel-install and /usr/lib/kernel/install.d/90-loaderentry.install.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts.bootloaders.loader import MENU, BootEntry, BootLoader, Way
from wizard.node import best_effort
from wizard.node.node import Node, Unseen

CMDLINE = "/etc/kernel/cmdline"
PLACES = ("/efi/loader/entries", "/boot/loader/entries", "/boot/efi/loader/entries")
"""Where kernel-install looks for $BOOT, in its order."""
PLUGIN = "90-loaderentry.install"
PLUGINS = (
    "/etc/kernel/install.d",
    "/run/kernel/install.d",
    "/usr/local/lib/kernel/install.d",
    "/usr/lib/kernel/install.d",
)
SETTINGS = "/etc/kernel/install.conf"
HOOK = "/etc/initramfs/post-update.d/systemd-boot"
TRIES = "/etc/kernel/tries"
KERNELS = ("/boot/vmlinuz-{}", "/usr/lib/modules/{}/vmlinuz", "/lib/modules/{}/vmlinuz")
INITRDS = ("/boot/initrd.img-{}", "/boot/initramfs-{}.img")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an entry. `version` is the kernel's release where kernel-install made it; empty where somebody else did.
    `initrd` says whether it names one."""

    path: str
    title: str
    line: int
    options: str
    version: str
    initrd: bool


class KernelInstall(BootLoader):
    """Entries made anew from one file: each has its own copy of the kernel, of the initramfs, and of the line."""

    name: Way = "kernel-install"
    line_file = CMDLINE

    def sources(self, node: Node) -> tuple[str, ...]:
        return (CMDLINE,)

    def generated(self, node: Node) -> str:
        return next(iter(_places(node)), "")

    def updates(self, node: Node, generated: str) -> tuple[tuple[str, ...], ...]:
        """One for each kernel that has an entry, the newest last: what is booted first is what a rebuild touches last."""
        made = [entry for entry in _entries(node, generated) if entry.version]
        return tuple(_command(node, entry) for entry in reversed(made))

    def images_follow(self, node: Node) -> bool:
        """Debian's systemd-boot has a hook for update-initramfs that runs kernel-install; of others nothing is known."""
        return node.exists(HOOK)

    def without(self, words: Sequence[str]) -> str:
        off = f" and take {' '.join(words)} off the line" if words else ""
        return f"hold Space until systemd-boot's menu is there, press e (unless loader.conf says `editor no`){off}"

    def menu(self, node: Node, generated: str, unseen: list[Unseen]) -> tuple[BootEntry, ...] | None:
        found = tuple(
            BootEntry(entry.title, entry.line, "", entry.options, False, bool(entry.version), entry.path)
            for entry in _entries(node, generated)
        )
        if not found:
            unseen.append(Unseen(MENU, f"{generated} holds no entry that boots Linux"))
        return found or None


def obstacle(node: Node) -> str:
    """Why entries of this node are not to be made anew by this tool, as a sentence; empty where they may be."""
    if not node.command("kernel-install"):
        return "kernel-install is not here"
    line = node.text(CMDLINE)
    if line is None:
        return f"{CMDLINE} is not there: an entry that is made anew gets the line that runs then"
    if any(each.lstrip().startswith("#") for each in line.splitlines()):
        return f"{CMDLINE} holds a comment, which older releases of kernel-install take for arguments"
    if re.search(r"[\0-\x08\x0b-\x1f\x7f]", line):
        return f"{CMDLINE} holds a control character"
    return _obstacle_in_settings(node) or _obstacle_in_entries(node)


def _obstacle_in_settings(node: Node) -> str:
    said = re.findall(r"^[ \t]*layout=[\"']?(\w+)", node.text(SETTINGS) or "", re.MULTILINE)
    if said and said[-1] not in ("bls", "auto"):
        return f"{SETTINGS} says layout={said[-1]}"
    if node.exists(TRIES):
        return f"{TRIES} is there: an entry that is made anew gets another name beside the old one"
    plugin = next((f"{place}/{PLUGIN}" for place in PLUGINS if PLUGIN in best_effort.names(node, place)), "")
    if not plugin:
        return f"{PLUGIN}, which makes the entries, is not installed"
    if best_effort.resolved(node, plugin) in ("/dev/null", ""):
        return f"{plugin} is masked: something else makes the entries"
    return ""


def _obstacle_in_entries(node: Node) -> str:
    places = _places(node)
    if not places:
        hidden = next((place for place in PLACES if _hidden(node, place)), "")
        return f"{hidden} cannot be read: run as root" if hidden else "there are no boot entries"
    if len(places) > 1:
        return f"entries are in {' and in '.join(places)}: which of them is booted is not known"
    made = [entry for entry in _entries(node, places[0]) if entry.version]
    if not made:
        return f"{places[0]} holds no entry that kernel-install made"
    for entry in made:
        if not _first(node, KERNELS, entry.version):
            return f"the kernel of {entry.path} is not on the root file system"
        if entry.initrd and not _first(node, INITRDS, entry.version) and not _makes_initrds(node):
            return f"the initramfs of {entry.path} is not on the root file system, and no plugin of kernel-install makes one"
    return ""


def _places(node: Node) -> list[str]:
    """Directories that hold entries; one and the same behind a link or a mount of the same name counts once."""
    found: dict[str, str] = {}
    for place in PLACES:
        if any(name.endswith(".conf") for name in best_effort.names(node, place)):
            found.setdefault(best_effort.resolved(node, place), place)
    return list(found.values())


def _hidden(node: Node, place: str) -> bool:
    try:
        node.names(place)
    except NodeError as error:
        return "root" in error.what
    return False


def _entries(node: Node, place: str) -> list[Entry]:
    """Those that boot Linux, the newest kernel's first, as systemd-boot's menu has them; those of others behind them."""
    found = []
    for name in best_effort.names(node, place):
        if not name.endswith(".conf"):
            continue
        entry = _entry(f"{place}/{name}", node.text(f"{place}/{name}") or "")
        if entry is not None:
            found.append(entry)
    return sorted(found, key=lambda entry: (bool(entry.version), _numbers(entry.version)), reverse=True)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _entry(path: str, text: str) -> Entry | None:
    fields: dict[str, list[str]] = {}
    line = 0
    for number, (key, value) in _lines(text):
        fields.setdefault(key, []).append(value)
        if key == "options":
            line = line or number
    if "linux" not in fields:
        return None
    version = fields.get("version", [""])[-1]
    return Entry(
        path,
        fields.get("title", [posixpath.basename(path)])[-1],
        line or 1,
        " ".join(fields.get("options", [])),
        version if version and _made(posixpath.basename(path), fields["linux"][-1], version) else "",
        "initrd" in fields,
    )


def _lines(text: str) -> Iterator[tuple[int, tuple[str, str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        key, _, value = line.strip().partition(" ")
        if key and not key.startswith("#"):
            yield number, (key, value.strip())


def _made(name: str, linux: str, version: str) -> bool:
    """Whether it is named as 90-loaderentry names them: TOKEN-VERSION.conf, of /TOKEN/VERSION/linux."""
    parts = linux.strip("/").split("/")
    return len(parts) >= 3 and parts[-1] == "linux" and parts[-2] == version and name == f"{parts[-3]}-{version}.conf"


def _command(node: Node, entry: Entry) -> tuple[str, ...]:
    initrd = _first(node, INITRDS, entry.version) if entry.initrd else ""
    return ("kernel-install", "add", entry.version, _first(node, KERNELS, entry.version), *([initrd] if initrd else []))


def _first(node: Node, patterns: tuple[str, ...], version: str) -> str:
    return next((path for path in (each.format(version) for each in patterns) if node.exists(path)), "")


def _makes_initrds(node: Node) -> bool:
    names = {name for place in PLUGINS for name in best_effort.names(node, place)}
    return any(re.fullmatch(r"\d+-(dracut|mkinitcpio|booster|mkosi-initrd)\.install", name) for name in names)
