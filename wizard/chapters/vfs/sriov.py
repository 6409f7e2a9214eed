"""Every card but ConnectX-3: VFs are made by one write to sriov_numvfs, now, and by a unit of ours at each boot."""

from __future__ import annotations

import re

from wizard import asset_text
from wizard.chapters.shared import init_system
from wizard.chapters.shared.cards import Request, own_mac
from wizard.chapters.vfs import ib_guids, vf_owners
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.integers import parse_int
from wizard.model.changes import Changes, FileEdit, LiveAction
from wizard.model.steps import Label, RunCommand, WriteSysfs

SCRIPT = "/usr/local/sbin/compute-wizard-vfs"
PREFIX = "compute-wizard-vfs-"
CHAPTER = "vfs"
UNKNOWN = "none"  # the identity of a card that cannot be told from another one of its kind
NEEDS_LINK = ("bnxt_en", "bnx2x")
"""Drivers that refuse VFs while the interface is down: bnxt_sriov_configure (`Reject SRIOV config request since if is down`),
bnx2x_sriov_configure (`VF num configuration via sysfs not supported while PF is down`)."""
DEADLINE = 300  # seconds; an i40e takes 22 s for 64 VFs, and slower cards have been seen


def attribute(address: str, name: str = "sriov_numvfs") -> str:
    return f"/sys/bus/pci/devices/{address}/{name}"


def unit_name(address: str) -> str:
    """Without colons and dots, so that no shell and no init system reads more into it."""
    return PREFIX + re.sub(r"[:.]", "-", address)


def boot_path(facts: Facts, function: PciFunction) -> str:
    """The file that makes this function's VFs at boot."""
    return init_system.starter_of(facts).boot_file(unit_name(function.address))


def configured(facts: Facts, function: PciFunction) -> int | None:
    """How many VFs our unit makes at boot; None where there is no unit of ours."""
    content = facts.content(boot_path(facts, function))
    if content is None:
        return None
    words = re.search(rb"compute-wizard-vfs \S+ \S+ \S+ \S+ (\d+)", content)
    return parse_int(words[1].decode()) if words else None


def enabled(facts: Facts, function: PciFunction) -> bool:
    """Whether that file takes effect at boot."""
    return init_system.starter_of(facts).is_enabled(facts, unit_name(function.address))


def identity(function: PciFunction) -> str:
    """What the unit knows the card by, besides its ids: bus numbers move when cards are added.

    What the card says of itself goes into a command line, and is looked at before. Only what it came with counts: the unit runs before
    a bond or a team gives its ports another address. Ports that are bonded for RDMA share one RDMA device, so that a GUID is the last
    that is asked for, but on InfiniBand.
    """
    mac = own_mac(function)
    if mac is not None:
        return f"mac={mac}"
    guid = next((d.node_guid for d in function.rdma if re.fullmatch(r"[0-9a-f]{4}(:[0-9a-f]{4}){3}", d.node_guid)), "")
    if guid and "InfiniBand" in function.link_layers:
        return f"guid={guid}"
    if re.fullmatch(r"[A-Za-z0-9._+-]+", function.serial or ""):
        return f"serial={function.serial}"
    return f"guid={guid}" if guid else UNKNOWN


def mistaken(facts: Facts, function: PciFunction) -> str:
    """The MAC by which our unit knows the card, where the card is known to have come with another: it would be refused at boot."""
    words = re.search(rb"compute-wizard-vfs \S+ \S+ \S+ mac=(\S+) ", facts.content(boot_path(facts, function)) or b"")
    own = [device.own for device in function.netdevs]
    said = words[1].decode("ascii", "replace").lower() if words else ""
    return said if said and own and all(own) and said not in own else ""


def unit(facts: Facts, request: Request) -> str:
    """The text of the unit (or upstart job) for one function."""
    function = request.function
    text = asset_text.asset(f"compute-wizard-vfs.{init_system.starter_of(facts).form}")
    for name, value in {
        "ADDRESS": function.address,
        "VENDOR": function.vendor,
        "DEVICE": function.device,
        "IDENTITY": identity(function),
        "COUNT": " ".join([str(request.count), *_options(facts, request)]),
        "NAME": function.model,
    }.items():
        text = text.replace(f"@{name}@", value)
    return text


def _options(facts: Facts, request: Request) -> list[str]:
    """What the script is told besides the number."""
    options = ["autoprobe=0"] if _for_guests(facts, request) else []
    options += ["up=1"] if needs_link(request.function) else []
    return [*options, *ib_guids.options(facts, request)]


def arguments(facts: Facts, request: Request) -> tuple[str, ...]:
    """What the script is called with, for one function."""
    function = request.function
    own = (function.address, function.vendor, function.device, identity(function), str(request.count))
    return (*own, *_options(facts, request))


def _guids_now(facts: Facts, request: Request) -> list[LiveAction]:
    """The same script sets them on the VFs that are there, or were just made; one that a guest has is left alone."""
    function = request.function
    fits = function.total_vfs is None or request.count <= function.total_vfs
    if not ib_guids.options(facts, request) or not fits or not init_system.starter_of(facts).installs:
        return []
    text = facts.content(boot_path(facts, function)) or b""
    known = ib_guids.as_wanted(facts, request)
    same = known if known is not None else " ".join(ib_guids.options(facts, request)).encode() in text
    if function.num_vfs == request.count and same:
        return []
    step = RunCommand(
        chapters=(CHAPTER,),
        phase="live",
        argv=(SCRIPT, *arguments(facts, request)),
        why=(
            f"GUIDs for the VFs of {function.address}, which come up without; they go with the VFs, or with the next boot",
        ),
        deadline_s=DEADLINE,
        id=f"{CHAPTER}/guids:{function.address}",
    )
    return [LiveAction(step, order=60)]


