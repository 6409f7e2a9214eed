"""Variations of the built-in nodes, as the tests of the chapters need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.facts import facts
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Finding
from wizard.model.plan import Plan
from wizard.node.recorded import MemoryNode
from wizard.planning.planner import make_plan
from wizard.simulator.built_in import built_in

CX3 = "/sys/devices/pci0000:00/0000:00:02.0/0000:04:00.0"


def origin() -> MemoryNode:
    """Ubuntu 14.04, Kilo, nova-network, one ConnectX-3 Pro."""
    return built_in("origin")


def today() -> MemoryNode:
    """Ubuntu 24.04, nova 2026.1, Neutron, a dual-port ConnectX-5 and an E810."""
    return built_in("today")


def holding(contents: Mapping[str, bytes]) -> MemoryNode:
    """A node of these files alone."""
    node = MemoryNode()
    for path, content in contents.items():
        node.write(path, content)
    return node


def remove(node: MemoryNode, path: str) -> None:
    """Take a file, link or whole directory away."""
    for place in [place for place in node.entries if place == path or place.startswith(f"{path}/")]:
        del node.entries[place]
    parent, _, name = path.rpartition("/")
    if (parent or "/") in node.entries:
        node.entries[parent or "/"].names.discard(name)


def second_card(node: MemoryNode, **numbers: int) -> None:
    """Another ConnectX-3 Pro, at 0000:05:00.0; with its own numbers, such as total=8, in sysfs."""
    other = CX3.replace("0000:04:00.0", "0000:05:00.0")
    for path, entry in list(node.entries.items()):
        if path.startswith(f"{CX3}/") and entry.kind != "directory" and not path.endswith("/vpd"):
            node.add(path.replace(CX3, other), entry)
    node.symlink("/sys/bus/pci/devices/0000:05:00.0", "../../../devices/pci0000:00/0000:00:02.0/0000:05:00.0")
    for name, number in numbers.items():
        node.write(f"{other}/sriov_{name}vfs", f"{number}\n")


def replace(node: MemoryNode, path: str, old: str, new: str) -> None:
    """Change a piece of a file that is there."""
    entry = node.entries[path]
    text = entry.content.decode()
    assert old in text, f"{path} does not hold {old!r}"
    entry.content = text.replace(old, new).encode()


def answered(seen: Facts, **chapters: Any) -> AllAnswers:
    """What would be suggested, with whole chapters replaced (None: left alone)."""
    data = suggestion.suggest(seen).to_data()
    for name, value in chapters.items():
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value
    return answer_files.from_data(data)


def planned(node: MemoryNode, **chapters: Any) -> Plan:
    """The plan for a node."""
    seen = facts.read(node)
    return make_plan(seen, answered(seen, **chapters))


def found(plan: Plan, code: str) -> Finding:
    """The one finding of a code."""
    fitting = [finding for finding in plan.findings if finding.code == code]
    assert fitting, f"no {code} among {[finding.code for finding in plan.findings]}"
    return fitting[0]


def codes(plan: Plan) -> set[str]:
    """The codes of a plan's findings."""
    return {finding.code for finding in plan.findings}
