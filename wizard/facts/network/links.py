"""Network interfaces, from /sys/class/net and /proc/net/vlan."""

from __future__ import annotations

from wizard.dataclass import dataclass
from wizard.errors import Denied, NodeError
from wizard.facts.pci.addresses import functions_in
from wizard.node import best_effort
from wizard.node.node import Node, Unseen
from wizard.regex import regex

_CLASS = "/sys/class/net"
_VLAN_CONFIG = "/proc/net/vlan/config"
_TAP = 0x0002  # IFF_TAP in tun_flags
# The kernel's own names of VLAN interfaces: eth0.101, eth0.0101, vlan101, vlan0101 (net/8021q/vlan.c)
_VLAN_NAME = regex(r"(?:.*\.|vlan)(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. `kind` is physical, bridge, vlan, bond, tap or other; `lower` are the links it stands on."""

    name: str
    kind: str
    mac: str
    master: str  # the bridge or bond it is a port of, or ""
    lower: tuple[str, ...]
    vlan: int | None
    pci_address: str  # of a physical link, or ""


def read(node: Node) -> tuple[tuple[Link, ...], tuple[Unseen, ...]]:
    """All links by name."""
    unseen: list[Unseen] = []
    try:
        vlans = _vlans(node.read(_VLAN_CONFIG).decode("utf-8", "replace"))
    except Denied as error:
        vlans = {}
        unseen.append(Unseen("VLAN ids (taken from the names)", f"{_VLAN_CONFIG} {error.what}"))
    except NodeError:
        vlans = {}
    names = [name for name in best_effort.names(node, _CLASS) if best_effort.is_directory(node, f"{_CLASS}/{name}")]
    if not names:
        unseen.append(Unseen("network interfaces", f"{_CLASS} is empty or cannot be read"))
    return tuple(_link(node, name, vlans) for name in names), tuple(unseen)


def _vlans(text: str) -> dict[str, tuple[int, str]]:
    """Name to (VLAN id, lower link), from lines as `vlan101        | 101  | eth1`."""
    found: dict[str, tuple[int, str]] = {}
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 3 and fields[1].isdecimal():
            found[fields[0]] = (int(fields[1]), fields[2])
    return found


def _link(node: Node, name: str, vlans: dict[str, tuple[int, str]]) -> Link:
    place = f"{_CLASS}/{name}"
    attributes = best_effort.names(node, place)
    kind = _kind(node, place, attributes, name in vlans)
    lower = {attribute.removeprefix("lower_") for attribute in attributes if attribute.startswith("lower_")}
    # kernels before 3.14 have no lower_ links
    lower.update(best_effort.names(node, f"{place}/brif"), (node.text(f"{place}/bonding/slaves") or "").split())
    if name in vlans:
        lower.add(vlans[name][1])
    functions = functions_in(_device(node, place, attributes)) if kind == "physical" else ()
    return Link(
        name=name,
        kind=kind,
        mac=(node.text(f"{place}/address") or "").lower(),
        master=node.link_name(f"{place}/master") or node.link_name(f"{place}/brport/bridge") or "",
        lower=tuple(sorted(lower)),
        vlan=vlans[name][0] if name in vlans else _vlan_of_name(name) if kind == "vlan" else None,
        pci_address=functions[-1] if functions else "",
    )


def _kind(node: Node, place: str, attributes: list[str], listed_vlan: bool) -> str:
    if "bridge" in attributes:
        return "bridge"
    if "bonding" in attributes:
        return "bond"
    if listed_vlan or "DEVTYPE=vlan" in (node.text(f"{place}/uevent") or "").splitlines():
        return "vlan"
    if "tun_flags" in attributes:
        return "tap" if _flags(node.text(f"{place}/tun_flags")) & _TAP else "other"
    return "physical" if _device(node, place, attributes) else "other"


def _flags(text: str | None) -> int:
    try:
        return int(text or "0", 0)
    except ValueError:
        return 0


def _device(node: Node, place: str, attributes: list[str]) -> str:
    return best_effort.resolved(node, f"{place}/device") if "device" in attributes else ""


def _vlan_of_name(name: str) -> int | None:
    match = _VLAN_NAME.fullmatch(name)
    return int(match[1]) if match and 0 < int(match[1]) < 4095 else None
