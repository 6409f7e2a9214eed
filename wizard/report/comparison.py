"""Nodes beside each other: which differ by hardware, by what is asked of them, and by what is so; which matcher selects what where."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from wizard.answers.suggestion import suggest
from wizard.chapters.shared import cards, guids
from wizard.chapters.shared.cards import CardAnswers, Match
from wizard.chapters.vfs import ib_guids
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.answers import AllAnswers
from wizard.planning.verification import to_be, verify
from wizard.safe_text import safe_text

FORMAT = "compute-wizard.comparison/1"
NO_GUID = ("", "0000:0000:0000:0000")


@dataclass(frozen=True, slots=True)
class Compared:
    """One node of a comparison: its name in the table (its host name, or that of the file where two share one)."""

    name: str
    source: str
    facts: Facts
    answers: AllAnswers
    asked_by: str  # answers, runs or suggestion

    @classmethod
    def of(cls, name: str, source: str, facts: Facts, answers: AllAnswers | None) -> Compared:
        """A node, with what is asked of it: the answers given, else what its runs were asked for, else what would be suggested."""
        if answers is not None:
            return cls(name, source, facts, answers, "answers")
        asked = to_be(facts)
        if asked.runs:
            return cls(name, source, facts, asked.answers, "runs")
        return cls(name, source, facts, suggest(facts), "suggestion")


def data(nodes: Sequence[Compared]) -> dict[str, Any]:
    """The whole comparison as JSON-able data."""
    aspects = {"hardware": _hardware, "answers": _answers, "state": _state}
    rows = {kind: {node.name: read(node) for node in nodes} for kind, read in aspects.items()}
    return {
        "format": FORMAT,
        "nodes": [{"name": node.name, "source": node.source, "asked_by": node.asked_by} for node in nodes],
        **{kind: {"groups": _groups(found), "differs": _differences(found)} for kind, found in rows.items()},
        "matchers": _matchers(nodes),
        "duplicates": _duplicates(nodes),
    }


def _ports(facts: Facts) -> list[PciFunction]:
    """The ports that can have VFs, or could once firmware lets them."""
    return [each for each in facts.pci.functions if not each.is_vf and each.offer in ("offered", "off")]


def _hardware(node: Compared) -> dict[str, str]:
    """What two nodes share that are of one kind: no serial, no address of an interface."""
    facts = node.facts
    kinds: dict[str, int] = defaultdict(int)
    for port in _ports(facts):
        firmware = next((each.firmware for each in port.rdma if each.firmware), "")
        kinds[f"{port.model} {port.vendor}:{port.device}{f' firmware {firmware}' if firmware else ''}"] += 1
    own = {
        "system": facts.system.label,
        "kernel": facts.system.kernel,
        "boot loader": facts.boot.way,
        "IOMMU": facts.iommu.vendor,
        "nova": facts.nova.release or ("unknown" if facts.nova.installed else "none"),
    }
    return own | {f"ports {name}": str(count) for name, count in sorted(kinds.items())}


def _answers(node: Compared) -> dict[str, str]:
    """What is asked of the node, a line for each key."""
    return dict(_flat("", node.answers.to_data()))


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _flat(f"{place}.{key}" if place else str(key), each)
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for number, each in enumerate(value, 1):
            yield from _flat(f"{place}[{number}]", each)
    else:
        yield place, json.dumps(value, ensure_ascii=False)


def _state(node: Compared) -> dict[str, str]:
    """How many VFs there are, and what `verify` says of what is asked."""
    checks = verify(node.facts, node.answers)
    states = {
        state: str(sum(check.state == state for check in checks)) for state in ("held", "failed", "pending", "unknown")
    }
    vfs = {f"VFs of {port.model} {number}": str(port.num_vfs or 0) for number, port in enumerate(_ports(node.facts), 1)}
    runs = [run.state for run in node.facts.history.runs]
    return states | vfs | {"last run": runs[-1] if runs else "none"}


def _groups(found: dict[str, dict[str, str]]) -> list[list[str]]:
    """Names of nodes that are the same in all of it, the largest group first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, row in found.items():
        groups[json.dumps(row, sort_keys=True)].append(name)
    return sorted(groups.values(), key=lambda names: -len(names))


