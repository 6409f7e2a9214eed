"""udev: rules that write sriov_numvfs, or run what does, for the devices of each card as they appear at boot."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from wizard.chapters.vfs.owners import scripts, shell
from wizard.chapters.vfs.owners.cards import is_number_file
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Owner, Verdict, all_of, any_of, of_bool
from wizard.chapters.vfs.owners.shell_expansion import Value
from wizard.chapters.vfs.owners.udev_rules import Key, Rule, fits, rules
from wizard.chapters.vfs.owners.view import View
from wizard.facts.pci.functions import PciFunction
from wizard.integers import parse_int

DIRECTORIES = ("/etc/udev/rules.d", "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
"""Not /run: it is gone at the next boot."""
_PROGRAMS = ("/usr/lib/udev", "/lib/udev")
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
_SUBSTITUTION = re.compile(
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


class _Event:
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


def read(view: View) -> Iterator[Owner]:
    for path in view.layered(DIRECTORIES, ".rules"):
        text = view.text(path)
        own = path.startswith(("/etc/", "/usr/local/"))
        if text is None or not (shell.mentions(text) or ("RUN" in text and own)) or "compute-wizard" in path:
            continue
        yield from _file(view, path, rules(text))


def _file(view: View, path: str, found: list[Rule]) -> Iterator[Owner]:
    owners: dict[tuple[str, int, int | None, str], Owner] = {}
    for function in view.cards.functions:
        for device in devices(view, function):
            for owner in _walk(view, device, path, found):
                key = (owner.path, owner.line, owner.count, owner.program)
                if key in owners:
                    aim = {address: verdict | owners[key].aim[address] for address, verdict in owner.aim.items()}
                    owners[key] = replace(owner, aim=aim)
                else:
                    owners[key] = owner
    yield from owners.values()


def _walk(view: View, device: Device, path: str, found: list[Rule]) -> Iterator[Owner]:
    event, here, until = _Event(view, device), YES, ""
    doubtful_until = ""
    for rule in found:
        labels = {key.value for key in rule.keys if key.name == "LABEL"}
        if until:
            if until not in labels:
                continue
            until = ""
        if doubtful_until in labels:
            here, doubtful_until = YES, ""
        verdict = event.rule(rule) & here
        if verdict is NO:
            continue
        event.assign(rule, verdict)
        yield from _assignments(view, event, path, rule, verdict)
        goto = next((key.value for key in rule.keys if key.name == "GOTO"), "")
        if goto and verdict is YES:
            until = goto
        elif goto:
            here, doubtful_until = UNKNOWN, goto


def _assignments(view: View, event: _Event, path: str, rule: Rule, verdict: Verdict) -> Iterator[Owner]:
    device = event.device
    for key in rule.keys:
        if key.matches:
            continue
        if key.name == "ATTR" and is_number_file(key.attribute):
            target = _written(event, key.attribute)
            if target is None:
                continue
            said = event.text(key.value)
            aim = view.cards.target(target.text, doubtful=not target.known)
            put = f'{key.name}{{{{{key.attribute}}}}}="{{count}}"'
            count = parse_int(said.text) if said.known else None
            certain = {address: each & verdict for address, each in aim.items()}
            yield Owner("udev", path, rule.line, rule.text[:80], count, certain, put)
        elif key.name == "RUN" and key.attribute in ("", "program", "fail_event_on_error"):
            for write in shell.command(view, _argv(view, event, key.value), path, rule.line):
                for owner in scripts.owners(view, scripts.Source("udev", path), [write]):
                    aim = {address: each & verdict for address, each in owner.aim.items()}
                    text = rule.text[:80] if owner.path == path else owner.text
                    yield replace(owner, aim=aim, text=text)


def _written(event: _Event, attribute: str) -> Value | None:
    """The file that an assignment writes; None where the device has none of that name."""
    device = event.device
    if attribute.startswith("["):
        kind, _, rest = attribute[1:].partition("/")
        name, _, tail = rest.partition("]")
        named = event.text(name)
        place = f"/sys/bus/pci/devices/{named.text}" if kind == "pci" else f"/sys/class/{kind}/{named.text}"
        return Value(f"{place}/{tail.lstrip('/')}", named.known)
    inner = attribute.startswith("device/")
    if inner == (device.subsystem == "pci") or attribute.count("/") > 1:
        return None
    return Value(f"/sys/bus/pci/devices/{device.function.address}/{posixpath.basename(attribute)}")


def _argv(view: View, event: _Event, command: str) -> list[Value]:
    """The words of a program as udev cuts them, before it puts values into them; a bare name is one of its own directory."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    found = [event.text(word) for word in words]
    if found and "/" not in found[0].text:
        place = next((each for each in _PROGRAMS if view.exists(f"{each}/{found[0].text}")), _PROGRAMS[0])
        found[0] = Value(f"{place}/{found[0].text}")
    return found
