"""Where programs are told to set VFs at boot, and which text there says the number and the card."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wizard.integers import parse_int

About = Callable[[list[str], int], str]


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says: `count` is None where it is no plain number, `about` says which card is meant. `certain` is False where
    the file only might be written."""

    line: int
    text: str
    count: int | None
    about: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Files of a directory, by a pattern of their names, in which a program is told to set VFs.

    `setting` is found in such a line, with the number as its first group, if it is plain; None where the lines are commands of a shell,
    of those that `commands` matches. `put` is what such a line has to say for {count} VFs.
    """

    program: str
    directory: str
    names: str
    setting: str | None
    put: str
    about: About
    commands: str = r"."


def line_of(lines: list[str], index: int) -> str:
    return lines[index]


def whole_file(lines: list[str], index: int) -> str:
    return "\n".join(lines)


def block(lines: list[str], index: int) -> str:
    """The block of a YAML file in which a line stands, with the line above it that is less indented: the name of the interface."""

    def depth(at: int) -> int:
        text = lines[at]
        return len(text) - len(text.lstrip(" ")) if text.strip() else 1000

    above = (at for at in range(index - 1, -1, -1) if depth(at) < depth(index))
    first = index if lines[index].lstrip().startswith("-") else next(above, 0)
    below = (at for at in range(max(first, index) + 1, len(lines)) if depth(at) <= depth(first))
    return "\n".join(lines[first : next(below, len(lines))])


def section(lines: list[str], index: int) -> str:
    """The section of an INI file in which a line stands."""
    heads = [at for at, line in enumerate(lines) if line.lstrip().startswith("[")]
    first = max((at for at in heads if at <= index), default=0)
    return "\n".join(lines[first : next((at for at in heads if at > index), len(lines))])


def stanza(lines: list[str], index: int) -> str:
    """A line of /etc/network/interfaces with the head of its stanza, which names the interface."""
    heads = (at for at in range(index, -1, -1) if lines[at].split()[:1] == ["iface"])
    return f"{lines[next(heads, index)]}\n{lines[index]}"


_SHELL = None
PLACES = (
    Place(
        "netplan",
        "/etc/netplan",
        r".*\.yaml",
        r"virtual-function-count\W*\s(\d+)?",
        "virtual-function-count: {count}",
        block,
    ),
    Place(
        "sriov-netplan-shim",
        "/etc/sriov-netplan-shim",
        r"interfaces\.yaml",
        r"\bnum_vfs\W*\s(\d+)?",
        "num_vfs: {count}",
        block,
    ),
    Place(
        "udev",
        "/etc/udev/rules.d",
        r".*\.rules",
        r'sriov_numvfs\}\s*=\s*"(\d+)?',
        'ATTR{{device/sriov_numvfs}}="{count}"',
        line_of,
    ),
    Place(
        "udev",
        "/etc/udev/rules.d",
        r".*\.rules",
        r"RUN.*?(?:\becho\s+(\d+)\s*>.*)?sriov_numvfs",
        "echo {count}",
        line_of,
    ),
    Place(
        "os-net-config",
        "/etc/udev/rules.d",
        r".*\.rules",
        r"os-net-config-sriov(?:\s+-n\s+\S+?:(\d+))?",
        "numvfs: {count}",
        line_of,
    ),
    Place(
        "os-net-config",
        "/etc/os-net-config",
        r"sriov_config\.yaml",
        r"\bnumvfs\W*\s(\d+)?",
        "numvfs: {count}",
        block,
    ),
    Place(
        "systemd-udevd",
        "/etc/systemd/network",
        r".*\.link",
        r"^\s*SR-IOVVirtualFunctions\s*=\s*(\d+)?",
        "SR-IOVVirtualFunctions={count}",
        whole_file,
    ),
    Place(
        "systemd-tmpfiles",
        "/etc/tmpfiles.d",
        r".*\.conf",
        r"^\s*w\S*\s+\S*sriov_numvfs\b(?:\s+\S+){4}\s+\"?(\d+)?",
        "{count} as the argument",
        line_of,
    ),
    Place(
        "NetworkManager",
        "/etc/NetworkManager/system-connections",
        r".*[^~]",
        r"^\s*total-vfs\s*=\s*(\d+)?",
        "sriov.total-vfs {count}",
        whole_file,
    ),
    Place(
        "NetworkManager",
        "/etc/sysconfig/network-scripts",
        r"ifcfg-.*",
        r"^\s*SRIOV_TOTAL_VFS\s*=\s*[\"']?(\d+)?",
        "SRIOV_TOTAL_VFS={count}",
        whole_file,
    ),
    *(
        Place("NetworkManager", directory, names, r"^\s*sriov-num-vfs\s*=\s*(\d+)?", "sriov-num-vfs={count}", section)
        for directory, names in (
            ("/etc/NetworkManager", r"NetworkManager\.conf"),
            ("/etc/NetworkManager/conf.d", r".*\.conf"),
        )
    ),
    *(
        Place("sysfsutils", directory, names, r"sriov_numvfs\s*=\s*(\d+)?", "sriov_numvfs = {count}", line_of)
        for directory, names in (("/etc", r"sysfs\.conf"), ("/etc/sysfs.d", r".*\.conf"))
    ),
    *(
        Place("ifupdown", directory, names, _SHELL, "echo {count}", stanza, r"\s*(?:pre-up|up|post-up)\s")
        for directory, names in (("/etc/network", "interfaces"), ("/etc/network/interfaces.d", r".*[^~]"))
    ),
    *(
        Place(program, directory, names, _SHELL, "echo {count}", whole_file)
        for program, directory, names in (
            ("ifupdown", "/etc/network/if-pre-up.d", r".*"),
            ("ifupdown", "/etc/network/if-up.d", r".*"),
            ("NetworkManager", "/etc/NetworkManager/dispatcher.d", r".*"),
            ("upstart", "/etc/init", r".*\.conf"),
        )
    ),
    *(
        Place(program, directory, names, _SHELL, "echo {count}", line_of)
        for program, directory, names in (
            ("rc.local", "/etc", r"rc\.local"),
            ("rc.local", "/etc/rc.d", r"rc\.local"),
            ("cron", "/etc", "crontab"),
            ("cron", "/etc/cron.d", r".*"),
        )
    ),
)
UNITS = "/etc/systemd/system"
UNIT = Place("systemd", UNITS, r".*\.service", _SHELL, "echo {count}", whole_file, r"\s*ExecStart\w*\s*=.*")
SCRIPT = Place("a script", "", "", _SHELL, "echo {count}", whole_file)

_NUMBER = r"(?:echo|printf)\s+(?:-\w+\s+)*[\"']?(\d+)?"
_TARGET = r"(?:>|\|\s*(?:sudo\s+)?tee\b)[^;&|]*?([^\s\"'>]*sriov_numvfs)"
_WRITES = re.compile(rf"\b{_NUMBER}[^;&]*?{_TARGET}")
_READS = re.compile(r"(?:\bcat\s+|<\s*)[\"']?[^\s\"')]*sriov_numvfs")


def said(place: Place, lines: list[str]) -> Iterator[Said]:
    """All that a file says about VFs."""
    if place.setting is None:
        yield from _by_shell(place, lines)
        return
    for index, line in enumerate(lines):
        setting = None if _comment(line) else re.search(place.setting, line)
        if setting:
            yield Said(index + 1, line, _number(setting[1]), place.about(lines, index))


def _by_shell(place: Place, lines: list[str]) -> Iterator[Said]:
    """Numbers that are written; where none is, lines that have to do with sriov_numvfs and do more than read it.

    A 0 that is written on the way to another number is none of its own.
    """
    lines = _joined(lines)
    written: list[tuple[int, str, int | None, str]] = []
    mentions: list[int] = []
    for index, line in enumerate(lines):
        if "sriov_numvfs" not in line or _comment(line) or not re.match(place.commands, line):
            continue
        text = _READS.sub("", line)
        writes = list(_WRITES.finditer(text))
        written += [(index, each[2], _number(each[1]), each[0]) for each in writes]
        if not writes and "sriov_numvfs" in text:
            mentions.append(index)
    for number, (index, target, count, text) in enumerate(written):
        if count == 0 and any(later[1] == target for later in written[number + 1 :]):
            continue
        yield Said(index + 1, lines[index], count, _context(place, lines, index, text, target))
    if not written:
        for index in mentions:
            yield Said(index + 1, lines[index], None, place.about(lines, index), certain=place.directory != "")


def _context(place: Place, lines: list[str], index: int, text: str, target: str) -> str:
    """The command itself says which card is meant, unless it leaves that to a variable."""
    return place.about(lines, index) if re.search(r"[$%*?]", target) else text


def _comment(line: str) -> bool:
    return line.lstrip().startswith(("#", ";"))


def _number(text: str | None) -> int | None:
    return parse_int(text) if text else None


def _joined(lines: list[str]) -> list[str]:
    """Lines that go on in the next one, joined into the first; the others are empty, so that each keeps its number."""
    result, first = list(lines), -1
    for index, line in enumerate(lines):
        goes_on = index > 0 and first >= 0 and lines[index - 1].endswith("\\")
        if goes_on:
            result[first] = result[first].removesuffix("\\") + " " + line.strip()
            result[index] = ""
        else:
            first = index
    return result
