"""Packages that a node has, with their versions, by its own package manager's records."""

from __future__ import annotations

import re

from wizard.node import best_effort
from wizard.node.node import Node
from wizard.regex import regex

DPKG = "/var/lib/dpkg/status"
_FIELD = regex(r"^(Package|Status|Version): (.*)$", re.MULTILINE)
_RPM = ("rpm", "-qa", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}\\n")


def dpkg(node: Node) -> dict[str, str]:
    """What dpkg has installed; nothing where there is no dpkg."""
    found: dict[str, str] = {}
    name, there = "", False
    for field, value in _FIELD.findall(node.text(DPKG) or ""):  # in this order in each stanza
        if field == "Package":
            name, there = value.strip(), False
        elif field == "Status":
            there = value.split()[-1:] == ["installed"]
        elif there:
            found[name] = value.strip()
    return found


def installed(node: Node) -> dict[str, str]:
    """All packages, by dpkg or else by rpm."""
    found = dpkg(node)
    said = None if found else best_effort.ask(node, _RPM, timeout=60.0)
    if said is not None and said.status == 0:
        pairs = (line.partition(" ") for line in said.stdout.splitlines())
        found = {name: version for name, _, version in pairs if version}
    return found
