"""What is wrong, or will go wrong, with ConnectX-3 cards: all of them share one line of options."""

from __future__ import annotations

from wizard import mlx4
from wizard.cards import Request
from wizard.node.facts import Facts
from wizard.plan import Finding, Severity

CHAPTER = "vfs"


def finding(code: str, severity: Severity, seen: str, why: str, do: str, fixable: bool = False) -> Finding:
    """A finding about virtual functions."""
    return Finding(code=code, severity=severity, chapter=CHAPTER, seen=seen, why=why, do=do, fixable=fixable)


def of_ports(facts: Facts, request: Request) -> list[Finding]:
    """What mlx4_core would refuse, or quietly take for something else (main.c, mlx4_check_port_params)."""
    function, ports = request.function, request.card.ports
    if ports == "keep":
        return []
    words = ports if isinstance(ports, list) else []
    there = len(function.port_types)
    if function.family == "mlx4" and not request.count:
        return [
            finding(
                "VFS-PORTS",
                "tells",
                f"{function.address}: ports = {ports!r} with count = 0",
                "The kinds of the ports are set together with VFs, in one line of options: without VFs they stay as they are.",
                'Answer a count, or ports = "keep".',
            )
        ]
    if function.family != "mlx4":
        what = f"only mlx4_core takes the kind of its ports from an option, and {function.model} is not driven by it"
        do = f"mstconfig -d {function.address} set LINK_TYPE_P1=1 (InfiniBand) or 2 (Ethernet), where the card can be both."
        do = f'Answer ports = "keep". ConnectX-4 and newer: {do}'
    elif there and words and len(words) != there:
        what, do = (
            f"{len(words)} kinds are named, and the card has {there} port{'s' * (there != 1)}",
            "Name one kind for each port.",
        )
    elif "keep" in words:
        what, do = (
            '"keep" stands beside another kind',
            "Name the kind of each port: mlx4_core takes one value for all of them.",
        )
    elif words == ["ethernet", "infiniband"]:
        what = "mlx4_core knows no Ethernet on port 1 with InfiniBand on port 2: it would make both InfiniBand"
        do = 'Answer ports = ["infiniband", "ethernet"] and change the cables, or one kind for both.'
    else:
        return _set_later(facts, request)
    seen = f"{function.address}: ports = {ports!r}; {what}"
    return [finding("VFS-PORTS", "blocks", seen, "The ports would come up as something else than is wanted.", do)]


def _set_later(facts: Facts, request: Request) -> list[Finding]:
    """Another owner of the ports: rdma-core sets them once more when the driver is loaded."""
    said = mlx4.set_by_rdma(facts, request.function)
    if said is None or said.kinds == mlx4.wanted_ports(request):
        return []
    return [
        finding(
            "VFS-PORTS",
            "blocks",
            f"{said}, and ports = {request.card.ports!r} is asked for",
            "rdma-core sets the ports by that line after the driver has set them by its option: the line has the last word.",
            "Take that line away, or answer what it says.",
        )
    ]


def of_all_cards(facts: Facts, requests: list[Request]) -> list[Finding]:
    if not requests:
        return []
    found = []
    first = mlx4.wanted(requests[:1])
    for other in requests[1:]:
        if mlx4.wanted([other]) != first:
            found.append(
                finding(
                    "VFS-MLX4-DISAGREE",
                    "blocks",
                    f"{requests[0].function.address} asks for {first or 'no VFs'}, {other.function.address} for "
                    f"{mlx4.wanted([other]) or 'no VFs'}",
                    "mlx4_core has one set of options for all its cards; it knows none for a single card.",
                    "Give all ConnectX-3 cards the same number, ports and host VFs.",
                )
            )
    asked = {request.function.address for request in requests}
    others = [f.address for f in facts.pci.functions if f.family == "mlx4" and not f.is_vf and f.address not in asked]
    if others and requests[0].count:
        found.append(
            finding(
                "VFS-MLX4-ALL-CARDS",
                "warns",
                f"{', '.join(others)} is not in the answers, but is driven by mlx4_core too",
                "The option counts for every card of that driver: this one gets VFs as well.",
                "Put it into the answers with the same numbers, so that nobody is surprised.",
            )
        )
    return found + _elsewhere(facts, requests)


def _elsewhere(facts: Facts, requests: list[Request]) -> list[Finding]:
    """Whether another file, read later, has the last word on our options."""
    options = mlx4.wanted(requests)
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in mlx4.wants(facts, requests).edits}
    effective = mlx4.parameters(facts, overlay)
    wrong = {name: effective.get(name, "nothing") for name, value in options.items() if effective.get(name) != value}
    if not wrong:
        return []
    return [
        finding(
            "VFS-OPTION-OVERRIDDEN",
            "blocks",
            "; ".join(f"{name} would be {value}" for name, value in wrong.items()) + f", set after {mlx4.OPTIONS}",
            "modprobe reads its files by name, and the last word counts: another file overrides ours.",
            "Take the option out of the other file in /etc/modprobe.d, then plan again.",
        )
    ]
