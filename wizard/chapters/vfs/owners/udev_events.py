"""The devices of a card as the kernel tells udev of them at boot, on their way through the rules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import field

from wizard.chapters.vfs.owners.cards import is_number_file
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Verdict, all_of, any_of, of_bool
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.udev_rules import Key, Rule, fits
from wizard.chapters.vfs.owners.view import View
from wizard.dataclass import dataclass
from wizard.facts.pci.functions import PciFunction
from wizard.regex import regex

_FIXED = (
    "vendor",
    "device",
    "class",
    "subsystem_vendor",
    "subsystem_device",
    "revision",
    "address",
    "dev_port",
    "dev_id",
    "type",
)
_FIXED_MORE = (
    "sriov_totalvfs",
    "sriov_vf_device",
    "numa_node",
    "phys_port_name",
    "phys_switch_id",
    "addr_assign_type",
    "modalias",
)
_SUBSTITUTION = regex(
    r"\$(?:(attr|env)\{([^}]*)\}|(kernel|number|devpath|id|driver|name|sys|parent|result|major|minor|tempnode))"
    r"|%(?:([sE])\{([^}]*)\}|([knpbcdPrSMmN%]))"
)
_LONG = {
    "kernel": "k",
    "number": "n",
    "devpath": "p",
    "id": "b",
    "driver": "d",
    "name": "D",
    "sys": "S",
    "parent": "P",
    "result": "c",
}


@dataclass(frozen=True)
class Device:
    """One of the devices that the kernel tells udev of for a card: the function itself, an interface of it, an RDMA device."""

    function: PciFunction
    subsystem: str
    kernel: str
    path: str  # below /sys, without links
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def driver(self) -> str:
        return (self.function.driver or "") if self.subsystem == "pci" else ""

    def parents(self) -> list[tuple[str, str]]:
        """Itself and what it hangs on, nearest first: path and name."""
        path, found = self.path, []
        while path.count("/") > 2:
            found.append((path, posixpath.basename(path)))
            path = posixpath.dirname(path)
        return [each for each in found if each[1] not in ("net", "infiniband")]


def devices(view: View, function: PciFunction) -> Iterator[Device]:
    path = (
        view.facts.files.destination(f"/sys/bus/pci/devices/{function.address}") or f"/sys/devices/{function.address}"
    )
    pci_id = f"{function.vendor}:{function.device}".upper()
    kernel = {"PCI_ID": pci_id, "PCI_SLOT_NAME": function.address, "PCI_CLASS": function.class_code.lstrip("0").upper()}
    if function.driver:
        kernel["DRIVER"] = function.driver
    known = {
        "ID_PATH": f"pci-{function.address}",
        "ID_VENDOR_ID": f"0x{function.vendor}",
        "ID_MODEL_ID": f"0x{function.device}",
    }
    yield Device(function, "pci", function.address, path, {**kernel, "SUBSYSTEM": "pci"})
    for net in function.netdevs:
        own = {"INTERFACE": net.name, "ID_BUS": "pci", "SUBSYSTEM": "net", "ID_NET_DRIVER": function.driver or ""}
        yield Device(function, "net", net.name, f"{path}/net/{net.name}", {**known, **own})
    for rdma in function.rdma:
        yield Device(
            function,
            "infiniband",
            rdma.name,
            f"{path}/infiniband/{rdma.name}",
            {"SUBSYSTEM": "infiniband", "NAME": rdma.name},
        )


class Event:
    """One device on its way through the rules of one file."""

    def __init__(self, view: View, device: Device) -> None:
        self.view = view
        self.device = device
        self.variables: dict[str, str | None] = dict(device.variables)  # None: set to what is not known

    def rule(self, rule: Rule) -> Verdict:
        if not rule.whole:
            return UNKNOWN
        own = [
            key
            for key in rule.keys
            if key.matches and key.name not in ("KERNELS", "SUBSYSTEMS", "DRIVERS", "ATTRS", "TAGS")
        ]
        upward = [key for key in rule.keys if key.matches and key not in own]
        verdict = all_of(self._own(key) for key in own)
        if upward and verdict is not NO:
            verdict = verdict & any_of(
                all_of(self._upward(key, path, name) for key in upward) for path, name in self.device.parents()
            )
        return verdict

    def _own(self, key: Key) -> Verdict:
        device = self.device
        if key.name == "ACTION":
            return self._action(key)
        if key.name == "SUBSYSTEM":
            return self._known(key, device.subsystem)
        if key.name == "DRIVER":
            return self._known(key, device.driver)
        if key.name == "DEVPATH":
            return self._known(key, device.path.removeprefix("/sys"))
        if key.name == "KERNEL" or (key.name == "NAME" and device.subsystem == "net"):
            return self._kernel(key)
        if key.name == "ENV":
            return self._variable(key)
        if key.name == "ATTR":
            return self._attribute(key, device.path)
        if key.name == "TEST":
            path = key.value if key.value.startswith("/") else f"{device.path}/{key.value}"
            there = is_number_file(path) or self.view.exists(self._real(path))
            return (YES if key.operator == "==" else NO) if there else UNKNOWN
        return UNKNOWN

    def _action(self, key: Key) -> Verdict:
        """At boot devices are added; a driver that is bound says so of its function alone."""
        added = self._known(key, "add")
        if added is YES or self.device.subsystem != "pci":
            return added | (UNKNOWN if self._known(key, "move") is YES and self.device.subsystem == "net" else NO)
        return self._known(key, "bind")

    def _kernel(self, key: Key) -> Verdict:
        """An interface is eth0 to the kernel before udev names it, and has its name already where the initramfs named it."""
        named = self._known(key, self.device.kernel)
        if self.device.subsystem != "net":
            return named
        first = any(self._known(key, f"{kind}{number}") is YES for kind in ("eth", "ib") for number in range(4))
        if named is YES:
            return YES if key.operator == "==" or first else UNKNOWN
        if first:
            return UNKNOWN
        if key.operator == "==" and not re.search(r"[*?\[|:]", key.value):
            return self.view.cards.named(self.device.function, key.value)
        return NO

    def _variable(self, key: Key) -> Verdict:
        if key.attribute in self.variables:
            value = self.variables[key.attribute]
            return UNKNOWN if value is None else self._known(key, value)
        if key.attribute in ("DEVTYPE", "ID_NET_NAME_ALLOW") and self.device.subsystem == "pci":
            return self._known(key, "")
        if key.attribute.startswith("ID_NET_NAME") and self.device.subsystem == "net":
            return YES if self._known(key, self.device.kernel) is YES and key.operator == "==" else UNKNOWN
        return UNKNOWN

    def _real(self, path: str) -> str:
        """An attribute of the function behind an interface: `device` is a link to it."""
        for kind in ("net", "infiniband"):
            head = f"/{kind}/{self.device.kernel}/device/"
            if head in path:
                return path.replace(head, "/", 1)
        return path

    def _attribute(self, key: Key, path: str) -> Verdict:
        place = self._real(f"{path}/{key.attribute}")
        name = posixpath.basename(place)
        if name == "address" and path == self.device.path:
            own = {net.own or net.mac for net in self.device.function.netdevs if net.name == self.device.kernel}
            return any_of(self._known(key, each) for each in own) if own else NO
        if is_number_file(place):
            on_function = posixpath.basename(posixpath.dirname(place)) == self.device.function.address
            return self._known(key, "0") if on_function else NO  # no VFs are there when a node boots
        content = self.view.facts.content(place)
        if content is None:
            return NO if key.operator == "==" and self._foreign(place) else UNKNOWN
        fitting = self._known(key, content.decode("utf-8", "replace").rstrip())
        return fitting if name in _FIXED or name in _FIXED_MORE else UNKNOWN

    def _foreign(self, place: str) -> bool:
        """Whether the lack of an attribute says something: vendor and device are a function's, an address is an interface's."""
        name = posixpath.basename(place)
        if name in ("vendor", "device", "class", "subsystem_vendor", "subsystem_device"):
            return True
        return name in ("address", "dev_port", "dev_id", "type") and self.device.subsystem == "pci"

    def _upward(self, key: Key, path: str, name: str) -> Verdict:
        function = self.device.function
        is_function, is_self = name == function.address, path == self.device.path
        if key.name == "KERNELS":
            return self._kernel(key) if is_self and self.device.subsystem == "net" else self._known(key, name)
        if key.name == "SUBSYSTEMS":
            return self._known(
                key, self.device.subsystem if is_self else "pci" if re.match(r"[0-9a-f]{4}:", name) else ""
            )
        if key.name == "DRIVERS":
            if is_function:
                return self._known(key, function.driver or "")
            return self._known(key, "" if is_self else "pcieport")
        if key.name == "ATTRS":
            if not (is_function or is_self):
                return (
                    self._attribute(key, path) if self.view.facts.content(f"{path}/{key.attribute}") is not None else NO
                )
            return self._attribute(key, path)
        return UNKNOWN

    @staticmethod
    def _known(key: Key, value: str) -> Verdict:
        return of_bool(fits(key, value) == (key.operator == "=="))

    def assign(self, rule: Rule, verdict: Verdict) -> None:
        for key in rule.keys:
            if key.name == "ENV" and not key.matches:
                value = self.text(key.value) if verdict is YES and key.operator != "+=" else Value("", False)
                self.variables[key.attribute] = value.text if value.known else None
            elif key.name in ("IMPORT", "PROGRAM"):
                self.variables = dict(self.variables)

    def text(self, template: str) -> Value:
        """With udev's substitutions made; what is not known has * in its place."""
        known = True

        def one(match: re.Match[str]) -> str:
            nonlocal known
            kind, name = match[1] or match[4], match[2] or match[5]
            letter = _LONG.get(match[3] or "", match[6] or "")
            value: str | None = None
            if kind in ("env", "E"):
                value = self.variables.get(name or "")
            elif kind in ("attr", "s"):
                place = self._real(f"{self.device.path}/{name}")
                content = b"0" if is_number_file(place) else self.view.facts.content(place)
                value = content.decode("utf-8", "replace").strip() if content is not None else None
            elif letter in ("k", "D"):
                value = self.device.kernel
            elif letter == "p":
                value = self.device.path.removeprefix("/sys")
            elif letter == "S":
                value = "/sys"
            elif letter == "b":
                value = self.device.function.address
            elif letter == "d":
                value = self.device.function.driver
            elif letter == "n":
                value = (re.search(r"\d*$", self.device.kernel) or [""])[0]
            elif letter == "%":
                value = "%"
            known = known and value is not None
            return value if value is not None else "*"

        result = _SUBSTITUTION.sub(one, template.replace("$$", "\0"))
        return Value(result.replace("\0", "$"), known)
