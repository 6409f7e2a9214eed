"""Who uses what: running guests, VFs in use, and the functions that carry the node's own disk and network."""

from __future__ import annotations

from wizard.dataclass import dataclass
from wizard.facts import disks, processes, vf_use
from wizard.facts.network.network import NetworkFacts
from wizard.facts.pci.functions import PciFacts
from wizard.facts.vf_use import VfUse
from wizard.node.node import Node, Unseen

__all__ = ["GuestFacts", "Role", "VfUse", "read"]


@dataclass(frozen=True, slots=True)
class Role:
    """A PCI function that the node itself lives on: `role` is ssh, default route, root disk, disk, bond or bridge."""

    address: str
    role: str
    detail: str


@dataclass(frozen=True, slots=True)
class GuestFacts:
    guests: tuple[str, ...] | None  # names of running guests; None where processes could not be seen
    in_use: tuple[VfUse, ...]
    roles: tuple[Role, ...]
    unseen: tuple[Unseen, ...]

    def roles_of(self, address: str) -> tuple[Role, ...]:
        return tuple(role for role in self.roles if role.address == address)

    def uses_of(self, address: str) -> tuple[VfUse, ...]:
        return tuple(use for use in self.in_use if use.address == address)


def read(node: Node, pci: PciFacts, network: NetworkFacts) -> GuestFacts:
    """Look at guests and at what the node lives on. Changes nothing, never fails; `unseen` has what cannot be read."""
    running = processes.read(node)
    unseen = [Unseen("running guests", running.hidden)] if running.hidden else []
    in_use, unseen_uses = vf_use.read(node, pci, network, running)
    mounted = disks.read(node)
    if mounted is None:
        unseen.append(Unseen("which disks are mounted", "neither /proc/self/mountinfo nor /proc/mounts can be read"))
    elif not any("/" in disk.uses and disk.functions for disk in mounted):
        unseen.append(Unseen("root disk", "no PCI function is known to carry the file system at /"))
    roles = [*_network_roles(network), *_disk_roles(mounted or ())]
    return GuestFacts(
        guests=_names(running),
        in_use=in_use,
        roles=tuple(dict.fromkeys([*roles, *_roles_of_parents(roles, pci)])),
        unseen=(*unseen, *unseen_uses),
    )


def running_now(node: Node) -> tuple[str, ...] | None:
    """The names of the guests that run, and nothing else of the node: quick; None where processes could not be seen."""
    return _names(processes.read(node))


def _names(running: processes.Processes) -> tuple[str, ...] | None:
    return None if running.hidden else tuple(sorted(vf_use.guest_name(each) for each in vf_use.guests(running)))


def _network_roles(network: NetworkFacts) -> list[Role]:
    roles = [role for name in network.ssh_links for role in _carrying(network, name, "ssh")]
    roles += [role for name in network.default_route_links for role in _carrying(network, name, "default route")]
    for link in network.links:
        if link.kind in ("bond", "bridge") or link.name == "ovs-system":
            kind = "bond" if link.kind == "bond" else "bridge"
            detail = "Open vSwitch" if link.name == "ovs-system" else link.name
            roles += [Role(address, kind, detail) for address in network.pci_below(link.name)]
    return roles


def _carrying(network: NetworkFacts, name: str, role: str) -> list[Role]:
    """The functions below a link. An Open vSwitch port does not say what it stands on: then all that the switch has."""
    below = network.pci_below(name)
    if below or not network.openvswitch or (link := network.link(name)) is None or link.kind == "tap":
        return [Role(address, role, name) for address in below]
    return [Role(address, role, f"{name}, through Open vSwitch") for address in network.pci_below("ovs-system")]


def _disk_roles(mounted: tuple[disks.Disk, ...]) -> list[Role]:
    roles = []
    for disk in mounted:
        use = min(disk.uses, key=lambda use: (len(use), use))
        root = "/" in disk.uses
        detail = f"{'/' if root else use} on {disk.name}"
        roles += [Role(address, "root disk" if root else "disk", detail) for address in disk.functions]
    return sorted(roles, key=lambda role: role.role != "root disk")


def _roles_of_parents(roles: list[Role], pci: PciFacts) -> list[Role]:
    """A VF goes when its PF does: what the node has on a VF, it has on the PF."""
    parents = {each.address: each.physical_function for each in pci.functions if each.physical_function}
    return [
        Role(parents[role.address], role.role, f"{role.detail}, on its VF {role.address}")
        for role in roles
        if role.address in parents
    ]
