"""What nova.conf says already that this tool did not put there, in every file and under every name that the release reads."""

from __future__ import annotations

from wizard.chapters.passthrough import nova_conf, nova_options, pools
from wizard.chapters.passthrough.matching import outlook
from wizard.chapters.passthrough.matching.handout import Row
from wizard.chapters.passthrough.matching.outlook import Outlook
from wizard.chapters.passthrough.pools import Answers, Pool
from wizard.chapters.shared import cards
from wizard.chapters.shared.cards import CardAnswers
from wizard.dataclass import dataclass
from wizard.errors import FormatError
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
    outlook: Outlook
    changes: bool
    """Whether the plan changes the file, and so restarts nova-compute."""

    def meant(self, pool: Pool, rows: tuple[Row, ...] | None = None) -> list[Row]:
        """What nova does, after the plan, with the devices that a pool is made for."""
        rows = self.outlook.after.rows if rows is None else rows
        if isinstance(pool.devices, list):
            named = [(each.vendor_id, each.product_id, each.address) for each in pool.devices]
            return [row for row in rows if any(_is_named(row, *each) for each in named)]
        parents = {f.address: f.vf_device for f in pools.pool_functions(self.facts, self.answers, pool)}
        return [row for row in rows if row.device.parent and parents.get(row.device.parent) == row.device.product]

    @property
    def reported(self) -> bool:
        """Whether this node counts its devices in Placement; as oslo.config reads a switch."""
        said = self.facts.nova.last("pci", "report_in_placement") or ""
        return nova_options.knows_placement(self.release) and said.lower() in ("1", "true", "yes", "on")


def _is_named(row: Row, vendor: str, product: str, address: str | None) -> bool:
    device = row.device
    return (device.vendor, device.product) == (vendor, product) and address in (None, device.address, device.parent)


def asked(facts: Facts, answers: AllAnswers, mine: Answers, release: str) -> Asked:
    """What an earlier run put into the file that is edited counts as ours: it goes, or is asked for again."""
    path, own = pools.file_of(facts, mine), nova_conf.own_values(facts, mine)
    wanted = pools.for_node(facts, answers, mine, release)
    written = {value for values in wanted.values() for value in values}

    def others(options: tuple[tuple[str, str], ...]) -> tuple[NovaSetting, ...]:
        there = [setting for section, option in options for setting in facts.nova.all(section, option)]
        return tuple(s for s in there if s.path != path or s.value not in own | written)

    edited = _edited(facts, path, wanted, own)
    return Asked(
        facts,
        answers,
        mine,
        release,
        others(nova_options.alias_options_read(release)),
        others(nova_options.device_options_read(release)),
        outlook.outlook(facts, release, vfs_asked(facts, answers), edited, _elsewhere(facts, answers, mine, release)),
        any(content != facts.content(name) for name, content in edited.items()),
    )


def vfs_asked(facts: Facts, answers: AllAnswers) -> dict[str, int]:
    """How many VFs the PFs are to have that are asked for, by address."""
    asked = answers.of(CardAnswers)
    return {each.function.address: each.count for each in cards.requests(asked, facts.pci)} if asked else {}


def _edited(facts: Facts, path: str, wanted: nova_conf.Wanted, own: set[str]) -> dict[str, bytes]:
    try:
        content = nova_conf.edited(facts.content(path), wanted, own)
    except FormatError:  # said where the file is judged
        return {}
    return {} if content is None else {path: content}


def _elsewhere(facts: Facts, answers: AllAnswers, mine: Answers, release: str) -> list[str]:
    """Aliases that are not written here, since this release reads them on the controller alone."""
    if nova_options.alias_on_compute(release):
        return []
    return [value for pool in mine.pool for value in pools.alias(facts, answers, pool, release)]
