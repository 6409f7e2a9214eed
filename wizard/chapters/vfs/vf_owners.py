"""Who else sets VFs at boot on this node: netplan, udev, NetworkManager, ifupdown, sysfsutils, units and scripts of others.

A number has one owner. Where somebody else sets it, this tool sets nothing at boot: it leaves the card to them, if their number is the
one that is wanted, and else says what to put there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from wizard.chapters.vfs import vf_owner_patterns
from wizard.chapters.vfs.vf_owner_patterns import PLACES, SCRIPT, UNIT, Place
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.node.files import Files

OURS = "compute-wizard-"
MOST_FILES = 500  # of one directory; more are no configuration
LONGEST = 64 * 1024  # bytes of a script that is looked into; what is larger is a program
_FOUND: WeakKeyDictionary[Files, list[Owner]] = WeakKeyDictionary()  # asked for each card, many times a plan
_MENTIONS = re.compile(rb"vf|sriov|virtual", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Owner:
    """One line of somebody's configuration that sets VFs; `count` is None where its number cannot be read.

    `about` is the text that says which card is meant: the line, the block around it or the whole file. `put` is what such a line has to
    say for {count} VFs. Where it is not `certain`, the line belongs to a script that may as well only look.
    """

    program: str
    path: str
    line: int
    text: str
    count: int | None
    about: str
    put: str
    certain: bool = True

    def to_put(self, count: int) -> str:
        """What to write there for so many VFs."""
        return self.put.format(count=count)

    def __str__(self) -> str:
        return f"{self.path} line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to look into. `names` are words that its name, or that of the unit which runs it, says of the card."""

    place: Place
    path: str
    names: str = ""


def find(facts: Facts) -> list[Owner]:
    """Every such line that may be read, each once: a directory may be a link to another."""
    if facts.files not in _FOUND:
        _FOUND[facts.files] = _find(facts)
    return list(_FOUND[facts.files])


def _find(facts: Facts) -> list[Owner]:
    found: dict[tuple[str, int, str], Owner] = {}
    for source in (*_files(facts), *_of_units(facts)):
        for owner in _owners(facts, source):
            real = facts.files.destination(owner.path) or owner.path
            found.setdefault((real, owner.line, owner.about), owner)
    return list(found.values())


def of(facts: Facts, function: PciFunction) -> list[Owner]:
    """Those that mean this function, by its address, MAC or interface; or that name no function here, and may mean any."""
    return [owner for owner in _fitting(facts, function) if owner.certain]


def doubtful(facts: Facts, function: PciFunction) -> list[Owner]:
    """Those that may set the VFs of this function, and may as well only look at them."""
    return [owner for owner in _fitting(facts, function) if not owner.certain]


def _files(facts: Facts) -> Iterator[_Source]:
    for place in PLACES:
        for name in _names(facts, place.directory):
            if re.fullmatch(place.names, name):
                yield _Source(place, f"{place.directory}/{name}", name if name.startswith("ifcfg-") else "")


def _names(facts: Facts, directory: str) -> list[str]:
    return sorted(facts.files.names(directory))[:MOST_FILES]


def _owners(facts: Facts, source: _Source) -> list[Owner]:
    content = facts.content(source.path)
    if content is None or not _MENTIONS.search(content):
        return []
    return [
        Owner(
            program=source.place.program,
            path=source.path,
            line=said.line,
            text=said.text.strip()[:80],
            count=said.count,
            about=f"{said.about}\n{source.names}",
            put=source.place.put,
            certain=said.certain,
        )
        for said in vf_owner_patterns.said(source.place, content.decode("utf-8", "replace").splitlines())
    ]


def _of_units(facts: Facts) -> Iterator[_Source]:
    """Units of others that are started at boot, what is added to any unit, and the scripts that these run."""
    names = _names(facts, vf_owner_patterns.UNITS)
    started = {
        link
        for name in names
        if name.endswith((".wants", ".requires"))
        for link in _names(facts, f"{vf_owner_patterns.UNITS}/{name}")
    }
    sources: list[tuple[str, str, str]] = []  # unit, path, names of its instances
    for name in names:
        path = f"{vf_owner_patterns.UNITS}/{name}"
        if name.endswith(".service") and not name.startswith(OURS):
            stem, template, _ = name.removesuffix(".service").partition("@")
            instances = [each for each in started if template and each.startswith(f"{stem}@")]
            if instances or name in started or b"[Install]" not in (facts.content(path) or b"[Install]"):
                sources.append((name, path, " ".join(each.removesuffix(".service") for each in instances)))
        elif name.endswith(".service.d"):
            sources += [
                (name.removesuffix(".d"), f"{path}/{each}", "")
                for each in _names(facts, path)
                if each.endswith(".conf")
            ]
    for unit, path, instances_named in sources:
        yield _Source(replace(UNIT, program=unit), path, instances_named)
        for script in _scripts(facts.content(path) or b""):
            if facts.files.is_small(script, LONGEST):
                yield _Source(replace(SCRIPT, program=unit), script, instances_named)


def _scripts(unit: bytes) -> list[str]:
    """Files that a unit runs when it starts."""
    found: list[str] = []
    for line in unit.decode("utf-8", "replace").splitlines():
        if re.match(r"\s*ExecStart\w*\s*=", line):
            words = [word.strip("\"';-@:+!") for word in line.partition("=")[2].split()]
            found += [
                word for word in words if word.startswith("/") and not word.startswith(("/dev/", "/proc/", "/sys/"))
            ]
    return [path for path in dict.fromkeys(found) if OURS not in path][:20]


def _fitting(facts: Facts, function: PciFunction) -> list[Owner]:
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
