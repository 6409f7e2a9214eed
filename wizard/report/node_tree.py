"""Pictures of a node as trees: card, PF and its VFs; VLAN, bridge, gateway and metadata. As data, and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wizard.chapters.shared import cards
from wizard.facts.facts import Facts
from wizard.facts.nova.networks import NovaNetwork
from wizard.facts.pci.functions import PciFunction
from wizard.safe_text import safe_text

METADATA = "169.254.169.254"
GLYPHS = {True: ("├─ ", "└─ ", "│  ", "   "), False: ("|- ", "`- ", "|  ", "   ")}


@dataclass(frozen=True, slots=True)
class Branch:
    """One line and what hangs on it. `folded`: a view that can fold shows it folded at first. `address` is that of a PCI function,
    "" for what is none."""

    text: str
    children: tuple[Branch, ...] = ()
    folded: bool = False
    address: str = ""


def shown(facts: Facts) -> list[PciFunction]:
    """All functions that matter here: with VFs, or a network card, or one that the node lives on."""
    lived_on = {role.address for role in facts.guests.roles}
    return [f for f in facts.pci.functions if f.offer != "none" or f.is_network or f.address in lived_on]


def devices(facts: Facts) -> list[Branch]:
    """Cards with their PFs and VFs, in the order of the facts."""
    functions = [function for function in shown(facts) if not function.is_vf]
    slots = dict.fromkeys(_card(function) for function in functions)
    found = []
    for slot in slots:
        ports = [function for function in functions if _card(function) == slot]
        serial = f", serial {ports[0].serial}" if ports[0].serial else ""
        head = f"{ports[0].model}{serial}"
        found.append(Branch(head, tuple(_physical(facts, function) for function in ports), address=ports[0].address))
    return found


def _card(function: PciFunction) -> str:
    """Functions of one slot are one card."""
    return function.serial or function.address.rpartition(".")[0]


def _physical(facts: Facts, function: PciFunction) -> Branch:
    names = ", ".join(device.name for device in function.netdevs)
    bound = cards.limit(function)
    vfs = f", VFs {function.num_vfs or 0} of {bound}" if bound is not None else ""
    off = ", VFs are switched off in firmware or BIOS" if function.offer == "off" else ""
    text = f"{function.address} {function.driver or 'no driver'}{vfs}{off}{f' ({names})' if names else ''}"
    children = [Branch(line, address=function.address) for line in _about(facts, function)]
    children += _virtual(facts, function)
    return Branch(text, tuple(children), address=function.address)


def _about(facts: Facts, function: PciFunction) -> list[str]:
    numa = "unknown" if function.numa_node is None else str(function.numa_node)
    group = "no IOMMU group" if function.iommu_group is None else f"IOMMU group {function.iommu_group}"
    lines = [f"NUMA node {numa}, {group}"]
    for device in function.rdma:
        ports = ", ".join(f"port {port.number} {port.link_layer} {port.state}".rstrip() for port in device.ports)
        lines.append(f"{device.name}: firmware {device.firmware or 'unknown'}, {ports or 'no port'}")
    return [*lines, *(f"carries {role.role}: {role.detail}" for role in facts.guests.roles_of(function.address))]


def _virtual(facts: Facts, function: PciFunction) -> list[Branch]:
    if not function.virtual_functions:
        return []
    by_address = {each.address: each for each in facts.pci.functions}
    leaves = []
    for address in function.virtual_functions:
        virtual = by_address.get(address)
        users = [use.by for use in facts.guests.in_use if use.address == address]
        driver = (virtual.driver if virtual else None) or "no driver"
        used = f", used by {', '.join(users)}" if users else ""
        leaves.append(Branch(f"{address} {driver}{used}", address=address if virtual else ""))
    drivers = Counter(leaf.text.split()[1].rstrip(",") for leaf in leaves)
    drivers_text = ", ".join(f"{count} {name}" for name, count in drivers.items() if name != "no")
    in_use = sum(", used by " in leaf.text for leaf in leaves)
    text = f"{len(leaves)} VFs{f': {drivers_text}' if drivers_text else ''}; {in_use} in use"
    return [Branch(text, tuple(leaves), folded=True, address=function.address)]


def networks(facts: Facts) -> list[Branch]:
    """The networks that nova-network serves: VLAN, bridge, what guests are told of their router, where metadata is asked."""
    if facts.nova.networking == "neutron":
        return [
            Branch("Neutron serves the networks of this node: it has no gateways or metadata redirect of nova-network")
        ]
    found = []
    for network in facts.nova.networks:
        vlan = f"VLAN {network.vlan}" if network.vlan is not None else "no VLAN"
        leaves = (Branch(_router(facts, network)), Branch(f"metadata: guests ask {METADATA} through {network.bridge}"))
        address = f", this node is {network.listen}" if network.listen else ""
        bridge = Branch(f"{network.bridge}: {network.cidr or 'network unknown'}{address}", leaves)
        found.append(Branch(f"{vlan} {network.label or '(label unknown)'}", (bridge,)))
    return found or [Branch("no network of nova-network was found running here")]


def _router(facts: Facts, network: NovaNetwork) -> str:
    """What the dnsmasq of a network tells guests, by the file that it was given."""
    told = facts.content(network.conf_file) if network.conf_file else None
    wanted = f"tag:{network.label},"
    for line in (told or b"").decode("utf-8", "replace").splitlines():
        if not line.lstrip().startswith("#") and wanted in line and "router" in line:
            return f"gateway: {line.rpartition(',')[2].strip()}, by {network.conf_file}"
    if network.conf_file is None:
        return "gateway: not known, its dnsmasq does not run"
    return f"gateway: this node{f', {network.listen}' if network.listen else ''}"


def text(facts: Facts, glyphs: bool = False) -> str:
    """Both trees, nothing folded; `glyphs`: with box-drawing characters."""
    system = facts.system
    lines = [
        f"{system.hostname or 'unnamed node'}: {system.os_name}, nova {facts.nova.release or 'not found'}",
        "",
        "Cards",
    ]
    lines += [*_lines(devices(facts), GLYPHS[glyphs]), "", "Networks", *_lines(networks(facts), GLYPHS[glyphs])]
    return safe_text("\n".join(lines)) + "\n"


def _lines(branches: Sequence[Branch], glyphs: tuple[str, str, str, str], before: str = "") -> list[str]:
    between, last, beside, below = glyphs
    found = []
    for branch in branches:
        at_end = branch is branches[-1]
        found.append(f"{before}{last if at_end else between}{branch.text}")
        found += _lines(branch.children, glyphs, before + (below if at_end else beside))
    return found
