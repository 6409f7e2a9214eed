"""The bridge firewall's nat table, read without changing anything.

A listing can change a node. `ebtables-legacy -L` loads the kernel module ebtable_nat. ebtables-nft before 1.8.8 puts an
empty table and its base chains where there were none; 1.8.9 was seen to leave the ruleset as it is. So on a live node a
table is listed only where it is there already: the module loaded, or `table bridge nat` among nft's own tables.
"""

from __future__ import annotations

import posixpath

from wizard.errors import FormatError
from wizard.formats.ebtables import Chain, parse_listing
from wizard.node import best_effort
from wizard.node.node import Node, Output, Unseen
from wizard.regex import regex

LISTING = ("-t", "nat", "-L", "--Lc")
WHAT = "bridge firewall ({} -t nat)"
_LEAVES_ALONE = (1, 8, 9)  # the first ebtables-nft that was seen to create nothing when it lists
_VERSION = regex(r"v?(\d+)\.(\d+)\.(\d+)")


def variants(node: Node) -> tuple[str, ...]:
    """The variants that are there, "nft" and "legacy"; first the one that the plain name `ebtables` means."""
    found = [variant for variant in ("nft", "legacy") if node.command(f"ebtables-{variant}")]
    path = node.command("ebtables")
    if path:
        meant = "nft" if "nft" in posixpath.basename(best_effort.resolved(node, path)) else "legacy"
        found = [meant, *(variant for variant in found if variant != meant)]
    return tuple(found)


def read(node: Node, variant: str, command: str = "ebtables") -> tuple[tuple[Chain, ...] | None, tuple[Unseen, ...]]:
    """The chains of the nat table as a command of that variant sees them.

    They are () where there is no table, None where it cannot be read. `variant` is empty where there is no ebtables.
    """
    what = WHAT.format(command)
    if not node.live:
        said = best_effort.ask(node, (command, *LISTING))
        if said is not None:
            return _parsed(said, what)
        if variant and _known_modules(node) and _exists(node, variant) is False:
            return (), ()
        return None, (Unseen(what, "the listing was not recorded" if variant else "there is no ebtables here"),)
    if not variant:
        return None, (Unseen(what, "there is no ebtables here"),)
    if not node.privileged:
        return None, (Unseen(what, "may not be listed without root rights"),)
    exists = _exists(node, variant)
    if exists is None:
        return None, (
            Unseen(what, "this ebtables could create the table by listing it; nft, which tells, is not here"),
        )
    if not exists:
        return (), ()
    said = best_effort.ask(node, (command, *LISTING))
    if said is None:
        return None, (Unseen(what, "ebtables gave no answer"),)
    # root is told so only by a kernel that has no such table; others are told so too
    return ((), ()) if "kernel doesn't support the ebtables" in said.stderr else _parsed(said, what)


def _parsed(said: Output, what: str) -> tuple[tuple[Chain, ...] | None, tuple[Unseen, ...]]:
    if said.status != 0:
        why = next(iter(said.stderr.strip().splitlines()), f"ebtables ended with status {said.status}")
        return None, (Unseen(what, why),)
    try:
        return tuple(parse_listing(said.stdout).values()), ()
    except FormatError as error:
        return None, (Unseen(what, str(error)),)


def _exists(node: Node, variant: str) -> bool | None:
    """Whether there is a table that a listing could not make; None where that is not known."""
    return _has_module(node, "ebtable_nat") if variant == "legacy" else _nft_exists(node)


def _known_modules(node: Node) -> bool:
    """Whether a recording holds what tells that a part of the kernel is not there: the recorder lists no table then."""
    return best_effort.loaded_modules(node) is not None and node.text(_built_in(node)) is not None


def _built_in(node: Node) -> str:
    return f"/lib/modules/{node.text('/proc/sys/kernel/osrelease') or ''}/modules.builtin"


def _has_module(node: Node, name: str) -> bool:
    """Whether a part of the kernel is there already, as a loaded module or built in."""
    loaded = best_effort.loaded_modules(node)
    if loaded is None or name in loaded or node.exists(f"/sys/module/{name}"):
        return True  # without /proc/modules the kernel cannot load anything
    built_in = node.text(_built_in(node)) or ""
    return any(posixpath.basename(line) == f"{name}.ko" for line in built_in.splitlines())


def _nft_exists(node: Node) -> bool | None:
    if not _has_module(node, "nf_tables"):
        return False
    if node.command("nft"):
        said = best_effort.ask(node, ("nft", "list", "tables"))
        if said is not None and said.status == 0:
            return "table bridge nat" in said.stdout.splitlines()
    said = best_effort.ask(node, ("ebtables-nft" if node.command("ebtables-nft") else "ebtables", "-V"))
    match = _VERSION.search(said.stdout) if said is not None else None
    return True if match and tuple(map(int, match.groups())) >= _LEAVES_ALONE else None
