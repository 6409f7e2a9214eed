"""What is wrong, or will go wrong, with ConnectX-3 cards: all of them share one line of options."""

from __future__ import annotations

from wizard.chapters.shared import cards, mlx4_sources
from wizard.chapters.shared.cards import Request
from wizard.chapters.vfs import mlx4
from wizard.facts.facts import Facts
from wizard.formats import mlx4_options
from wizard.model.findings import Finding, Severity

CHAPTER = "vfs"
MOST = 80  # characters of a value that is shown


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
    if not request.count:
        return [
            finding(
                "VFS-PORTS",
                "tells",
                f"{function.address}: ports = {ports!r} with count = 0",
                "The kinds of the ports are set together with VFs, in one line of options: without VFs they stay as they are.",
                'Answer a count, or ports = "keep".',
            )
        ]
    if there and words and len(words) != there:
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
    found = _forms(facts, requests)
    each_says = mlx4.kept(facts, requests) is not None  # MLNX_OFED's option can say it for each card
    first = _shared(requests[0], each_says)
    for other in requests[1:]:
        if _shared(other, each_says) != first:
            found.append(
                finding(
                    "VFS-MLX4-DISAGREE",
                    "blocks",
                    f"{requests[0].function.address} asks for {first or 'no VFs'}, {other.function.address} for "
                    f"{_shared(other, each_says) or 'no VFs'}",
                    "mlx4_core has one set of options for all its cards; it knows none for a single card.",
                    "Give all ConnectX-3 cards the same number, ports and host VFs.",
                )
            )
    return found + _others(facts, requests) + _elsewhere(facts, requests)


def _shared(request: Request, each_says: bool) -> dict[str, str]:
    """What the options have to say for a request; less the numbers, where they are said for each card."""
    options = mlx4.plain(request)
    return {name: value for name, value in options.items() if name == mlx4.PORTS} if each_says else options


def _others(facts: Facts, requests: list[Request]) -> list[Finding]:
    """Cards that no answer names: the option counts for them as well, and what they make of it is not the same."""
    asked = {request.function.address for request in requests}
    text = mlx4.wanted(facts, requests).get("num_vfs", "0")
    found = []
    for other in mlx4.cards_here(facts):
        count = mlx4_options.number(text, other.address) or 0
        if other.address in asked or not count:
            continue
        if mlx4.gets(other, count):
            why = f"The option counts for every card of that driver: this one gets {count} VFs as well."
            do = "Put it into the answers with the same numbers, so that nobody is surprised."
        else:
            offers = f"offers {cards.limit(other) or 'none'}"
            now = f", and the {other.num_vfs} that it has now are gone after the reboot" if other.num_vfs else ""
            why = (
                f"The option asks {count} VFs of it too, and it {offers}: the driver then goes on without SR-IOV on that card, "
                f"which gets none{now}."
            )
            least = min([cards.limit(other) or 0, *(request.limit or 0 for request in requests)])
            do = "Nothing, where it is to have none." + (
                f" Else answer count = {least} for each ConnectX-3 card." if least else ""
            )
        seen = f"{other.address} is not in the answers, but is driven by mlx4_core too"
        found.append(finding("VFS-MLX4-ALL-CARDS", "warns", seen, why, do))
    return found


