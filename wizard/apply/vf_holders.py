"""Who would lose a VF if their number were changed now. Looked at right before, not only when the plan was made: a guest may have
taken one since, and the kernel does not ask (see :mod:`wizard.facts.vf_use`)."""

from __future__ import annotations

from wizard.errors import Refused
from wizard.facts import guests
from wizard.facts.network import network
from wizard.facts.pci import functions as pci
from wizard.node.node import Node

SHOWN = 4


def refuse(node: Node, path: str, *, guests_only: bool = False) -> None:
    """Raises Refused where VFs of the function whose `sriov_numvfs` is at `path` are held; the attribute is not to be written then.

    `guests_only`: what the host itself does with its VFs, such as an address that DHCP gave one, stands in the way of no taking back.
    """
    if not path.endswith("/sriov_numvfs") or (node.text(path) or "0").strip() == "0":
        return
    seen = pci.read(node)
    function = next((each for each in seen.functions if each.address == path.split("/")[-2]), None)
    uses = guests.read(node, seen, network.read(node)).in_use
    held = [use for use in uses if function is not None and use.address in function.virtual_functions]
    if guests_only:
        held = [use for use in held if use.by_guest]
    if held:
        who = "; ".join(f"{use.address}: {use.by}" for use in held[:SHOWN])
        more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
        raise Refused(f"{path} is not written, its VFs would be taken from whoever holds them: {who}{more}")
