"""Who else sets VFs at boot on this node: netplan, udev, systemd .link files, NetworkManager, sysfsutils."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.node.facts import Facts

PLACES = (
    ("netplan", "/etc/netplan", ".yaml", b"virtual-function-count"),
    ("udev", "/etc/udev/rules.d", ".rules", b"sriov_numvfs"),
    ("systemd-udevd", "/etc/systemd/network", ".link", b"SR-IOVVirtualFunctions"),
    ("NetworkManager", "/etc/NetworkManager/system-connections", ".nmconnection", b"total-vfs"),
    ("sysfsutils", "/etc", "sysfs.conf", b"sriov_numvfs"),
)


@dataclass(frozen=True, slots=True)
class Owner:
    """One line of somebody's configuration that sets VFs."""

    program: str
    path: str
    line: int
    text: str


def find(facts: Facts) -> list[Owner]:
    """Every such line that may be read."""
    found = []
    for program, directory, ending, word in PLACES:
        for name in facts.files.names(directory):
            content = facts.content(f"{directory}/{name}") if name.endswith(ending) else None
            for number, line in enumerate((content or b"").splitlines(), 1):
                if word in line and not line.lstrip().startswith((b"#", b";")):
                    text = line.decode("utf-8", "replace").strip()[:80]
                    found.append(Owner(program, f"{directory}/{name}", number, text))
    return found
