"""Which physical function is meant by a name, an address, a MAC, a driver or a path below /sys: of each, yes, no or unknown."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable

from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Aim, Verdict, any_of, of_bool
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.regex import regex

NUMBER_FILES = ("sriov_numvfs", "mlx5_num_vfs")  # the second is what MLNX_OFED also calls it
_ADDRESS = regex(r"(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_WILD = regex(r"[*?\[]")


class Cards:
    """The physical functions of a node, and who is called what."""

    def __init__(self, facts: Facts) -> None:
        self.functions = [function for function in facts.pci.functions if not function.is_vf]
        own = {device.name for function in self.functions for device in function.netdevs}
        of_vfs = {device.name for function in facts.pci.functions if function.is_vf for device in function.netdevs}
        self._others = ({link.name for link in facts.network.links} | of_vfs) - own
        self._own = own

    def aim(self, of: Callable[[PciFunction], Verdict]) -> Aim:
        return {function.address: of(function) for function in self.functions}

    def every(self, verdict: Verdict) -> Aim:
        return self.aim(lambda _: verdict)

    def only(self, address: str) -> Aim:
        return self.aim(lambda function: of_bool(function.address == address))

    def named(self, function: PciFunction, name: str) -> Verdict:
        """By the name of an interface, which may be a pattern. A name that nobody has here may be anybody's after the boot."""
        names = [device.name for device in function.netdevs]
        if not _WILD.search(name):
            if name in names:
                return YES
            return NO if name in self._own or name in self._others or not function.is_network else UNKNOWN
        if any(fnmatch.fnmatchcase(each, name) for each in names):
            return YES
        return NO if names or not function.is_network else UNKNOWN

    def interface(self, name: str) -> Aim:
        return self.aim(lambda function: self.named(function, name))

    def target(self, path: str, doubtful: bool = False) -> Aim:
        """By a path below /sys in which a function, an interface or an RDMA device is named; `doubtful`: parts of it are not known."""
        parts = [part for part in path.replace('"', "").split("/") if part]
        parents = parts[:-1]
        found = self.every(UNKNOWN)
        for index, part in enumerate(parents):
            above = parents[index - 1] if index else ""
            if _ADDRESS.fullmatch(part) or (above == "devices" and "pci" in parents[:index]):
                found = self.aim(lambda function, word=part: addressed(function, word))  # type: ignore[misc]
            elif above == "net":
                found = self.interface(part)
            elif above in ("infiniband", "infiniband_verbs"):
                found = self.aim(lambda function, word=part: rdma(function, word))  # type: ignore[misc]
        if doubtful:  # what is not known may stand for the rest of a name: what matches is possible, and no more
            return {address: UNKNOWN if verdict is YES else verdict for address, verdict in found.items()}
        return found


def addressed(function: PciFunction, word: str) -> Verdict:
    """By an address, which may be a pattern, and may lack its domain as in lspci."""
    text = word.lower().removeprefix("pci-")
    if re.fullmatch(r"[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", text):
        text = f"0000:{text}"
    return of_bool(fnmatch.fnmatchcase(function.address, text))


def rdma(function: PciFunction, name: str) -> Verdict:
    names = [device.name for device in function.rdma]
    if any(fnmatch.fnmatchcase(each, name) for each in names):
        return YES
    return NO if names else UNKNOWN


def by_mac(function: PciFunction, mac: str, everybody: Iterable[PciFunction] = ()) -> Verdict:
    """By the address that its interfaces came with; where that is not known, by the one that they have."""
    wanted = mac.strip().strip("'\"").lower().replace("-", ":")
    own = [device.own or device.mac for device in function.netdevs]
    if wanted in own:
        return YES
    others = (device.own or device.mac for each in everybody if each is not function for device in each.netdevs)
    if wanted in others or (own and all(device.own for device in function.netdevs)):
        return NO
    return UNKNOWN if function.is_network else NO


def by_driver(function: PciFunction, patterns: Iterable[str]) -> Verdict:
    if function.driver is None:
        return UNKNOWN
    driver = function.driver
    return any_of(of_bool(fnmatch.fnmatchcase(driver, pattern)) for pattern in patterns)


def is_number_file(path: str) -> bool:
    return path.strip("\"'").rsplit("/", 1)[-1] in NUMBER_FILES
