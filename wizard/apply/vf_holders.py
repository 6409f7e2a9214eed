"""Who would lose a VF if their number were changed now. Looked at right before, not only when the plan was made: a guest may have
taken one since, and the kernel does not ask (see :mod:`wizard.facts.vf_use`)."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.errors import Refused
from wizard.facts import guests
from wizard.facts.network import network
from wizard.facts.pci import functions as pci
from wizard.model import guest_effects
from wizard.model.steps import RunCommand, WriteSysfs
from wizard.node.node import Node

SHOWN = 4


def refuse(node: Node, path: str, *, guests_only: bool = False) -> None:
    """Raises Refused where VFs of the function whose `sriov_numvfs` is at `path` are held; the attribute is not to be written then.

    `guests_only`: what the host itself does with its VFs, such as an address that DHCP gave one, stands in the way of no taking back.
    """
    if _effect(path) != "device" or (path.endswith("/sriov_numvfs") and (node.text(path) or "0").strip() == "0"):
        return
    seen = pci.read(node)
    function = next((each for each in seen.functions if each.address == path.split("/")[-2]), None)
    uses = guests.read(node, seen, network.read(node)).in_use
    held = [use for use in uses if function is None or use.address in (*function.virtual_functions, function.address)]
    if not path.endswith("/sriov_numvfs"):  # whoever is the host's own is asked for by the plan
        guests_only = True
    if guests_only:
        held = [use for use in held if use.by_guest]
    if held:
        who = "; ".join(f"{use.address}: {use.by}" for use in held[:SHOWN])
        more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
        raise Refused(
            f"{path} is not written, its VFs would be taken from whoever holds them: {who}{more}", code="VF-HELD"
        )


def refuse_command(node: Node, step: RunCommand, argv: Sequence[str]) -> None:
    """Raises Refused for a command that takes devices away, such as a reset of a card, while a guest holds one of this node's."""
    if guest_effects.row(step.model_copy(update={"argv": tuple(argv)})).effect != "device":
        return
    held = [use for use in guests.read(node, pci.read(node), network.read(node)).in_use if use.by_guest]
    if held:
        who = "; ".join(f"{use.address}: {use.by}" for use in held[:SHOWN])
        raise Refused(f"{argv[0]} is not run, it may take devices from guests that hold them: {who}", code="VF-HELD")


def _effect(path: str) -> str:
    """Of writing an attribute, to any value."""
    step = WriteSysfs(chapters=(), phase="live", why=(), path=path, before="", after="")
    return guest_effects.row(step).effect
