"""What the node is: its name, operating system, kernel, init system, and whether it is itself a guest or a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wizard.node.node import Node, Unseen


@dataclass(frozen=True, slots=True)
class SystemFacts:
    hostname: str
    os_id: str  # os-release ID: ubuntu, debian, rhel, rocky …; "" where unknown
    os_version: str  # VERSION_ID, or ""
    os_name: str  # PRETTY_NAME, or a fallback such as "unknown system"
    os_like: tuple[str, ...]  # ID and ID_LIKE
    kernel: str  # release of the running kernel, "" where unknown
    architecture: str
    init: Literal["systemd", "upstart", "sysvinit", "unknown"]  # what runs as PID 1, or would after boot
    systemd_running: bool  # /run/systemd/system exists
    virtualization: str  # "none", "kvm", "docker", … ; "" where unknown
    container: bool
    boot_id: str
    machine_id: str
    boot_free: int | None  # bytes free where /boot lies; None for a recorded node
    unseen: tuple[Unseen, ...]

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
