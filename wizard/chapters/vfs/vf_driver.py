"""What a way to make VFs offers: the changing half of a family of cards. The reading half is `wizard/facts/pci/families.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wizard.chapters.shared.cards import Ports, Request
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.changes import Changes
from wizard.model.findings import Check, Finding

CHAPTER = "vfs"
SUGGESTED = 16  # VFs; a round number of guests for one node, where cards may offer hundreds


class VfDriver(Protocol):
    """Asked of functions of its families alone, and of the requests for them."""

    families: tuple[str, ...]  # names of CardFamily
    one_for_all: bool  # one setting counts for all its cards, so that a card that is not named gets VFs with the others
    sets_ports: bool  # whether it can set the kind of a card's ports

    def configured(self, facts: Facts, function: PciFunction) -> int | None:
        """How many VFs the function is set to have at the next boot, by whoever set it; None where nobody did."""

    def host_vfs(self, facts: Facts, function: PciFunction) -> int:
        """How many of them are set to be kept by the host."""

    def ports(self, facts: Facts, function: PciFunction) -> Ports | list[Ports]:
        """What the ports are set to be; "keep" where nothing says so."""

    def gets_none(self, facts: Facts, function: PciFunction) -> bool:
        """Whether what is set gives this card no VFs, and another one some: it is not suggested then."""

    def changes(self, facts: Facts, requests: Sequence[Request]) -> Changes:
        """What makes the VFs, now and at each boot."""

    def changes_now(self, facts: Facts, request: Request) -> bool:
        """Whether a run changes the VFs that are there; else they stay as they are until the reboot."""

    def findings_of_one(self, facts: Facts, request: Request) -> list[Finding]:
        """What it would refuse of one request."""

    def findings(self, facts: Facts, requests: Sequence[Request]) -> list[Finding]:
        """What is wrong, or will go wrong, with all of them together."""

    def set_by_others(self, facts: Facts, request: Request) -> list[str]:
        """For a card that is to have none: who else makes VFs of it, once our changes are done."""

    def perhaps_set_by_others(self, facts: Facts, request: Request) -> list[str]:
        """For a card that is to have none: what may make VFs of it and cannot be followed."""

    def owners(self, facts: Facts, function: PciFunction) -> list[str]:
        """For a card that the answers do not name: who makes VFs of it."""

    def checks_of_all(self, facts: Facts, requests: Sequence[Request]) -> list[Check]:
        """What its requests have in common."""

    def is_idle(self, facts: Facts, request: Request) -> bool:
        """Whether nothing is wanted of the card and nothing there is ours: then nothing is checked."""

    def not_yet(self, facts: Facts, request: Request, what: str, seen: str) -> Check | None:
        """Why the number is not there now, where the driver has something to say about that."""

    def set_at_boot(self, facts: Facts, request: Request) -> bool:
        """Whether the next boot is to make as many, by whoever does it."""

    def checks(self, facts: Facts, request: Request) -> list[Check]:
        """What else shows that a request is fulfilled, besides the number of VFs now."""
