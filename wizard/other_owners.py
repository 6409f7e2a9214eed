"""Who else sets VFs at boot on this node: netplan, udev, systemd .link files, NetworkManager, os-net-config, sysfsutils, rc.local.

A number has one owner. Where somebody else sets it, this tool sets nothing at boot: it leaves the card to them, if their number is the
one that is wanted, and else says what to put there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from wizard.node.facts import Facts
from wizard.node.pci import PciFunction
from wizard.numerals import whole


@dataclass(frozen=True, slots=True)
class Owner:
    """One line of somebody's configuration that sets VFs; `count` is None where its number cannot be read.

    `about` is the text that says which card is meant: the line, the block around it or the whole file. `put` is what such a line has to
    say for {count} VFs.
    """

    program: str
    path: str
    line: int
    text: str
    count: int | None
    about: str
    put: str

    def to_put(self, count: int) -> str:
        """What to write there for so many VFs."""
        return self.put.format(count=count)

    def __str__(self) -> str:
        return f"{self.path} line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a program is told to set VFs: `setting` is found in such a line, with the number as its first group, if it is plain."""

    program: str
    directory: str
    ending: str
    setting: str
    put: str
    about: Callable[[list[str], int], str]


def _line(lines: list[str], index: int) -> str:
    return lines[index]


def _file(lines: list[str], index: int) -> str:
    return "\n".join(lines)


def _block(lines: list[str], index: int) -> str:
    """The block of a YAML file in which a line stands, with the line above it that is less indented: the name of the interface."""

    def depth(at: int) -> int:
        text = lines[at]
        return len(text) - len(text.lstrip(" ")) if text.strip() else 1000

    above = (at for at in range(index - 1, -1, -1) if depth(at) < depth(index))
    first = index if lines[index].lstrip().startswith("-") else next(above, 0)
    below = (at for at in range(max(first, index) + 1, len(lines)) if depth(at) <= depth(first))
    return "\n".join(lines[first : next(below, len(lines))])


ECHO = r"(?:\becho\s+(\d+)\s*>.*)?sriov_numvfs"
PLACES = (
    _Place(
        "netplan",
        "/etc/netplan",
        ".yaml",
        r"virtual-function-count\W*\s(\d+)?",
        "virtual-function-count: {count}",
        _block,
    ),
    _Place(
        "udev",
        "/etc/udev/rules.d",
        ".rules",
        r'sriov_numvfs\}\s*=\s*"(\d+)?',
        'ATTR{{device/sriov_numvfs}}="{count}"',
        _line,
    ),
    _Place("udev", "/etc/udev/rules.d", ".rules", rf"RUN.*?{ECHO}", "echo {count}", _line),
    _Place(
        "os-net-config",
        "/etc/udev/rules.d",
        ".rules",
        r"os-net-config-sriov(?:\s+-n\s+\S+?:(\d+))?",
        "numvfs: {count}",
        _line,
    ),
    _Place(
        "systemd-udevd",
        "/etc/systemd/network",
        ".link",
        r"^\s*SR-IOVVirtualFunctions\s*=\s*(\d+)?",
        "SR-IOVVirtualFunctions={count}",
        _file,
    ),
    _Place(
        "NetworkManager",
        "/etc/NetworkManager/system-connections",
        ".nmconnection",
        r"^\s*total-vfs\s*=\s*(\d+)?",
        "sriov.total-vfs {count}",
        _file,
    ),
    _Place(
        "os-net-config", "/etc/os-net-config", "sriov_config.yaml", r"\bnumvfs\W*\s(\d+)?", "numvfs: {count}", _block
    ),
    _Place("sysfsutils", "/etc", "sysfs.conf", r"sriov_numvfs\s*=\s*(\d+)?", "sriov_numvfs = {count}", _line),
    _Place("rc.local", "/etc", "rc.local", ECHO, "echo {count}", _line),
)


def find(facts: Facts) -> list[Owner]:
    """Every such line that may be read."""
    found = []
    for place in PLACES:
        for name in facts.files.names(place.directory):
            content = facts.content(f"{place.directory}/{name}") if name.endswith(place.ending) else None
            lines = (content or b"").decode("utf-8", "replace").splitlines()
            for index, line in enumerate(lines):
                setting = None if line.lstrip().startswith(("#", ";")) else re.search(place.setting, line)
                if setting:
                    count = whole(setting[1]) if setting[1] else None
                    path = f"{place.directory}/{name}"
                    found.append(
                        Owner(
                            place.program,
                            path,
                            index + 1,
                            line.strip()[:80],
                            count,
                            place.about(lines, index),
                            place.put,
                        )
                    )
    return found


def of(facts: Facts, function: PciFunction) -> list[Owner]:
    """Those that mean this function, by its address, MAC or interface; or that name no function here, and may mean any."""
    return [owner for owner in find(facts) if _means(owner, function) or not _names_any(facts, owner)]


def _names_any(facts: Facts, owner: Owner) -> bool:
    return any(_means(owner, function) for function in facts.pci.functions if not function.is_vf)


def _means(owner: Owner, function: PciFunction) -> bool:
    words = [
        function.address,
        *(word for device in function.netdevs for word in (device.name, device.own or device.mac) if word),
    ]
    found = "|".join(re.escape(word) for word in words)
    return re.search(rf"(?<![\w.])(?:{found})(?!\w|\.\d)", owner.about, re.IGNORECASE) is not None
