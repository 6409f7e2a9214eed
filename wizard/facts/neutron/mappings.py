"""Mappings of physical networks, `physnet1:br-ex,physnet2:br-vlan`, as Neutron and OVN read them."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Mapping:
    """One physical network: by the agent of a kind it is on `target`, a bridge or an interface. `place` says where that stands."""

    kind: str
    network: str
    target: str
    place: str


def pairs(kind: str, text: str, place: str) -> Iterator[Mapping]:
    """Its pairs, blanks aside (neutron_lib's parse_mappings; ovn controller/patch.c). What is no pair is passed over."""
    for part in text.split(","):
        network, colon, target = part.strip().strip("\"'").partition(":")
        if colon and network.strip() and target.strip():
            yield Mapping(kind, network.strip(), target.strip(), place)


def merged(text: str, network: str, target: str) -> str:
    """The list with one network on another target, or with one more; all else as it was and in its order."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    own = f"{network}:{target}"
    result = [own if part.partition(":")[0].strip() == network else part for part in parts]
    return ",".join(result if own in result else [*result, own])