def needs_link(function: PciFunction) -> bool:
    return function.driver in NEEDS_LINK


def is_down(facts: Facts, name: str) -> bool:
    """Whether an interface is known to be down by its flags (IFF_UP); its operstate says down without a cable as well."""
    flags = (facts.content(f"/sys/class/net/{name}/flags") or b"").decode("ascii", "replace").strip()
    return bool(re.fullmatch(r"0x[0-9a-f]{1,8}", flags)) and not int(flags, 16) & 1


def changes(facts: Facts, requests: list[Request]) -> Changes:
    """Attributes now, and units for the boot; units of functions that are no longer asked for, or have another owner, go."""
    edits: list[FileEdit] = []
    actions: list[LiveAction] = []
    kept = [request for request in requests if request.count and not vf_owners.of(facts, request.function)]
    starter = init_system.starter_of(facts)
    if kept and starter.installs:
        edits.append(
            init_system.installed(SCRIPT, asset_text.asset("compute-wizard-vfs"), "sets the VFs of one card", 0o755)
        )
    for request in kept:
        edits += _unit(facts, request)
        why = f"{request.count} VFs on {request.function.address} at each boot, before nova-compute starts"
        actions += starter.enable(facts, CHAPTER, unit_name(request.function.address), why)
    for request in requests:
        actions += numvfs(facts, request)
    for request in kept:
        actions += _guids_now(facts, request)
    gone = _gone(facts, kept)
    for path in gone:
        name = path.rsplit("/", 1)[1]
        edits.append(init_system.removed(path, "this tool no longer sets VFs of this card at boot"))
        actions += init_system.disable(facts, CHAPTER, name, "before its file is removed")
    if gone and not kept and facts.content(SCRIPT) is not None:
        edits.append(init_system.removed(SCRIPT, "nothing uses it any more"))
    units = tuple(edit.path for edit in edits if edit.path.startswith(init_system.UNITS))
    reads = tuple(dict.fromkeys(owner.path for owner in vf_owners.find(facts)))
    return Changes(
        edits=tuple(edits), products=init_system.unit_list(facts, units), actions=tuple(actions), reads=reads
    )


def _unit(facts: Facts, request: Request) -> list[FileEdit]:
    if not init_system.starter_of(facts).installs:
        return []
    text = unit(facts, request)
    return [init_system.installed(boot_path(facts, request.function), text, f"{request.count} VFs at each boot")]


def _gone(facts: Facts, kept: list[Request]) -> list[str]:
    """Units of ours that nothing asks for any more."""
    wanted = {boot_path(facts, request.function) for request in kept}
    there = [
        f"{directory}/{name}"
        for directory in (init_system.UNITS, init_system.JOBS)
        for name in facts.files.names(directory)
        if name.startswith(PREFIX) and name.endswith((".service", ".conf"))
    ]
    return [path for path in there if path not in wanted]


def numvfs(facts: Facts, request: Request) -> list[LiveAction]:
    """From what is to what is wanted, through 0: the kernel refuses any other way (drivers/pci/iov.c)."""
    function = request.function
    now = function.num_vfs
    if now is None or now == request.count or (request.count == 0 and not _ours(facts, function)):
        return []
    if function.total_vfs is not None and request.count > function.total_vfs:
        return []  # the kernel would refuse it (ERANGE, drivers/pci/iov.c), after the old VFs are gone: the unit makes them at boot
    why = f"{request.count} VFs on {function.address} ({function.model}), now {now}"
    steps = []
    if request.count and function.autoprobe and _for_guests(facts, request):
        text = "the host does not take the new VFs for itself: they are for the guests"
        steps.append(_set(function, "sriov_drivers_autoprobe", "1", "0", text))
    labels: tuple[Label, ...] = ("drops-network",) if facts.guests.roles_of(function.address) else ()
    if now and request.count:
        steps.append(_set(function, "sriov_numvfs", str(now), "0", f"{why}; only through 0", labels))
    before = "0" if request.count else str(now)
    steps.append(_set(function, "sriov_numvfs", before, str(request.count), why, labels))
    return [LiveAction(step) for step in steps]


def _ours(facts: Facts, function: PciFunction) -> bool:
    return configured(facts, function) is not None


def _for_guests(facts: Facts, request: Request) -> bool:
    """Whether the host is to keep its drivers off the new VFs.

    driver_override finds VFs that were not probed from 5.4 on; on some 4.12-5.x kernels vfio could not take them. Neutron's
    macvtap ports need the VF's netdev, so with Neutron the host goes on probing.
    """
    numbers = re.match(r"(\d+)\.(\d+)", facts.system.kernel)
    recent = numbers is not None and (int(numbers[1]), int(numbers[2])) >= (5, 4)
    return (
        recent
        and request.card.host_vfs == 0
        and facts.nova.networking != "neutron"
        and request.function.autoprobe is not None
    )


def _set(
    function: PciFunction, name: str, before: str, after: str, why: str, labels: tuple[Label, ...] = ()
) -> WriteSysfs:
    return WriteSysfs(
        chapters=(CHAPTER,),
        phase="live",
        path=attribute(function.address, name),
        before=before,
        after=after,
        why=(why,),
        labels=labels,
        deadline_s=DEADLINE,
        id=f"{CHAPTER}/{name}:{function.address}:{after}",
    )
