"""The lines of nova.conf in the order in which this release reads them, now and after the plan; and what they hand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wizard.chapters.passthrough import nova_options
from wizard.chapters.passthrough.matching import devices
from wizard.chapters.passthrough.matching.handout import Handout, handout
from wizard.chapters.passthrough.matching.rules import Rules
from wizard.dataclass import dataclass
from wizard.errors import FormatError
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaSetting
from wizard.formats import oslo_config

Settings = tuple[NovaSetting, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """`now` is what nova hands out of what is here; `before` and `after` are of the VFs that are asked for, without and with the
    lines of the plan."""

    now: Handout
    before: Handout
    after: Handout


def outlook(
    facts: Facts, release: str, asked: Mapping[str, int], edited: Mapping[str, bytes], elsewhere: Sequence[str] = ()
) -> Outlook:
    """`asked` says how many VFs PFs are to have, by address; `edited` is what files are to hold, by path; `elsewhere` are aliases
    that the controller alone is to have."""
    section, option = nova_options.alias_option(release)
    more = tuple(NovaSetting("the controller", 0, section, option, value) for value in elsewhere)
    return Outlook(
        now=of(facts, release, facts.nova.settings),
        before=of(facts, release, facts.nova.settings, asked),
        after=of(facts, release, (*after(facts, edited), *more), asked),
    )


def of(facts: Facts, release: str, settings: Settings, asked: Mapping[str, int] | None = None) -> Handout:
    """What these settings hand out."""
    rules = Rules(
        release, _on(settings, "pci", "report_in_placement"), _on(settings, "filter_scheduler", "pci_in_placement")
    )
    return handout(
        devices.host(facts.pci.functions, rules, asked),
        in_order(facts, settings, nova_options.device_options_read(release)),
        in_order(facts, settings, nova_options.alias_options_read(release)),
        rules,
        unread(facts),
    )


def unread(facts: Facts) -> str:
    """Which of nova's files could not be read, as a sentence; empty where all of them were."""
    hidden = next((each for each in facts.nova.unseen if each.what in facts.nova.config_files), None)
    if hidden is not None:
        return f"{hidden.what} could not be read: {hidden.why}"
    return facts.nova.problem


def in_order(facts: Facts, settings: Settings, names: tuple[tuple[str, str], ...]) -> list[NovaSetting]:
    """The values of one multi-valued option as oslo.config joins them: file by file, and in each the older names first
    (oslo_config/cfg.py, _Namespace._get_value with multi)."""
    files = {path: number for number, path in enumerate(facts.nova.config_files)}
    found = [each for each in settings if (each.section, each.option) in names]
    return sorted(found, key=lambda each: (files.get(each.path, len(files)), names.index((each.section, each.option))))


def _on(settings: Settings, section: str, option: str) -> bool:
    values = [each.value for each in settings if (each.section, each.option) == (section, option) and not each.unknown]
    return bool(values) and values[-1].lower() in ("1", "true", "yes", "on")


def after(facts: Facts, edited: Mapping[str, bytes]) -> Settings:
    """The settings once these files are written; a file that nova does not read changes none of them."""
    found: list[NovaSetting] = []
    for path in facts.nova.config_files:
        there = [setting for setting in facts.nova.settings if setting.path == path]
        found += _of(facts, path, there, edited[path]) if path in edited else there
    return tuple(found)


def _of(facts: Facts, path: str, there: list[NovaSetting], content: bytes) -> list[NovaSetting]:
    """Settings of a file that was edited: a value that was there is resolved as it was, with its line of now."""
    options = {(each.section, each.option) for each in there}
    options |= {("DEFAULT", "pci_passthrough_whitelist"), ("pci", "passthrough_whitelist"), ("pci", "device_spec")}
    options |= {("DEFAULT", "pci_alias"), ("pci", "alias")}
    try:
        old = [each for each in oslo_config.parse(facts.content(path) or b"") if (each.section, each.option) in options]
        new = [each for each in oslo_config.parse(content) if (each.section, each.option) in options]
    except FormatError:
        return there
    raw = {(s.section, s.option, s.value): setting for s, setting in zip(old, there, strict=False)}
    found = []
    for each in new:
        known = raw.get((each.section, each.option, each.value))
        made = NovaSetting(path, each.line, each.section, each.option, each.value.replace("$$", "$"))
        found.append(known or made)
    return found
