"""What the node is: its name, operating system, kernel, init system, and whether it is itself a guest or a container."""

from __future__ import annotations

import platform
import re
import shlex

from wizard.dataclass import dataclass
from wizard.facts import init_systems
from wizard.facts.init_systems import Init, InitSystem
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.node.paths import BOOT_ID


@dataclass(frozen=True, slots=True)
class SystemFacts:
    hostname: str
    os_id: str  # os-release ID: ubuntu, debian, rhel, rocky …; "" where unknown
    os_version: str  # VERSION_ID, or ""
    os_name: str  # PRETTY_NAME, or a fallback such as "unknown system"
    os_like: tuple[str, ...]  # ID and ID_LIKE
    kernel: str  # release of the running kernel, "" where unknown
    architecture: str
    init: Init  # what runs as PID 1, or would after boot
    systemd_running: bool  # /run/systemd/system exists
    virtualization: str  # "none", "kvm", "docker", … ; "" where unknown
    container: bool
    boot_id: str
    machine_id: str
    boot_free: int | None  # bytes free where /boot lies; None for a recorded node
    profile_directory: bool  # /etc/profile.d is there: login shells read the files in it
    unseen: tuple[Unseen, ...]

    @property
    def init_system(self) -> InitSystem:
        """What follows from `init`: asked for in place of its name."""
        return init_systems.init_system(self.init)

    @property
    def label(self) -> str:
        """'ubuntu-14.04'"""
        return f"{self.os_id}-{self.os_version}" if self.os_version else self.os_id or "unknown"

    @property
    def is_debian(self) -> bool:
        """Debian or Ubuntu or a child of theirs."""
        return bool({"debian", "ubuntu"} & set(self.os_like))

    @property
    def is_redhat(self) -> bool:
        return bool({"rhel", "fedora", "centos"} & set(self.os_like))


MACHINE_ID = ("/etc/machine-id", "/var/lib/dbus/machine-id")
CONTAINERS = ("docker", "lxc", "lxc-libvirt", "openvz", "podman", "systemd-nspawn", "rkt", "wsl", "proot", "pouch")
"""Kinds as systemd-detect-virt names them; besides, `container-other`, and whatever a manager says in $container."""
_LIKE = {"ubuntu": "debian", "rocky": "rhel", "almalinux": "rhel", "centos": "rhel", "fedora": "fedora"}
_GUESTS = {
    "QEMU": "kvm",
    "KVM": "kvm",
    "VMware": "vmware",
    "innotek": "oracle",
    "Xen": "xen",
    "Microsoft Corporation Virtual": "microsoft",
    "Amazon EC2": "amazon",
    "Google": "google",
    "Firecracker": "firecracker",
}


def read(node: Node) -> SystemFacts:
    """Who this node is. What is not said stays empty; nothing here fails."""
    release = _release(node)
    name = release.get("ID", "").lower()
    like = [word for word in (name, *release.get("ID_LIKE", "").lower().split(), _LIKE.get(name, "")) if word]
    virtualization, container = _virtualization(node)
    kernel = node.text("/proc/sys/kernel/osrelease") or (best_effort.names(node, "/lib/modules") or [""])[-1]
    return SystemFacts(
        hostname=hostname(node),
        os_id=name,
        os_version=release.get("VERSION_ID", ""),
        os_name=release.get("PRETTY_NAME") or release.get("NAME") or "unknown system",
        os_like=tuple(dict.fromkeys(like)),
        kernel=kernel,
        architecture=platform.machine() if node.live else _architecture(node, kernel),
        init=init_systems.recognized(node),
        systemd_running=node.exists("/run/systemd/system"),
        virtualization=virtualization,
        container=container,
        boot_id=node.text(BOOT_ID) or "",
        machine_id=machine_id(node),
        boot_free=node.free("/boot"),
        profile_directory=best_effort.is_directory(node, "/etc/profile.d"),
        unseen=()
        if release
        else (Unseen("which operating system this is", "neither os-release nor lsb-release says so"),),
    )


def machine_id(node: Node) -> str:
    """The machine's own id, 32 hexadecimal digits (machine-id(5)), or empty: before systemd it was D-Bus that kept it."""
    text = next((text for path in MACHINE_ID if (text := node.text(path))), "")
    return (
        text if re.fullmatch(r"[0-9a-f]{32}", text) else ""
    )  # "uninitialized", or what is no id, tells no machine apart


def _release(node: Node) -> dict[str, str]:
    """os-release, or lsb-release on older systems; values without their quotes."""
    for path, prefix in (("/etc/os-release", ""), ("/usr/lib/os-release", ""), ("/etc/lsb-release", "DISTRIB_")):
        found: dict[str, str] = {}
        for line in (node.text(path) or "").splitlines():
            key, equals, value = line.strip().partition("=")
            if equals and re.fullmatch(r"[A-Z][A-Z0-9_]*", key):
                found[key.removeprefix(prefix)] = _unquoted(value)
        if found:
            names = {"RELEASE": "VERSION_ID", "DESCRIPTION": "PRETTY_NAME"} if prefix else {}
            return {names.get(key, key): value for key, value in found.items()}
    return {}


def _unquoted(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError:
        return value.strip("'\"")
    return words[0] if len(words) == 1 else value


def hostname(node: Node) -> str:
    names = [node.text("/proc/sys/kernel/hostname"), node.text("/etc/hostname")]
    lines = [name.splitlines()[-1].strip() for name in names if name]
    return next((line for line in lines if line and not line.startswith("#")), "")


def _architecture(node: Node, kernel: str) -> str:
    if re.search(r"^flags\s*:.*\blm\b", node.text("/proc/cpuinfo") or "", re.MULTILINE) or kernel.endswith(
        ("generic", "amd64")
    ):
        return "x86_64"
    return kernel.rpartition(".")[2] if kernel.endswith(("x86_64", "aarch64", "ppc64le", "s390x")) else "x86_64"


def _virtualization(node: Node) -> tuple[str, bool]:
    """What this is, and whether that is a container: as systemd-detect-virt says where it can be asked; else from what a
    container or a guest shows."""
    if node.live:
        said = best_effort.ask(node, ["systemd-detect-virt"])
        if said is not None and said.stdout.strip():
            kind = said.stdout.strip()
            return kind, kind in CONTAINERS or kind.startswith("container")
    if node.exists("/.dockerenv"):
        return "docker", True
    if node.exists("/run/.containerenv"):
        return "podman", True
    container = re.search(r"(?:^|\0)container=([^\0]*)", node.text("/proc/1/environ") or "")
    if container:
        return container[1] or "container", True
    if re.search(r"/(?:docker|lxc|kubepods)[/-]", node.text("/proc/1/cgroup") or ""):
        return "container", True
    return _guest(node), False


def _guest(node: Node) -> str:
    board = (
        f"{node.text('/sys/class/dmi/id/sys_vendor') or ''} {node.text('/sys/class/dmi/id/product_name') or ''}".strip()
    )
    guest = next((kind for word, kind in _GUESTS.items() if word in board), "")
    if guest:
        return guest
    cpu = node.text("/proc/cpuinfo")
    if cpu is not None and re.search(r"^flags\s*:.*\bhypervisor\b", cpu, re.MULTILINE):
        return "guest"
    return "none" if board or cpu is not None else ""
