"""Proofs that `verify` gives when it is asked for them, and never by itself: metadata fetched as a guest would, and a guest booted.

A proof is a module with `NAME` (its word on the command line), `TITLE`, `LIMITS` (what it does not prove), `announce` (what it
would do, a line each, for the question before it; empty where it cannot do anything) and `prove` (its checks). `only` narrows
it to one bridge or one VF; "" leaves the choice to the proof. `prove` takes up to minutes and never raises for what it finds.
"""

from __future__ import annotations

from typing import Protocol

from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.node.node import Node
from wizard.probes.base import Tell


class Probe(Protocol):
    """The parts of a proof."""

    NAME: str
    TITLE: str
    LIMITS: str

    def announce(self, node: Node, facts: Facts, answers: AllAnswers, only: str) -> list[str]: ...

    def prove(self, node: Node, facts: Facts, answers: AllAnswers, only: str, tell: Tell) -> list[Check]: ...


def proofs() -> tuple[Probe, ...]:
    """All proofs, in the order in which they are given."""
    from wizard.probes.guest import probe as guest
    from wizard.probes.metadata import probe as metadata

    return (metadata, guest)
