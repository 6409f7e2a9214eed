"""The directory of one PCI function in sysfs, read with care: any file may be missing, garbled, or for root only."""

from __future__ import annotations

import posixpath
import re
from dataclasses import field

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts.pci.addresses import PCI_ADDRESS
from wizard.facts.pci.ids import CARDS, MELLANOX
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

_DECIMAL = regex(r"-?[0-9]{1,9}")
_HEXADECIMAL = regex(r"(?:0x)?([0-9a-f]{1,8})", re.IGNORECASE)


@dataclass(slots=True)
class Place:
    """What a function says of itself. `path` holds no links any more; `names` are the files that are there, so that
    those that are not need no look. `unseen` collects what could not be understood."""

    node: Node
    address: str
    path: str
    names: frozenset[str]
    vendor: str = ""
    device: str = ""
    class_code: str = ""
    unseen: list[Unseen] = field(default_factory=list)

    @classmethod
    def open(cls, node: Node, address: str, path: str) -> Place | None:
        """The place of a function, or None where it does not say what it is."""
        place = cls(node, address, path, frozenset(_names(node, path)))
        place.vendor = place.hexadecimal("vendor", 4) or ""
        place.device = place.hexadecimal("device", 4) or ""
        place.class_code = place.hexadecimal("class", 6) or ""
        return place if place.vendor and place.device and place.class_code else None

    @property
    def ids(self) -> tuple[str, str]:
        return self.vendor, self.device

    @property
    def slot(self) -> str:
        """The address without the function: what the functions of one card have in common."""
        return self.address.partition(".")[0]

    @property
    def is_vf(self) -> bool:
        return "physfn" in self.names

    @property
    def is_network(self) -> bool:
        return self.class_code.startswith("02")

    @property
    def is_card(self) -> bool:
        """Whether it is a Mellanox PF that can have VFs, by its id."""
        return self.vendor == MELLANOX and self.device in CARDS

    def text(self, name: str) -> str | None:
        """The stripped text of a file, or None where it is not there or cannot be read."""
        return self.node.text_at(self.path, name) if name in self.names else None

    def number(self, name: str) -> int | None:
        """A decimal number, or None; one that is garbled is noted."""
        text = self.text(name)
        if text is not None and _DECIMAL.fullmatch(text):
            return int(text)
        self._note(name, text, "a number")
        return None

    def hexadecimal(self, name: str, digits: int) -> str | None:
        """A hexadecimal number, with 0x or without, as so many lower-case digits, or None; one that is garbled is noted."""
        text = self.text(name)
        match = _HEXADECIMAL.fullmatch(text or "")
        if match and len(match[1].lstrip("0")) <= digits:
            return match[1].lower().lstrip("0").zfill(digits)
        self._note(name, text, f"{digits} hexadecimal digits")
        return None

    def link_name(self, name: str) -> str | None:
        """The last component of a link's target, or None where there is no link."""
        target = self.node.link_at(self.path, name) if name in self.names else None
        return posixpath.basename(target) if target else None

    def function_behind(self, name: str) -> str | None:
        """The address of the function to which a link leads, or None; one that leads elsewhere is noted."""
        target = self.link_name(name)
        if target and PCI_ADDRESS.fullmatch(target):
            return target
        self._note(name, target, "a PCI function")
        return None

    def content(self, name: str) -> bytes:
        """The bytes of a file. Raises NodeError."""
        return self.node.read_at(self.path, name)

    def size(self, name: str) -> int:
        """What the kernel says that a file could hold, in bytes; 0 where it does not say."""
        try:
            status = self.node.status(f"{self.path}/{name}")
        except NodeError:
            return 0
        return status.size if status is not None else 0

    def children(self, *name: str) -> list[str]:
        """The names in a directory of the function; empty where there is none."""
        return _names(self.node, self.inside(*name))

    def inside(self, *names: str) -> str:
        """The path of a directory below this one, links resolved; empty where it leads nowhere."""
        path = self.path
        try:
            for name in names:
                path = self.node.resolve_at(path, name)
        except NodeError:
            return ""
        return path

    def _note(self, name: str, text: str | None, wanted: str) -> None:
        if name in self.names:
            why = "cannot be read" if text is None else f"holds {text[:40]!r}, not {wanted}"
            self.unseen.append(Unseen(f"{name} of {self.address}", why))


def _names(node: Node, path: str) -> list[str]:
    """The sorted names in a directory whose path holds no link; empty where there is none, or it may not be listed."""
    try:
        return node.names_at(path) if path else []
    except NodeError:
        return []


class Links:
    """Where the links of a directory lead, each directory on the way resolved once: a bus has a thousand links into a few."""

    def __init__(self, node: Node, directory: str) -> None:
        self._node, self._directory = node, best_effort.resolved(node, directory)
        self._parents: dict[str, str] = {}

    def leads(self, name: str) -> str:
        """The path to which a name in the directory leads, without links; empty where it leads nowhere."""
        target = self._node.link_at(self._directory, name)
        parent, last = posixpath.split(target or "")
        if last in ("", ".", ".."):
            return best_effort.resolved(self._node, f"{self._directory}/{name}")
        if parent not in self._parents:
            self._parents[parent] = best_effort.resolved(self._node, posixpath.join(self._directory, parent))
        try:
            return self._node.resolve_at(self._parents[parent], last) if self._parents[parent] else ""
        except NodeError:
            return ""
