"""Which driver a card's physical function gets at the next boot: what keeps its own from it, with file and line.

VFs are made by the PF's own driver. vfio-pci by the PF's ids, a blacklist, an install line or driverctl take it away, and the card's
interfaces with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from wizard.boot import next_command_line
from wizard.chapters.vfs.mlx4_findings import finding
from wizard.chapters.vfs.owners import modules, udev
from wizard.chapters.vfs.owners.model import YES
from wizard.chapters.vfs.owners.view import View
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import NoVfs, PciFunction
from wizard.formats import kernel_arguments
from wizard.model.findings import Finding
from wizard.regex import regex

INITRAMFS = "/etc/initramfs-tools/modules"
"""Modules that an initramfs loads first, each with its options (initramfs-tools(7))."""
HOLDERS = ("vfio-pci", "pci-stub", "uio_pci_generic", "igb_uio", "xen-pciback")
_NOTHING = regex(r"(?:(?:/usr)?/bin/)?(?:true|false|:|exit\s+\d+)\s*;?$|/dev/null$|/nonexistent\S*$")
_ON_LINE = {
    "modprobe.blacklist": "blacklist",
    "module_blacklist": "refused",
    "rd.driver.blacklist": "initramfs",
    "rdblacklist": "initramfs",
}
Kind = Literal["blacklist", "refused", "initramfs", "install", "ids", "override", "rule"]


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What keeps a function from its driver, and where it is set."""

    kind: Kind
    place: str
    said: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.said}"


def own_driver(function: PciFunction) -> str:
    """The driver that makes its VFs; empty where it is not known."""
    if function.card_family.driver:
        return function.card_family.driver
    return function.driver if function.driver and function.driver not in HOLDERS else ""


def hindrances(facts: Facts, function: PciFunction) -> list[Hindrance]:
    """All of them, each once."""
    view, module = View(facts), own_driver(function)
    found = [
        *_on_line(facts, function, module),
        *_in_files(view, function, module),
        *_overrides(view, function),
        *_rules(view, function),
    ]
    if module and _is_built_in(facts, module):
        found = [each for each in found if each.kind in ("ids", "override", "rule")]  # modprobe has no say in it
    return list(dict.fromkeys(found))


def findings(facts: Facts, functions: list[PciFunction]) -> list[Finding]:
    """For functions that are to have VFs."""
    return [_finding(function, each) for function in functions for each in hindrances(facts, function)]


def advice(facts: Facts, function: PciFunction) -> str:
    """What to do for a card that has no driver, or one of those that hold it, where a setting is the reason; else empty."""
    if function.no_vfs not in (NoVfs.NO_DRIVER, NoVfs.HELD):
        return ""
    places = [str(each) for each in hindrances(facts, function)]
    if not places:
        return ""
    module = own_driver(function) or "its driver"
    return f"Take this away, rebuild the initramfs and reboot: {'; '.join(places)}. Loading {module} by hand does not last."


def _finding(function: PciFunction, each: Hindrance) -> Finding:
    return finding(
        "VFS-DRIVER-AT-BOOT",
        "warns",
        f"{function.address} ({function.model}): {each}",
        f"{each.why}: at the next boot no driver is there that could make VFs of this card, and its interfaces are gone.",
        "Take that away, and rebuild the initramfs, which may hold a copy. To hand out VFs with vfio-pci, name the id of the VFs "
        f"({function.vf_device or 'sriov_vf_device'}), or none: nova and libvirt bind them by themselves.",
    )


def _names(module: str, value: str) -> bool:
    return module.replace("-", "_") in [each.strip().replace("-", "_") for each in value.split(",")]


def _on_line(facts: Facts, function: PciFunction, module: str) -> Iterator[Hindrance]:
    for place, word in _words(facts):
        key, value = kernel_arguments.key(word), word.partition("=")[2].strip('"')
        kind = next((kind for name, kind in _ON_LINE.items() if kernel_arguments.key(name) == key), "")
        if kind and module and _names(module, value):
            how = {
                "blacklist": f"{module} is not loaded for the devices that it drives",
                "refused": f"the kernel refuses to load {module}",
                "initramfs": f"{module} is not loaded in the initramfs",
            }[kind]
            yield Hindrance(kind, place, word, how)  # type: ignore[arg-type]
        elif key in ("vfio_pci.ids", "pci_stub.ids") and _caught(function, value):
            yield Hindrance("ids", place, word, f"{word.partition('.')[0]} takes the card itself, by its own id")
        elif key in ("xen_pciback.hide", "pciback.hide") and f"({function.address})" in value:
            yield Hindrance("ids", place, word, "pciback takes the card itself")


