"""ConnectX-3 and older: VFs come from options of mlx4_core, read when the module loads - from the initramfs, mostly.

The driver has no sysfs way in any kernel (drivers/net/ethernet/mellanox/mlx4/main.c), and its options count for all cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wizard import boot_room
from wizard.boot_content import images_lack
from wizard.cards import Ports, Request
from wizard.formats import modprobe
from wizard.node.facts import Facts
from wizard.node.pci import PciFunction
from wizard.numerals import whole
from wizard.plan import HoldsFile, Label, digest
from wizard.wants import Edit, Product, Wants

MODULE = "mlx4_core"
OPTIONS = "/etc/modprobe.d/mlx4_core.conf"
RDMA = "/etc/rdma/mlx4.conf"  # rdma-core: an address and the kind of each port, a line each
PORTS = "port_type_array"
PORT_TYPES: dict[str, str] = {"infiniband": "1", "ethernet": "2"}
KINDS = {"ib": "infiniband", "eth": "ethernet"}  # as sysfs says it of a port
REBUILD = {"update-initramfs": ("update-initramfs", "-u", "-k", "all"), "dracut": ("dracut", "-f", "--regenerate-all")}


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


def parameters(facts: Facts, overlay: Mapping[str, bytes | None] | None = None) -> dict[str, str]:
    """The options that mlx4_core will be loaded with."""
    return modprobe.effective(files(facts, overlay)).get(MODULE, {})


def configured(facts: Facts) -> int | None:
    """num_vfs as it is set, or None where it is not, or is not one plain number."""
    value = parameters(facts).get("num_vfs")
    return whole(value) if value is not None else None


def host_vfs(facts: Facts) -> int:
    return whole(parameters(facts).get("probe_vf", "0")) or 0


def configured_ports(facts: Facts) -> Ports | list[Ports]:
    """port_type_array as it is set; "keep" where it is not."""
    names: dict[str, Ports] = {"1": "infiniband", "2": "ethernet"}
    words = [names.get(word, "keep") for word in parameters(facts).get(PORTS, "").split(",") if word]
    if not words:
        return "keep"
    return words[0] if len(set(words)) == 1 else words


def wanted(requests: list[Request]) -> dict[str, str]:
    """The options for these requests, which agree; none where no VFs are wanted."""
    if not requests or not requests[0].count:
        return {}
    first = requests[0]
    options = {"num_vfs": str(first.count), "probe_vf": str(first.card.host_vfs)}
    ports = port_types(first)
    return {**options, PORTS: ports} if ports else options


def wanted_ports(request: Request) -> tuple[str, ...]:
    """What each port is to be; empty where they are kept, or where nothing is asked of the card."""
    count = max(1, len(request.function.port_types))
    words = request.card.ports if isinstance(request.card.ports, list) else [request.card.ports] * count
    return () if "keep" in words or request.function.family != "mlx4" or not request.count else tuple(words)


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


def wants(facts: Facts, requests: list[Request]) -> Wants:
    """The option file and the initramfs that holds it."""
    if not requests:
        return Wants()
    options = wanted(requests)
    there = parameters(facts)
    edits: tuple[Edit, ...] = ()
    carries = any(facts.guests.roles_of(request.function.address) for request in requests)
    labels: tuple[Label, ...] = ("reboot", "drops-network") if carries else ("reboot",)
    if options and any(there.get(name) != value for name, value in options.items()):
        why = f"{requests[0].count} VFs on each ConnectX-3 card, when {MODULE} loads"
        edits = (Edit(OPTIONS, why, lambda old: modprobe.set_parameters(old, MODULE, options), labels=labels),)
    elif not options and facts.history.file(OPTIONS).lines:
        why = "VFs are no longer wanted"
        edits = (Edit(OPTIONS, why, lambda old: _without(facts, old), labels=labels),)
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in edits}
    return Wants(
        edits=edits,
        products=_initramfs(facts, edits, overlay),
        actions=boot_room.keep("vfs", boot_room.kept(facts)) if _rebuilds(facts, overlay) else (),
        reads=(*(path for path, _ in files(facts)), *((RDMA,) if facts.content(RDMA) is not None else ())),
    )


def rebuilds_initramfs(facts: Facts, requests: list[Request]) -> bool:
    """Whether these requests have the initramfs made anew."""
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in wants(facts, requests).edits}
    return bool(requests) and _rebuilds(facts, overlay)


def _rebuilds(facts: Facts, overlay: Mapping[str, bytes | None]) -> bool:
    changed = any(content != facts.content(path) for path, content in overlay.items())
    return facts.boot.initramfs in REBUILD and (changed or bool(initramfs_lacks(facts, overlay)))


def _without(facts: Facts, content: bytes | None) -> bytes | None:
    """Without our parameters; without the file where it was ours and nothing else is in it."""
    if content is None:
        return None
    kept = modprobe.remove_parameters(content, MODULE, ("num_vfs", "probe_vf", PORTS))
    return None if not kept.strip() and facts.history.file(OPTIONS).created else kept


def _initramfs(facts: Facts, edits: tuple[Edit, ...], overlay: Mapping[str, bytes | None]) -> tuple[Product, ...]:
    words = REBUILD.get(facts.boot.initramfs)
    if words is None:
        return ()
    lacks = initramfs_lacks(facts, overlay)
    return (
        Product(
            "initramfs",
            words,
            "boot",
            f"{MODULE} loads from the initramfs, with the options that are copied into it",
            inputs=tuple(edit.path for edit in edits),
            due=bool(lacks),
            labels=("reboot",),
            undo=words,
            order=20,
            proves=(HoldsFile(path=OPTIONS, sha256=_digest(facts, overlay)),),
        ),
    )


def initramfs_lacks(facts: Facts, overlay: Mapping[str, bytes | None]) -> str:
    """How an initramfs differs from the option file, as a sentence; empty where it does not, or could not be looked into."""
    return images_lack(facts.initramfs_copies, OPTIONS, _digest(facts, overlay)) or ""


def _digest(facts: Facts, overlay: Mapping[str, bytes | None]) -> str | None:
    content = overlay[OPTIONS] if OPTIONS in overlay else facts.content(OPTIONS)
    return digest(content) if content is not None else None
