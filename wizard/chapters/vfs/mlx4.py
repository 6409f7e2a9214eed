"""ConnectX-3 and older: VFs come from options of mlx4_core, read when the module loads - from the initramfs, mostly.

The driver has no sysfs way in any kernel (drivers/net/ethernet/mellanox/mlx4/main.c), and its options count for all cards.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from wizard.boot.artifacts import images_lack, place_of
from wizard.chapters.shared import boot_space
from wizard.chapters.shared.cards import Ports, Request, limit
from wizard.chapters.shared.mlx4_sources import INITRAMFS_MODULES, MODULE, Mlx4Options, is_copied
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.formats import mlx4_options, modprobe
from wizard.hashing import digest
from wizard.model.changes import Artifact, Changes, FileEdit
from wizard.model.steps import HoldsFile, Label

OPTIONS = "/etc/modprobe.d/mlx4_core.conf"
RDMA = "/etc/rdma/mlx4.conf"  # rdma-core: an address and the kind of each port, a line each
PARAMETERS = "/sys/module/mlx4_core/parameters"
VERSION = "/sys/module/mlx4_core/version"
IN_TREE = ("1.1", "2.2-1", "4.0-0")
"""What the kernel's own driver calls itself, where it does; MLNX_OFED says its own release."""
PORTS_SINCE = (3, 14)  # 3.13 has num_vfs as one number
PORTS = "port_type_array"
PORT_TYPES: dict[str, str] = {"infiniband": "1", "ethernet": "2"}
KINDS = {"ib": "infiniband", "eth": "ethernet"}  # as sysfs says it of a port
REBUILD = {"update-initramfs": ("update-initramfs", "-u", "-k", "all"), "dracut": ("dracut", "-f", "--regenerate-all")}


def said_in(facts: Facts, parameter: str) -> str:
    """Where the last word on a parameter stands; our file where nobody says one."""
    return Mlx4Options.read(facts).last_word(parameter) or OPTIONS


def configured(facts: Facts, function: PciFunction) -> int | None:
    """How many VFs num_vfs says that a card is to have, or None where it says none, or in a form that is not known."""
    value = Mlx4Options.read(facts).parameters.get("num_vfs")
    if value is None:
        return None
    each = mlx4_options.by_card(value)
    if each and refused(facts, value):
        return min(each.values())  # one number has to do for all of them
    return mlx4_options.number(value, function.address)


def host_vfs(facts: Facts, function: PciFunction) -> int:
    return mlx4_options.number(Mlx4Options.read(facts).parameters.get("probe_vf", "0"), function.address) or 0


def cards_here(facts: Facts) -> list[PciFunction]:
    """Every card that mlx4_core's options count for."""
    return [function for function in facts.pci.functions if is_ours(function) and not function.is_vf]


def is_ours(function: PciFunction) -> bool:
    """Whether its VFs come from mlx4_core's options."""
    return function.card_family.option_module == MODULE


def suggested(facts: Facts, function: PciFunction, most: int) -> int:
    """What num_vfs says, what runs where it says nothing that is understood, or what every card here can have."""
    said = configured(facts, function)
    if said is not None:
        return said
    here = cards_here(facts)
    running = max((each.num_vfs or 0 for each in here), default=0)
    return running or min([most, *(limit(each) or 0 for each in here if each.offer == "offered")])


def gets(function: PciFunction, count: int) -> int:
    """How many VFs a card gets of so many: none where it offers fewer, and the driver goes on without SR-IOV (main.c)."""
    return count if count <= (limit(function) or 0) else 0


def refused(facts: Facts, value: str) -> str:
    """Why the driver that is loaded would not take this value, as a part of a sentence; empty where it would, or it is not known."""
    running = facts.content(f"{PARAMETERS}/num_vfs")
    version = (facts.content(VERSION) or b"").decode("ascii", "replace").strip()
    if mlx4_options.by_card(value) is not None:
        ofed = b":" in (running or b"") or version not in ("", *IN_TREE)
        return "" if ofed or running is None else "the kernel's own mlx4_core is loaded, which knows no addresses"
    release = re.match(r"(\d+)\.(\d+)", facts.system.kernel)
    old = release is not None and (int(release[1]), int(release[2])) < PORTS_SINCE
    return f"mlx4_core of kernel {facts.system.kernel} knows one number alone" if old and "," in value else ""


