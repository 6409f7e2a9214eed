"""Launch a guest, and see the card in it: a throw-away guest of this node's own QEMU and kernel, with one idle VF.

Nova is not touched, and has to leave that VF alone meanwhile. A process of its own has the VF and the guest, and gives the VF
back whatever becomes of us (see keeper).
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from wizard.errors import NodeError
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import DEVICES, PciFunction
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.node.node import Node
from wizard.probes.base import Tell
from wizard.probes.guest import idle_vfs, qemu
from wizard.probes.guest import image as guest_files
from wizard.probes.guest import report as guest_report
from wizard.probes.guest import verdicts as guest_readings
from wizard.probes.guest.idle_vfs import Choice
from wizard.probes.guest.supervisor import Job
from wizard.probes.guest.supervisor_client import keep
from wizard.probes.guest.verdicts import Booted
from wizard.probes.guest.vfio_binding import NOTE

NAME = "guest"
TITLE = "Boot a guest with a VF in it"
LIMITS = (
    "What was proven of passthrough is that this node's QEMU gives a guest the VF. Nova's whitelist, alias and scheduler, and "
    "libvirt's own rights on the VF, were not asked for: a first VM by the new flavor proves those."
)
_NOVA = ("nova-compute runs here: disable the service first, so that it does not give out this VF meanwhile",)
SECONDS_KVM, SECONDS_TCG = 120.0, 900.0  # that a guest may take to boot and tell; TCG inside a guest is slow


def announce(node: Node, facts: Facts, answers: AllAnswers, only: str = "") -> list[str]:
    """What would be done; empty where no guest can be booted."""
    if why_not(node, facts):
        return []
    vf = _choice(node, facts, answers, only).vf
    if vf is None:
        return []
    left = [f"{NOTE} says what an earlier proof did not give back: that comes first"] if node.exists(str(NOTE)) else []
    return [
        *left,
        f"{vf.address} ({vf.model}) is lent to a guest for about a minute: {_afterwards(vf)}",
        f"a guest is booted with it by {_program(node)}: {qemu.MEMORY} MiB, no disk, no network",
        *(_NOVA if facts.nova.compute_running else ()),
    ]


def _afterwards(vf: PciFunction) -> str:
    if vf.driver == idle_vfs.VFIO:
        return "it waits in vfio-pci already, and stays there"
    return (
        f"{vf.driver} gives it to vfio-pci and gets it back"
        if vf.driver
        else "vfio-pci has it meanwhile, nobody afterwards"
    )


def why_not(node: Node, facts: Facts) -> str:
    """Why no guest can be booted on this node; empty where it can."""
    if node.simulated or not node.live:
        return "only a live node can boot a guest"
    if not node.privileged:
        return "lending a VF needs root rights"
    if facts.system.architecture != "x86_64":
        return f"this proof knows x86_64 alone, and this node is {facts.system.architecture}"
    if not _program(node):
        return f"there is no QEMU here ({', '.join(qemu.PROGRAMS)}): it comes with nova-compute's package for KVM"
    missing = [name for name in guest_files.NEEDED if node.command(name) is None]
    if missing:
        return f"the command {missing[0]} is not on this node, and the guest needs it"
    return _too_little_memory(node)


def _program(node: Node) -> str:
    return node.command(*qemu.PROGRAMS) or next((path for path in qemu.PLACES if node.exists(path)), "")


def _too_little_memory(node: Node) -> str:
    for line in (node.text("/proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and int(value.split()[0]) < 2 * qemu.MEMORY * 1024:
            return f"the guest needs {qemu.MEMORY} MiB, and the node has only {value.strip()} to spare"
    return ""


def _has_kvm(node: Node) -> bool:
    """A /dev/kvm without vmx or svm is not KVM as kernels expect it."""
    flags = next((line for line in (node.text("/proc/cpuinfo") or "").splitlines() if line.startswith("flags")), "")
    return node.exists("/dev/kvm") and bool({"vmx", "svm"} & set(flags.split()))


def _choice(node: Node, facts: Facts, answers: AllAnswers, only: str) -> Choice:
    names = {device.name for function in facts.pci.functions if function.is_vf for device in function.netdevs}
    return idle_vfs.choose(facts, answers, frozenset(name for name in names if _is_up(node, name)), only)


def _is_up(node: Node, name: str) -> bool:
    """IFF_UP; what cannot be read counts as up."""
    try:
        return bool(int(node.text(f"/sys/class/net/{name}/flags") or "1", 0) & 1)
    except ValueError:
        return True


def prove(node: Node, facts: Facts, answers: AllAnswers, only: str = "", tell: Tell = lambda line: None) -> list[Check]:
    """Boot it, with an idle VF or the one that is named; a minute by KVM, some by TCG."""
    refusal = why_not(node, facts)
    if refusal:
        return guest_readings.unknown(refusal)
    choice = _choice(node, facts, answers, only)
    if choice.vf is None:
        return guest_readings.unknown(choice.why)
    kvm = _has_kvm(node)
    tell(f"booting a guest with {choice.vf.address} by {'KVM' if kvm else 'TCG, which is slow: there is no KVM here'}")
    try:
        modules = _driver(node, facts, choice.vf)
        return guest_readings.checks(_boot(node, facts, choice.vf, modules, kvm, tell))
    except NodeError as error:
        return guest_readings.unknown(str(error))


def _driver(node: Node, facts: Facts, vf: PciFunction) -> guest_files.Driver:
    modalias = node.text(f"{DEVICES}/{vf.address}/modalias") or ""
    return guest_files.driver(node, facts.system.kernel, modalias)


def _boot(node: Node, facts: Facts, vf: PciFunction, modules: guest_files.Driver, kvm: bool, tell: Tell) -> Booted:
    kernel = guest_files.kernel(node, facts.system.kernel)
    started = time.monotonic()
    with _in_memory(guest_files.initramfs(node, modules)) as descriptor:
        mark = f"cw-{secrets.token_hex(4)}"
        wanted = qemu.Guest(_program(node), kernel, f"/dev/fd/{descriptor}", qemu.assigned(vf.address), mark, kvm)
        limit = SECONDS_KVM if kvm else SECONDS_TCG
        job = Job(qemu.arguments(wanted), vf.address, mark, limit, [descriptor])
        kept = keep(job, tell)
    return Booted(
        vf=vf,
        kvm=kvm,
        seconds=time.monotonic() - started,
        report=guest_report.read(kept.lines, mark),
        ended=kept.ended,
        errors=kept.errors,
        problem=kept.problem,
        left=kept.left,
    )


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    """A file without a name, that QEMU inherits: nothing of it is left, whatever happens."""
    descriptor = os.memfd_create("compute-wizard-guest")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        yield descriptor
    finally:
        os.close(descriptor)
