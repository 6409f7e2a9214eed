"""What nova.conf says already that this tool did not put there, in every file and under every name that the release reads."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.chapters.passthrough import nova_options, pools
from wizard.chapters.passthrough.pools import Answers
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaSetting
from wizard.model.answers import AllAnswers


@dataclass(frozen=True, slots=True)
class Asked:
    """The answers, and what stands beside them."""

    facts: Facts
    answers: AllAnswers
    mine: Answers
    release: str
    aliases: tuple[NovaSetting, ...]
    devices: tuple[NovaSetting, ...]

    @property
    def reported(self) -> bool:
        """Whether this node counts its devices in Placement; as oslo.config reads a switch."""
        said = self.facts.nova.last("pci", "report_in_placement") or ""
        return nova_options.knows_placement(self.release) and said.lower() in ("1", "true", "yes", "on")


def asked(facts: Facts, answers: AllAnswers, mine: Answers, release: str, own: set[str]) -> Asked:
    """`own` is what an earlier run put into the file that is edited: it goes, or is asked for again."""
    path = pools.file_of(facts, mine)
    written = {value for values in pools.for_node(facts, answers, mine, release).values() for value in values}

    def others(options: tuple[tuple[str, str], ...]) -> tuple[NovaSetting, ...]:
        there = [setting for section, option in options for setting in facts.nova.all(section, option)]
        return tuple(s for s in there if s.path != path or s.value not in own | written)

    aliases = others(nova_options.alias_options_read(release))
    return Asked(facts, answers, mine, release, aliases, others(nova_options.device_options_read(release)))