def one_number(options: Mlx4Options, function: PciFunction, value: str) -> str:
    """Why a card takes one number alone, as a part of a sentence; empty where it takes this value. With an InfiniBand port, the
    driver refuses numbers by port (main.c, mlx4_load_one)."""
    if not (";" in value or (mlx4_options.by_port(value) is not None and "," in value)):
        return ""
    words = [word for word in options.parameters.get(PORTS, "").split(",") if word]
    layers = ["infiniband" if word == "1" else word for word in words] or [
        each.lower() for each in function.link_layers
    ]
    return f"{function.address} has an InfiniBand port" if "infiniband" in layers else ""


def configured_ports(facts: Facts) -> Ports | list[Ports]:
    """port_type_array as it is set; "keep" where it is not."""
    names: dict[str, Ports] = {"1": "infiniband", "2": "ethernet"}
    words = [names.get(word, "keep") for word in Mlx4Options.read(facts).parameters.get(PORTS, "").split(",") if word]
    if not words:
        return "keep"
    return words[0] if len(set(words)) == 1 else words


def wanted(facts: Facts, requests: list[Request]) -> dict[str, str]:
    """The options for these requests, which agree; none where no VFs are wanted. What is there and says the same stays as it
    is written: how it parts the VFs among ports or cards is not in the answers."""
    if not any(request.count for request in requests):
        return {}
    return {**plain(requests[0]), **(kept(facts, requests) or {})}


def plain(request: Request) -> dict[str, str]:
    """The options for one request, in the form that every driver takes; none where no VFs are wanted."""
    if not request.count:
        return {}
    options = {"num_vfs": str(request.count), "probe_vf": str(request.card.host_vfs)}
    ports = port_types(request)
    return {**options, PORTS: ports} if ports else options


def kept(facts: Facts, requests: list[Request]) -> dict[str, str] | None:
    """num_vfs and probe_vf as they are set, where they say what is asked for; None where they do not."""
    options = Mlx4Options.read(facts)
    there = options.lasting
    vfs, probed = there.get("num_vfs"), there.get("probe_vf", "0")
    if vfs is None or refused(facts, vfs) or refused(facts, probed) or not mlx4_options.fit(vfs, probed):
        return None
    if any(one_number(options, each.function, value) for each in requests for value in (vfs, probed)):
        return None
    said = (
        (mlx4_options.number(vfs, each.function.address), mlx4_options.number(probed, each.function.address))
        for each in requests
    )
    asked = [(each.count, each.card.host_vfs) for each in requests]
    return {"num_vfs": vfs, "probe_vf": probed} if list(said) == asked else None


def wanted_ports(request: Request) -> tuple[str, ...]:
    """What each port is to be; empty where they are kept, or where nothing is asked of the card."""
    count = max(1, len(request.function.port_types))
    words = request.card.ports if isinstance(request.card.ports, list) else [request.card.ports] * count
    return () if "keep" in words or not is_ours(request.function) or not request.count else tuple(words)


def port_types(request: Request) -> str:
    """The value of port_type_array, one number a port; empty where the ports are kept."""
    return ",".join(PORT_TYPES[word] for word in wanted_ports(request))


@dataclass(frozen=True, slots=True)
class SetByRdma:
    """A line of rdma-core's that sets the kinds of a card's ports: "infiniband" or "ethernet" where it says so, else its own word."""

    line: int
    text: str
    kinds: tuple[str, ...]

    def __str__(self) -> str:
        return f"{RDMA} line {self.line}: {self.text}"


def set_by_rdma(facts: Facts, function: PciFunction) -> SetByRdma | None:
    """What rdma-core sets the ports of a card to when the driver is loaded; None where it does not."""
    for number, line in enumerate((facts.content(RDMA) or b"").decode("utf-8", "replace").splitlines(), 1):
        words = line.split()
        if words[:1] == [function.address]:
            return SetByRdma(number, " ".join(words), tuple(KINDS.get(word, word) for word in words[1:]))
    return None


def changes(facts: Facts, requests: list[Request]) -> Changes:
    """The option file and the initramfs that holds it."""
    if not requests:
        return Changes()
    options = wanted(facts, requests)
    now = Mlx4Options.read(facts)
    there = now.lasting
    edits: tuple[FileEdit, ...] = ()
    carries = any(facts.guests.roles_of(request.function.address) for request in requests)
    labels: tuple[Label, ...] = ("reboot", "drops-network") if carries else ("reboot",)
    if options and any(there.get(name) != value for name, value in options.items()):
        why = f"{_counts(requests)}, when {MODULE} loads"
        edits = (FileEdit(OPTIONS, why, lambda old: modprobe.set_parameters(old, MODULE, options), labels=labels),)
    elif not options and facts.history.file(OPTIONS).lines:
        why = "VFs are no longer wanted"
        edits = (FileEdit(OPTIONS, why, lambda old: _without(facts, old), labels=labels),)
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in edits}
    lacks = _due(facts, overlay, options)
    anew = facts.boot.initramfs in REBUILD and (bool(lacks) or _changes(facts, overlay))
    return Changes(
        edits=edits,
        products=_initramfs(facts, edits, overlay, lacks),
        actions=boot_space.keep("vfs", boot_space.kept(facts)) if anew else (),
        reads=(
            *(path for path, _ in now.files),
            *(path for path in (RDMA, INITRAMFS_MODULES) if facts.content(path) is not None),
        ),
    )


