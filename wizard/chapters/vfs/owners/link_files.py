"""systemd.link(5): the first .link file that matches an interface is the only one that counts for it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from wizard.chapters.vfs.owners import ini
from wizard.chapters.vfs.owners.cards import addressed, by_driver, by_mac
from wizard.chapters.vfs.owners.model import NO, RUNS, UNKNOWN, YES, Owner, Runs, Verdict, all_of, any_of, of_bool
from wizard.chapters.vfs.owners.view import View
from wizard.facts.pci.functions import PciFunction
from wizard.integers import parse_int

DIRECTORIES = (
    "/etc/systemd/network",
    "/usr/local/lib/systemd/network",
    "/usr/lib/systemd/network",
    "/lib/systemd/network",
)
_BEFORE_251 = {"ubuntu": 22.10, "debian": 12.0, "rhel": 9.1, "rocky": 9.1, "almalinux": 9.1, "centos": 9.0}
"""Releases from which on systemd is 251 or newer, which makes VFs; 22.04 and RHEL 9.0 have 249 and 250."""
_NAME = "SR-IOVVirtualFunctions"


def read(view: View) -> Iterator[Owner]:
    runs = _release(view)
    left = {function.address: YES for function in view.cards.functions}  # whether no file before took it
    for path in view.layered(DIRECTORIES, ".link"):
        texts = [view.text(path) or "", *(view.text(each) or "" for each in _drop_ins(view, path))]
        found = [section for text in texts for section in ini.sections(text)]
        matched = view.cards.aim(lambda function, found=found: _matches(view, function, found))  # type: ignore[misc]
        aim = {address: verdict & left[address] for address, verdict in matched.items()}
        left = {address: left[address] & ~verdict for address, verdict in matched.items()}
        number = _number(found)
        if number is None or all(verdict is NO for verdict in aim.values()):
            continue
        count, line, text = number
        yield Owner("systemd-udevd", path, line, text, count, aim, f"{_NAME}={{count}}", runs=runs)


def _drop_ins(view: View, path: str) -> list[str]:
    name = path.rsplit("/", 1)[1]
    return view.layered([f"{directory}/{name}.d" for directory in DIRECTORIES], ".conf")


def _number(found: list[ini.Section]) -> tuple[int | None, int, str] | None:
    """SR-IOVVirtualFunctions=, else the highest VirtualFunction= of the [SR-IOV] sections and one: the number, its line and text."""
    said = [
        entry
        for section in found
        if section.name == "Link"
        for entry in section.entries
        if entry[0] == _NAME and entry[1]
    ]
    if said:
        return parse_int(said[-1][1]), said[-1][2], f"{_NAME}={said[-1][1]}"
    given = [
        entry
        for section in found
        if section.name == "SR-IOV"
        for entry in section.entries
        if entry[0] == "VirtualFunction"
    ]
    numbers = [(parse_int(value), line, value) for _, value, line in given]
    known = [(number, line, value) for number, line, value in numbers if number is not None]
    if not known:
        return None
    number, line, value = max(known)
    return (number or 0) + 1, line, f"VirtualFunction={value}"


def _matches(view: View, function: PciFunction, found: list[ini.Section]) -> Verdict:
    entries = [entry for section in found if section.name == "Match" for entry in section.entries if entry[1]]
    if not entries:
        return NO  # a file without a match is passed over (link-config.c)
    verdicts = []
    for key in dict.fromkeys(entry[0] for entry in entries):
        values = [word for name, value, _ in entries if name == key for word in _words(value)]
        verdicts.append(_one(view, function, key, values))
    return all_of(verdicts)


def _words(value: str) -> list[str]:
    return [word.strip("\"'") for word in value.split()]


def _one(view: View, function: PciFunction, key: str, values: list[str]) -> Verdict:
    inverted = bool(values) and values[0].startswith("!")
    words = [value.removeprefix("!") for value in values] if inverted else values
    if key in ("MACAddress", "PermanentMACAddress"):
        verdict = any_of(by_mac(function, each, view.cards.functions) for each in words)
    elif key == "Path":
        verdict = any_of(_path(function, each) for each in words)
    elif key == "Driver":
        verdict = by_driver(function, words)
    elif key == "OriginalName":
        verdict = any_of(_original(view, function, each) for each in words)
    elif key == "Type":
        kind = "infiniband" if function.is_infiniband else "ether"
        verdict = any_of(of_bool(fnmatch.fnmatchcase(kind, each)) for each in words)
    elif key == "Kind":
        verdict = NO  # of what the kernel makes itself: vlan, bridge
    elif key == "Host":
        verdict = any_of(of_bool(fnmatch.fnmatchcase(view.facts.system.hostname, each)) for each in words)
    elif key == "Property":
        verdict = all_of(_property(function, each) for each in words)
    else:
        return UNKNOWN
    return ~verdict if inverted else verdict


def _path(function: PciFunction, pattern: str) -> Verdict:
    """ID_PATH is pci-ADDRESS, with -port-1 and the like after it for a second port of one function."""
    if fnmatch.fnmatchcase(f"pci-{function.address}", pattern):
        return YES
    return of_bool(bool(re.match(r"pci-", pattern)) and addressed(function, pattern.partition("-port-")[0]) is YES)


def _original(view: View, function: PciFunction, pattern: str) -> Verdict:
    """The name that the kernel gave: eth0, where no initramfs named it before."""
    if pattern == "*":
        return YES
    named = view.cards.named(function, pattern)
    if named is NO and any(fnmatch.fnmatchcase(f"eth{number}", pattern) for number in range(4)):
        return UNKNOWN
    return named


def _property(function: PciFunction, word: str) -> Verdict:
    key, _, value = word.partition("=")
    known = {
        "ID_NET_DRIVER": function.driver,
        "ID_VENDOR_ID": f"0x{function.vendor}",
        "ID_MODEL_ID": f"0x{function.device}",
        "ID_PATH": f"pci-{function.address}",
        "ID_BUS": "pci",
    }.get(key)
    return UNKNOWN if known is None else of_bool(fnmatch.fnmatchcase(known, value))


def _release(view: View) -> Runs:
    system = view.facts.system
    first = _BEFORE_251.get(system.os_id)
    number = re.match(r"\d+(\.\d+)?", system.os_version)
    if first is not None and number is not None and float(number[0]) < first:
        return Runs(NO, f"systemd of {system.label} is older than 251, and makes no VFs")
    return RUNS