def _words(facts: Facts) -> Iterator[tuple[str, str]]:
    """The words of the next boot's line with the place of each; the running one's, where the next is not known."""
    line = next_command_line.next_boot(facts)
    if line.arguments is None:
        yield from (
            ("the running kernel's command line", word) for word in kernel_arguments.split(facts.iommu.command_line)
        )
        return
    for word in kernel_arguments.split(line.arguments):
        set_in = [(path, number) for path, number, _, value in line.layers if word in kernel_arguments.split(value)]
        place = f"{set_in[0][0]} line {set_in[0][1]}" if set_in else "the kernel's command line"
        yield place, word


def _in_files(view: View, function: PciFunction, module: str) -> Iterator[Hindrance]:
    for path in (*modules.files(view), INITRAMFS):
        for number, words in modules.logical(view.text(path) or ""):
            place, said, name = f"{path} line {number}", " ".join(words)[:80], words[1] if len(words) > 1 else ""
            same = bool(module) and name.replace("-", "_") == module.replace("-", "_")
            if path == INITRAMFS:
                ids = [word.partition("=")[2].strip("\"'") for word in words[1:] if word.startswith("ids=")]
                if words[0].replace("-", "_") in ("vfio_pci", "pci_stub") and any(
                    _caught(function, each) for each in ids
                ):
                    yield Hindrance(
                        "ids", place, said, f"{words[0]} takes the card itself in the initramfs, by its own id"
                    )
            elif words[0] == "blacklist" and same:
                yield Hindrance("blacklist", place, said, f"{module} is not loaded for the devices that it drives")
            elif words[0] == "install" and same and _NOTHING.search(" ".join(words[2:])):
                yield Hindrance("install", place, said, f"modprobe runs this in place of loading {module}")
            elif words[0] == "options" and name.replace("-", "_") in ("vfio_pci", "pci_stub"):
                ids = [word.partition("=")[2].strip("\"'") for word in words[2:] if word.startswith("ids=")]
                if any(_caught(function, each) for each in ids):
                    yield Hindrance(
                        "ids",
                        place,
                        said,
                        f"{name} takes the card itself, by its own id and not its VFs', where it is loaded first",
                    )


def _caught(function: PciFunction, ids: str) -> bool:
    """VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE[:CLASS[:MASK]]]], a list (drivers/vfio/pci/vfio_pci.c)."""
    subsystem = [*function.subsystem.split(":"), "", ""][:2]
    own = [function.vendor, function.device, *subsystem]
    for each in ids.split(","):
        words = [word.lower().removeprefix("0x") for word in each.strip().split(":")]
        if len(words) < 2:
            continue
        pairs = zip(words[:4], own, strict=False)
        alike = all(word in ("", "ffffffff") or word.zfill(4) == mine.zfill(4) for word, mine in pairs)
        if alike and (len(words) < 5 or _class_fits(function, words[4:])):
            return True
    return False


def _class_fits(function: PciFunction, words: list[str]) -> bool:
    try:
        wanted, mask = int(words[0] or "0", 16), int(words[1], 16) if len(words) > 1 else 0
    except ValueError:
        return True
    return (int(function.class_code or "0", 16) ^ wanted) & mask == 0


def _overrides(view: View, function: PciFunction) -> Iterator[Hindrance]:
    """driverctl keeps a file for each device, and its udev rule binds the device to the driver named in it."""
    if view.has_program("driverctl").why:
        return
    for name in (function.address, f"pci-{function.address}"):
        path = f"/etc/driverctl.d/{name}"
        driver = (view.text(path) or "").strip()
        if driver and driver != own_driver(function):
            yield Hindrance("override", f"{path} line 1", driver, f"driverctl binds the card itself to {driver}")


def _rules(view: View, function: PciFunction) -> Iterator[Hindrance]:
    """udev rules that write driver_override of the card itself, as guides to passthrough have them."""
    for path in view.layered(udev.DIRECTORIES, ".rules"):
        text = view.text(path) or ""
        if "driver_override" not in text:
            continue
        for device in udev.devices(view, function):
            event = udev.Event(view, device)
            for rule in udev.rules(text):
                given = [
                    key
                    for key in rule.keys
                    if key.name == "ATTR" and key.attribute == "driver_override" and not key.matches
                ]
                if (
                    given
                    and device.subsystem == "pci"
                    and event.rule(rule) is YES
                    and given[-1].value not in ("", own_driver(function))
                ):
                    why = f"udev binds the card itself to {given[-1].value}"
                    yield Hindrance("rule", f"{path} line {rule.line}", rule.text[:80], why)


def _is_built_in(facts: Facts, module: str) -> bool:
    content = facts.content(f"/lib/modules/{facts.system.kernel}/modules.builtin")
    wanted = module.replace("-", "_").encode()
    return any(
        line.rpartition(b"/")[2].removesuffix(b".ko").replace(b"-", b"_") == wanted
        for line in (content or b"").splitlines()
    )
