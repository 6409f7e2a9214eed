"""netplan: definitions merged by their id over all files; VFs by virtual-function-count, else as many as name the card in `link`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.chapters.vfs.owners.cards import by_driver, by_mac
from wizard.chapters.vfs.owners.model import NO, UNKNOWN, YES, Aim, Owner, Verdict, all_of
from wizard.chapters.vfs.owners.simple_yaml import Node, NotPlain, parse
from wizard.chapters.vfs.owners.view import View
from wizard.facts.pci.functions import PciFunction
from wizard.integers import parse_int
from wizard.regex import regex

DIRECTORIES = ("/etc/netplan", "/usr/lib/netplan", "/lib/netplan")
_COUNT = "virtual-function-count"
_PUT = f"{_COUNT}: {{count}}"
_SIGNS = regex(rf"{_COUNT}|^\s*link\s*:", re.MULTILINE)


def read(view: View) -> Iterator[Owner]:
    runs = view.has_program("netplan")
    merged: dict[str, dict[str, tuple[Node, str]]] = {}
    refused = False
    paths = view.layered(DIRECTORIES, ".yaml")
    for path in paths:
        text = view.text(path) or ""
        try:
            _merge(merged, parse(text), path)
        except NotPlain:
            refused = True
            for number, line in enumerate(text.splitlines(), 1):
                if _SIGNS.search(line) and not line.lstrip().startswith("#"):
                    aim = view.cards.every(UNKNOWN)
                    yield Owner("netplan", path, number, line.strip()[:80], _plain(line), aim, _PUT, runs=runs)
    for name, definition in merged.items():
        if _COUNT in definition:
            node, path = definition[_COUNT]
            count, text = parse_int(node.text or ""), f"{_COUNT}: {node.text}"
        else:
            links = [each["link"] for each in merged.values() if "link" in each and each["link"][0].text == name]
            if not links:
                continue
            (node, path), count = links[-1], len(links)
            text = f"link: {name} ({count} of them)"
        aim = _aim(view, name, definition)
        yield Owner("netplan", path, node.line, text, count, aim, _PUT, certain=UNKNOWN if refused else YES, runs=runs)


def _merge(merged: dict[str, dict[str, tuple[Node, str]]], document: Node, path: str) -> None:
    """Of one id in several files a later value goes before an earlier one of the same key; `match` is merged by its own keys."""
    ethernets = document.get("network", "ethernets")
    for name, definition in (ethernets.mapping if ethernets is not None else {}).items():
        known = merged.setdefault(name, {})
        for key, value in definition.mapping.items():
            if key == "match" and key in known:
                known[key][0].mapping.update(value.mapping)
            else:
                known[key] = (value, path)


def _aim(view: View, name: str, definition: dict[str, tuple[Node, str]]) -> Aim:
    if "match" not in definition:
        return view.cards.interface(name)
    match = definition["match"][0]
    return view.cards.aim(lambda function: _matched(view, function, match))


def _matched(view: View, function: PciFunction, match: Node) -> Verdict:
    found = []
    for key, value in match.mapping.items():
        if key == "macaddress":
            found.append(by_mac(function, value.text or "", view.cards.functions))
        elif key == "name":
            found.append(view.cards.named(function, value.text or ""))
        elif key == "driver":
            found.append(by_driver(function, value.words()))
        else:
            found.append(UNKNOWN)
    return all_of(found) if function.is_network else NO


def _plain(line: str) -> int | None:
    number = re.search(rf"{_COUNT}\W*\s(\d+)", line)
    return parse_int(number[1]) if number else None
