"""Whether this is nova-network or neutron, and which networks nova-network serves here."""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Callable, Iterator
from typing import Literal

from wizard.dataclass import dataclass
from wizard.errors import NodeError
from wizard.facts.nova.config import STATE_PATH
from wizard.facts.nova.release import at_least
from wizard.facts.processes import Process, Processes
from wizard.node.node import Node, Unseen
from wizard.regex import regex

Networking = Literal["nova-network", "neutron", "unknown"]
Last = Callable[[str, str], str | None]
"""The effective value of (section, option), or None where it is not set."""

_INTERFACE = regex(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,14}")
_PID_FILE = regex(r"nova-(.+)\.pid")
_STATE_FILE = regex(r"nova-(?!ra-)(.+)\.(?:conf|opts|hosts|pid)")  # nova-ra-BRIDGE is radvd's
_VLAN_BRIDGE = regex(r"br(\d{1,4})")
_TRUE = ("1", "yes", "true", "on")  # oslo_config/types.py, Boolean


@dataclass(frozen=True, slots=True)
class NovaNetwork:
    """A network that nova-network serves here: from the running dnsmasq's arguments, else from its state files."""

    label: str  # "" where only the state files are left: they do not hold it
    bridge: str
    vlan: int | None
    pid_file: str
    listen: str  # this node's own address in that network, or ""
    cidr: str  # from the dhcp range and netmask, or ""
    dnsmasq_running: bool
    first: str = ""  # the first address that a guest can be given, or ""
    conf_file: str | None = None  # what its dnsmasq was given, "" for none; None where no dnsmasq runs
    started: float | None = None  # when that dnsmasq was, in seconds since the epoch


_UNIT = regex(r"[^/]+\.(?:service|scope)")


def unit_of(process: Process) -> str:
    """The systemd unit that a process belongs to, by its cgroup: the innermost service or scope of systemd's own hierarchy; ""
    where no cgroup tells."""
    for line in process.cgroup.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (controllers == "name=systemd" or (number == "0" and not controllers)) and path != "/":
            units = [part for part in path.split("/") if _UNIT.fullmatch(part)]
            return units[-1] if units else ""
    return ""


def networks_path(last: Last) -> str:
    """Where nova-network keeps its state: the option of that name, or below state_path."""
    state = last("DEFAULT", "state_path") or STATE_PATH
    return posixpath.normpath(last("DEFAULT", "networks_path") or f"{state}/networks")


def networking(release: str | None, last: Last | None, processes: Processes) -> tuple[Networking, str]:
    """Which networking this node has, and what tells so. `last` is None where the configuration could not be read."""
    if release is not None and at_least(release, "ussuri"):
        return "neutron", f"{release} has nothing else"
    if last is not None:
        told = _told(release, last)
        if told is not None:
            return told
    seen = _running(processes)
    if seen is not None:
        return seen
    if last is None:
        return "unknown", "the configuration of nova could not be read, and neither of the two was seen running"
    return "unknown", "the release of nova is not known, and neither of the two was seen running"


def _told(release: str | None, last: Last) -> tuple[Networking, str] | None:
    """What the configuration says by the rules of the release; None where it says nothing without a known release."""
    api = last("DEFAULT", "network_api_class")
    switch = last("DEFAULT", "use_neutron")
    if api is not None and (release is None or not at_least(release, "ocata")):
        if "neutron" in api or "quantum" in api:
            return "neutron", f"network_api_class = {api}"
        if release is None or not at_least(release, "mitaka"):
            known = api == "nova.network.api.API"
            return ("nova-network" if known else "unknown"), f"network_api_class = {api}"
    if release is not None and not at_least(release, "mitaka"):
        return "nova-network", f"network_api_class is not set, and nova-network is the default of {release}"
    if switch is not None and switch.strip().lower() in _TRUE:
        return "neutron", f"use_neutron = {switch}"
    if release is None:
        return None if switch is None else ("nova-network", f"use_neutron = {switch}")
    if not at_least(release, "ocata"):
        why = "is not set, and false is the default of" if switch is None else f"= {switch} in"
        return "nova-network", f"use_neutron {why} {release}"
    if switch is None:
        return "neutron", f"use_neutron is not set, and true is the default of {release}"
    cells = (last("cells", "enable") or "").strip().lower() in _TRUE
    if cells and not at_least(release, "train"):
        return "nova-network", f"use_neutron = {switch} with cells v1 in {release}"
    return "unknown", f"use_neutron = {switch}, but the nova-network of {release} does not start like that"


