"""Whether this node can make config drives: nova-compute runs a program for each (nova/virt/configdrive.py, _make_iso9660)."""

from __future__ import annotations

from collections.abc import Iterable

from wizard.facts.nova import config as nova_config
from wizard.facts.nova.config import NovaSetting
from wizard.node.node import Node

DEFAULT = "genisoimage"  # nova's own default of mkisofs_cmd in every release (nova/conf/configdrive.py)
VFAT = "mkfs.vfat"  # run by mkfs where config_drive_format = vfat
LOOKED_FOR = "/.compute-wizard/looked-for"
"""A recording names the programs here that its node was searched for: what is not there then was not there."""


def program(settings: Iterable[NovaSetting]) -> str:
    """What nova-compute runs to make a config drive, by its configuration."""
    every = tuple(settings)
    if (nova_config.last(every, "DEFAULT", "config_drive_format") or "").strip().lower() == "vfat":
        return VFAT
    return (nova_config.last(every, "DEFAULT", "mkisofs_cmd") or "").strip() or DEFAULT


def is_there(node: Node, name: str, contained: bool) -> bool | None:
    """Whether the node has it; None where that is not known: in a container, or in a recording that did not look."""
    if contained:
        return None
    if node.exists(name) if name.startswith("/") else node.command(name) is not None:
        return True
    known = node.live or node.simulated or name.rpartition("/")[2] in (node.text(LOOKED_FOR) or "").split()
    return False if known else None