def _counts(requests: list[Request]) -> str:
    counts = {request.count for request in requests}
    if len(counts) == 1:
        return f"{requests[0].count} VFs on each ConnectX-3 card"
    return ", ".join(f"{request.count} VFs on {request.function.address}" for request in requests)


def rebuilds_initramfs(facts: Facts, requests: list[Request]) -> bool:
    """Whether these requests have the initramfs made anew."""
    found = changes(facts, requests)
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in found.edits}
    return bool(found.products) and (_changes(facts, overlay) or any(product.due for product in found.products))


def _changes(facts: Facts, overlay: Mapping[str, bytes | None]) -> bool:
    return any(content != facts.content(path) for path, content in overlay.items())


def _due(facts: Facts, overlay: Mapping[str, bytes | None], options: Mapping[str, str]) -> str:
    """Why the initramfs has to be made anew. Where no VFs are wanted, not for the sake of options that others set: it would
    bring them into force."""
    held = initramfs_files(facts, overlay)
    return _lacks(
        facts, held if options else {path: sha for path, sha in held.items() if sha is None or path == OPTIONS}
    )


def _without(facts: Facts, content: bytes | None) -> bytes | None:
    """Without our parameters; without the file where it was ours and nothing else is in it."""
    if content is None:
        return None
    kept = modprobe.remove_parameters(content, MODULE, ("num_vfs", "probe_vf", PORTS))
    return None if not kept.strip() and facts.history.file(OPTIONS).created else kept


def _initramfs(
    facts: Facts, edits: tuple[FileEdit, ...], overlay: Mapping[str, bytes | None], lacks: str
) -> tuple[Artifact, ...]:
    words = REBUILD.get(facts.boot.initramfs)
    if words is None:
        return ()
    return (
        Artifact(
            "initramfs",
            words,
            "boot",
            f"{MODULE} loads from the initramfs, with the options that are copied into it",
            inputs=tuple(edit.path for edit in edits),
            due=bool(lacks),
            labels=("reboot",),
            undo=words,
            order=20,
            proves=tuple(HoldsFile(path=path, sha256=sha) for path, sha in initramfs_files(facts, overlay).items()),
        ),
    )


def initramfs_lacks(facts: Facts, overlay: Mapping[str, bytes | None]) -> str:
    """How an initramfs differs from the option files, as a sentence; empty where it does not, or could not be looked into."""
    return _lacks(facts, initramfs_files(facts, overlay))


def _lacks(facts: Facts, held: Mapping[str, str | None]) -> str:
    every = (images_lack(facts.initramfs_copies, path, sha) for path, sha in held.items())
    return next((lacks for lacks in every if lacks), "")


def initramfs_files(facts: Facts, overlay: Mapping[str, bytes | None]) -> dict[str, str | None]:
    """Path -> sha256 of each file that counts for the module's options in an image: those that set them on the node, and those
    that do in an image; None where it is not to be there. The others are no matter of this tool's."""
    options = Mlx4Options.read(facts, overlay)
    setting = [path for path in options.setters() if is_copied(path)]
    names = {posixpath.basename(path) for path in (*setting, *overlay, *(path for _, path in facts.initramfs_setters))}
    there = [path for path, _ in options.files if posixpath.basename(path) in names and is_copied(path)]
    places = {place_of(path): path for path in (*there, *overlay)}
    for name in sorted(names):
        places = {**{place_of(path): path for path in _first_in_images(facts, name)}, **places}
    return {path: _digest(facts, overlay, path) for path in sorted(places.values())}


def _first_in_images(facts: Facts, name: str) -> set[str]:
    """The file of this name that counts in each image: one in a higher directory hides it in the lower ones."""
    first: dict[str, str] = {}
    for image, path, _ in facts.initramfs_copies or ():
        if posixpath.basename(path) == name:
            first[image] = modprobe.order([f"/{path}", *([first[image]] if image in first else [])])[0]
    return set(first.values())


def _digest(facts: Facts, overlay: Mapping[str, bytes | None], path: str) -> str | None:
    content = overlay[path] if path in overlay else facts.content(path)
    return digest(content) if content is not None else None