def _forms(facts: Facts, requests: list[Request]) -> list[Finding]:
    """A num_vfs or probe_vf that says more than one number: told before one number is written over it."""
    found = []
    wanted, options = mlx4.wanted(facts, requests), mlx4_sources.Mlx4Options.read(facts)
    there = options.parameters
    elsewhere = {name for each in options.later for name in each.options}  # not written over: told by itself
    names = [name for name in ("num_vfs", "probe_vf") if name in wanted and name in there and name not in elsewhere]
    for name, value in ((name, there[name]) for name in names):
        new, refused = wanted[name], mlx4.refused(facts, value)
        ports, named = mlx4_options.by_port(value), mlx4_options.by_card(value)
        single = next((why for each in requests if (why := mlx4.one_number(options, each.function, value))), "")
        if single:
            why = f"{single}: the driver takes numbers by port only where all ports are Ethernet, and refuses to start else."
        elif refused:
            why = f"{refused[:1].upper()}{refused[1:]}: the module does not load with this value, and the card is gone."
        elif named is not None:
            why = (
                "Only MLNX_OFED's mlx4_core, up to 4.9, knows addresses here: the kernel's own does not load with them."
            )
        elif ports is None:
            why = "It is none of the forms that this tool knows: what the driver makes of it cannot be said."
        elif any(ports[:2]) and new != value:
            why = f"It says {ports[0]} VFs on port 1, {ports[1]} on port 2 and {ports[2]} on both; one number means both for all."
        else:
            continue
        do = "It says what is asked for, and stays as it is." if new == value else f"{name}={new} is put in its place."
        if refused or ports is None:
            do += " `modinfo -n mlx4_core` says whose driver it is: MLNX_OFED's is in updates."
        if new != value and not refused and not single:
            keep = (
                "take the cards out of the answers"
                if ports is None and named is None
                else "answer the numbers that it says"
            )
            do += f" To keep what is there, {keep}."
        short = value if len(value) <= MOST else f"{value[:MOST]}..."
        seen = f"{options.last_word(name) or mlx4.OPTIONS}: {name}={short}"
        found.append(finding("VFS-MLX4-FORM", "tells" if new == value else "warns", seen, why, do))
    return found


def _elsewhere(facts: Facts, requests: list[Request]) -> list[Finding]:
    """Whether something else, which comes later, has the last word on our options."""
    options = mlx4.wanted(facts, requests)
    overlay = {edit.path: edit.change(facts.content(edit.path)) for edit in mlx4.changes(facts, requests).edits}
    after = mlx4_sources.Mlx4Options.read(facts, overlay)
    effective = after.parameters
    found = _too_many_kept(after) if options else []
    wrong = {name: effective.get(name, "nothing") for name, value in options.items() if effective.get(name) != value}
    if not wrong or found:
        return found
    where = list(dict.fromkeys(after.last_word(name) for name in wrong))
    listed = all(place.startswith(mlx4_sources.INITRAMFS_MODULES) for place in where)
    return [
        finding(
            "VFS-OPTION-OVERRIDDEN",
            "warns" if listed else "blocks",
            "; ".join(f"{name} would be {value}" for name, value in wrong.items())
            + f", set after {mlx4.OPTIONS} by {' and '.join(filter(None, where)) or 'no file'}",
            "The module gets the options of all files in the order of their names, then those of the kernel's line, of an install "
            "line and of the initramfs's list of modules; the last word counts: another one overrides ours.",
            "Take the option out there, then plan again; or answer the number that it says.",
        )
    ]


def _too_many_kept(after: mlx4_sources.Mlx4Options) -> list[Finding]:
    """A probe_vf above num_vfs, once the plan is done."""
    vfs, kept = after.parameters.get("num_vfs", "0"), after.parameters.get("probe_vf", "0")
    if not (mlx4_options.known(vfs) and mlx4_options.known(kept)) or mlx4_options.fit(vfs, kept):
        return []
    places = {name: after.last_word(name) or "no file" for name in ("num_vfs", "probe_vf")}
    return [
        finding(
            "VFS-MLX4-PROBE",
            "blocks",
            f"num_vfs={vfs} ({places['num_vfs']}) with probe_vf={kept} ({places['probe_vf']})",
            "Of no kind - on port 1, on port 2, on both - may the host keep more VFs than there are: mlx4_core refuses to start, and "
            "the card is gone at the next boot.",
            "Take probe_vf away where it is set, or make it no more than num_vfs of the same kind; then plan again.",
        )
    ]