def _differences(found: dict[str, dict[str, str]]) -> dict[str, dict[str, str | None]]:
    """Keys whose values are not the same on every node, with each node's value; null where it has none."""
    keys = list(dict.fromkeys(key for row in found.values() for key in row))
    values = {key: {name: row.get(key) for name, row in found.items()} for key in keys}
    return {key: each for key, each in values.items() if len(set(each.values())) > 1}


def _matchers(nodes: Sequence[Compared]) -> list[dict[str, Any]]:
    """Each matcher of the answers, and each kind of card by vendor and product, with the ports that it selects on every node."""
    asked = [card.match for node in nodes if (mine := node.answers.of(CardAnswers)) for card in mine.card]
    kinds = [Match(vendor=port.vendor, product=port.device) for node in nodes for port in _ports(node.facts)]
    every = {str(match): match for match in [*asked, *kinds]}
    return [
        {
            "match": match.model_dump(exclude_none=True),
            "selects": {node.name: [_port(port) for port in cards.select(match, node.facts.pci)] for node in nodes},
        }
        for match in every.values()
    ]


def _port(port: PciFunction) -> str:
    """A port by its address, and its interface where it has one."""
    return " ".join([port.address, *(device.name for device in port.netdevs[:1])])


def _duplicates(nodes: Sequence[Compared]) -> list[dict[str, Any]]:
    """Serials, MACs and GUIDs that more than one node has or is asked for: a matcher would select both, a fabric refuses the second."""
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node in nodes:
        identities = {identity for port in _ports(node.facts) for identity in _identities(port)}
        identities |= {("guid", guids.written(each)) for each in _asked_guids(node)}
        for identity in sorted(identities):
            holders[identity].append(node.name)
    machines = [(node.facts.system.machine_id, node.name) for node in nodes if node.facts.system.machine_id]
    for machine, name in machines:
        holders[("machine-id", machine)].append(name)
    return [
        {"kind": kind, "value": value, "nodes": names} for (kind, value), names in holders.items() if len(names) > 1
    ]


def _identities(port: PciFunction) -> Iterator[tuple[str, str]]:
    if port.serial:
        yield "serial", port.serial
    mac = cards.own_mac(port)
    if mac:
        yield "mac", mac
    for device in port.rdma:
        if device.node_guid not in NO_GUID:
            yield "guid", device.node_guid
    for vf in port.vf_ports or ():
        if vf.guid.strip("0"):
            yield "guid", guids.written(int(vf.guid, 16))


def _asked_guids(node: Compared) -> Iterator[int]:
    mine = node.answers.of(CardAnswers)
    for request in cards.requests(mine, node.facts.pci) if mine else ():
        yield from ib_guids.of(node.facts, request)


def names(sources: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """A name for each node: its host name where no other node has it, else the name of its file, else both with a number."""
    found = [
        host if host and list(hosts).count(host) == 1 else source.rstrip("/").split("/")[-1]
        for source, host in zip(sources, hosts, strict=True)
    ]
    return [name if found.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(found, 1)]


def text(compared: dict[str, Any]) -> str:
    """The comparison as tables."""
    nodes = [node["name"] for node in compared["nodes"]]
    lines = [f"{len(nodes)} nodes: {', '.join(nodes)}"]
    for kind in ("hardware", "answers", "state"):
        part = compared[kind]
        groups = part["groups"]
        lines += ["", f"{kind.capitalize()}: " + ("all the same" if len(groups) == 1 else f"{len(groups)} groups")]
        lines += [f"  {', '.join(group)}" for group in groups if len(groups) > 1]
        if part["differs"]:
            rows = [[key, *(values[name] or "-" for name in nodes)] for key, values in part["differs"].items()]
            lines += ["", *_table([["", *nodes], *rows])]
    lines += ["", "Which matcher selects what"]
    rows = [
        [" ".join(f"{key} {value}" for key, value in each["match"].items())]
        + [", ".join(each["selects"][name]) or "-" for name in nodes]
        for each in compared["matchers"]
    ]
    lines += _table([["", *nodes], *rows]) if rows else ["  there is no card that can have VFs"]
    lines += ["", "Duplicates" if compared["duplicates"] else "No serial, MAC, GUID or machine-id is there twice."]
    lines += [f"  {each['kind']} {each['value']}: {', '.join(each['nodes'])}" for each in compared["duplicates"]]
    return safe_text("\n".join(lines) + "\n")


def _table(rows: Iterable[Sequence[str]]) -> list[str]:
    rows = list(rows)
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
