"""Proofs as the wizard has them: what each would do, and the one that is being given. No widgets here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers
from wizard.model.findings import Check
from wizard.probes.registry import Probe

if TYPE_CHECKING:
    from screens.shared.session import NodeEngine


@dataclass(frozen=True, slots=True)
class Offer:
    """A proof, what it would do, and why it cannot be given here: one of both is empty."""

    proof: Probe
    would_do: tuple[str, ...]
    why_not: str = ""

    def told(self) -> list[str]:
        """What is to be known before it is asked for."""
        if not self.would_do:
            return [f"Not here: {self.why_not}."]
        return ["This would be done:", *(f"  {line}" for line in self.would_do), "", self.proof.LIMITS]


def offers(engine: NodeEngine, facts: Facts, answers: AllAnswers) -> list[Offer]:
    """All proofs. Takes up to seconds."""
    found = []
    for proof in engine.proofs():
        would_do = tuple(proof.announce(engine.node, facts, answers, ""))
        # One that would do nothing does nothing: it says why.
        why = [] if would_do else proof.prove(engine.node, facts, answers, "", lambda line: None)
        found.append(
            Offer(proof, would_do, "; ".join(dict.fromkeys(check.seen for check in why)) or "nothing to be asked")
        )
    return found


@dataclass(slots=True)
class Proving:
    """A proof that is being given, or was: what it said meanwhile, and its checks at its end."""

    proof: Probe
    said: list[str] = field(default_factory=list)
    checks: list[Check] | None = None

    @property
    def proven(self) -> bool:
        """Whether something was tried at all."""
        return any(check.state != "unknown" for check in self.checks or ())

    def told(self) -> list[str]:
        """How far it is, or what it came to."""
        if self.checks is None:
            return [*(f"{line} ..." for line in self.said), "", "It ends by itself, and is found here again."]
        lines = []
        for check in self.checks:
            state = check.state.upper() if check.state == "failed" else check.state
            lines += [f"{state}: {check.what}", f"  {check.seen}"]
            lines += [f"  do: {check.do}"] if check.do and check.state != "held" else []
        return [*lines, "", self.proof.LIMITS] if self.proven else lines
