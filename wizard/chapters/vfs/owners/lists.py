"""YAML lists of interfaces with their numbers of VFs: os-net-config, sriov-netplan-shim, nmstate."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.chapters.vfs.owners.model import UNKNOWN, Owner
from wizard.chapters.vfs.owners.simple_yaml import Node, NotPlain, parse
from wizard.chapters.vfs.owners.view import View
from wizard.integers import parse_int


def os_net_config(view: View) -> Iterator[Owner]:
    """sriov_config.yaml, which os-net-config's sriov_config.service reads at boot."""
    path = "/etc/os-net-config/sriov_config.yaml"
    runs = view.service("sriov_config.service")
    for name, node in _named(view, path, "numvfs", "os-net-config"):
        if isinstance(node, Owner):
            yield node
            continue
        aim = view.cards.interface(name)
        yield Owner(
            "os-net-config",
            path,
            node.line,
            f"numvfs: {node.text}",
            parse_int(node.text or ""),
            aim,
            "numvfs: {count}",
            runs=runs,
        )


def sriov_netplan_shim(view: View) -> Iterator[Owner]:
    path = "/etc/sriov-netplan-shim/interfaces.yaml"
    runs = view.service("sriov-netplan-shim.service")
    for name, node in _named(view, path, "num_vfs", "sriov-netplan-shim"):
        if isinstance(node, Owner):
            yield node
            continue
        aim = view.cards.interface(name)
        yield Owner(
            "sriov-netplan-shim",
            path,
            node.line,
            f"num_vfs: {node.text}",
            parse_int(node.text or ""),
            aim,
            "num_vfs: {count}",
            runs=runs,
        )


def nmstate(view: View) -> Iterator[Owner]:
    """/etc/nmstate/*.yml, which nmstate.service applies at boot and renames to .applied then: it holds as NetworkManager's profile."""
    for name in view.names("/etc/nmstate"):
        if not name.endswith((".yml", ".yaml")):
            continue
        path = f"/etc/nmstate/{name}"
        for interface, node in _named(view, path, "total-vfs", "nmstate"):
            if isinstance(node, Owner):
                yield node
                continue
            yield Owner(
                "nmstate",
                path,
                node.line,
                f"total-vfs: {node.text}",
                parse_int(node.text or ""),
                view.cards.interface(interface),
                "total-vfs: {count}",
                runs=view.service("nmstate.service"),
            )


def _named(view: View, path: str, key: str, program: str) -> Iterator[tuple[str, Node | Owner]]:
    """The numbers of a file with the interface that each is for; an Owner where the file cannot be read as YAML."""
    text = view.text(path)
    if text is None:
        return
    try:
        yield from _numbers(parse(text), key, "")
    except NotPlain:
        for number, line in enumerate(text.splitlines(), 1):
            if key in line and not line.lstrip().startswith("#"):
                yield (
                    "",
                    Owner(
                        program, path, number, line.strip()[:80], None, view.cards.every(UNKNOWN), f"{key}: {{count}}"
                    ),
                )


def _numbers(node: Node, key: str, name: str) -> Iterator[tuple[str, Node]]:
    named = node.mapping.get("name")
    if named is not None and named.text:
        name = named.text
    for each, value in node.mapping.items():
        if each == key and value.text is not None:
            yield name, value
        else:
            yield from _numbers(value, key, name if name and key != "num_vfs" else each)
    for item in node.items:
        yield from _numbers(item, key, name)
