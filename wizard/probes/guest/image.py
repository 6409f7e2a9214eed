"""What the guest is made of: this node's own kernel, modules, shell and tools, read and packed into an initramfs."""

from __future__ import annotations

from wizard.asset_text import asset
from wizard.dataclass import dataclass
from wizard.errors import NodeError, NotThere
from wizard.node.node import Node
from wizard.probes.guest import cpio
from wizard.probes.guest import modules as guest_modules
from wizard.regex import regex

LIMIT = 64 * 1024 * 1024  # bytes of one module or library; an mlx5_core with debugging symbols has 20 MB
_LIBRARY = regex(r"(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)")
NEEDED, WANTED = ("sh", "mount", "sleep", "insmod"), ("ip",)


@dataclass(frozen=True, slots=True)
class Driver:
    """The module files of a device's driver, what is needed first; none where the guest will have no driver for it."""

    names: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]  # (base name, content)


def kernel(node: Node, release: str) -> str:
    """The path of the running kernel's image. Raises NotThere."""
    places = (f"/boot/vmlinuz-{release}", f"/lib/modules/{release}/vmlinuz", f"/usr/lib/modules/{release}/vmlinuz")
    for path in places:
        if node.exists(path):
            return path
    raise NotThere(f"the kernel {release} has no image here ({', '.join(places)})")


def driver(node: Node, release: str, modalias: str) -> Driver:
    """The driver of a device such as `pci:v000015B3d00001018sv…` among the modules of a kernel."""
    place = f"/lib/modules/{release}"
    names = guest_modules.drivers(_text(node, f"{place}/modules.alias"), modalias)
    more = tuple(other for name in names for other in guest_modules.MORE.get(name, ()))
    paths = guest_modules.paths(_text(node, f"{place}/modules.dep"), (*names, *more))
    return Driver(names, tuple((path.rpartition("/")[2], node.read(f"{place}/{path}", LIMIT)) for path in paths))


def _text(node: Node, path: str) -> str:
    """These tables have megabytes, and are missing where there are no modules."""
    try:
        return node.read(path, LIMIT).decode("utf-8", "replace")
    except NodeError:
        return ""


def initramfs(node: Node, modules: Driver) -> bytes:
    """The initramfs of the guest. Raises NodeError where one of the tools is not there."""
    found = [
        cpio.file("init", asset("guest-init").encode(), executable=True),
        cpio.file("modules/order", "".join(f"{name}\n" for name, _ in modules.files).encode()),
        *(cpio.file(f"modules/{name}", content) for name, content in modules.files),
        cpio.character_device("dev/console", 5, 1),
        cpio.character_device("dev/null", 1, 3),
    ]
    for name in (*NEEDED, *WANTED):
        path = node.command(name)
        if path is not None:
            found += _program(node, name, path)
        elif name not in WANTED:
            raise NotThere(f"the command {name} is not on this node, and the guest needs it")
    return cpio.archive(found, directories=("proc", "sys"))


def _program(node: Node, name: str, path: str) -> list[cpio.Entry]:
    """A program and the libraries that it is linked with, where its loader looks for them."""
    said = node.try_run(("ldd", path))
    libraries = _LIBRARY.findall(said.stdout) if said is not None else []  # none: it is linked statically
    entries = [cpio.file(f"bin/{name}", node.read(path, LIMIT), executable=True)]
    return entries + [cpio.file(each.lstrip("/"), node.read(each, LIMIT), executable=True) for each in libraries]