def _running(processes: Processes) -> tuple[Networking, str] | None:
    for process in processes.seen:
        if process.program == "nova-network" or _bridge(process):
            return "nova-network", f"{process.program} (pid {process.pid}) runs for nova-network"
    for process in processes.seen:
        if process.program.startswith("neutron-") or process.program == "ovn-controller":
            return "neutron", f"{process.program} (pid {process.pid}) runs"
    return None


def _bridge(process: Process) -> str:
    """The bridge that a dnsmasq of nova-network serves, by the name of its pid file; neutron's and libvirt's differ."""
    if process.program != "dnsmasq":
        return ""
    match = _PID_FILE.fullmatch(posixpath.basename(process.option("--pid-file")))
    return match[1] if match else ""


def networks(
    node: Node, place: str, flat: bool, processes: Processes
) -> tuple[tuple[NovaNetwork, ...], tuple[Unseen, ...]]:
    """The networks by bridge. `place` is the directory of the state files; `flat` is a manager without VLANs, whose
    bridge name is no VLAN's."""
    found: dict[tuple[str, str], NovaNetwork] = {}
    for process in processes.seen:
        for network in _of_process(process, flat):
            found.setdefault((network.bridge, network.label), network)
    bridges = {bridge for bridge, _ in found}
    try:
        names = node.names(place)
        unseen: tuple[Unseen, ...] = ()
    except NodeError as error:
        names, unseen = [], (Unseen(place, error.what),)
    for bridge in sorted({match[1] for name in names if (match := _STATE_FILE.fullmatch(name))} - bridges):
        if not _INTERFACE.fullmatch(bridge):
            unseen = (*unseen, Unseen(f"{place}/nova-{bridge}.*", "this is no name of a bridge"))
            continue
        pid_file = f"{place}/nova-{bridge}.pid"
        found[bridge, ""] = NovaNetwork("", bridge, _vlan(bridge, flat), pid_file, "", "", False)
    ordered = sorted(found.values(), key=lambda network: (network.vlan or 0, network.bridge, network.label))
    return tuple(ordered), unseen


def _of_process(process: Process, flat: bool) -> Iterator[NovaNetwork]:
    """The networks of one dnsmasq: nova gives it `--dhcp-range=set:LABEL,START,static,NETMASK,LEASEs`
    (nova/network/linux_net.py, `restart_dhcp`)."""
    bridge = _bridge(process)
    if not bridge:
        return
    for dhcp_range in process.options("--dhcp-range"):
        if dhcp_range.startswith("set:"):
            label, *fields = dhcp_range[4:].split(",")
            cidr = _cidr(fields[0], fields[2]) if len(fields) > 2 else ""
            first = fields[0] if cidr else ""
            listen, pid_file = process.option("--listen-address"), process.option("--pid-file")
            given = process.option("--conf-file")
            yield NovaNetwork(
                label, bridge, _vlan(bridge, flat), pid_file, listen, cidr, True, first, given, process.started
            )


def _vlan(bridge: str, flat: bool) -> int | None:
    match = _VLAN_BRIDGE.fullmatch(bridge)
    return int(match[1]) if match and not flat and 0 < int(match[1]) < 4095 else None


def _cidr(start: str, netmask: str) -> str:
    try:
        return str(ipaddress.IPv4Network(f"{start}/{netmask}", strict=False))
    except ValueError:
        return ""
