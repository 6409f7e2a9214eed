"""Rules beside ours that bring metadata requests into this node: nova-network's own, or somebody else's."""

from __future__ import annotations

import ipaddress

from wizard.chapters.metadata import service as metadata_service
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaSetting
from wizard.formats import ebtables
from wizard.model.findings import Finding

CHAPTER = "metadata"
CHAIN = "cw-metadata"
OPTION = "force_snat_range"
METADATA = ipaddress.IPv4Address("169.254.169.254")
SHOWN = 3
_SPOOF = (
    "A redirect with target ACCEPT that stands before libvirt's anti-spoofing ends the table there: one VM can fetch another's "
    "metadata."
)


def findings(facts: Facts) -> list[Finding]:
    """What stands in the bridge tables that can be seen, of both variants: each is in force."""
    rules = [
        rule
        for table in (facts.network.nat_chains or (), facts.network.other_nat_chains)
        for rule in ebtables.foreign_metadata_rules({chain.name: chain for chain in table}, chain=CHAIN)
    ]
    asked = [setting for setting in facts.nova.all("DEFAULT", OPTION) if _covers(setting)]
    ranges = [_network(setting.value) for setting in asked]
    novas = [rule for rule in rules if (where := ebtables.nova_range(rule)) and _network(where) in ranges]
    alike = [rule for rule in rules if ebtables.nova_range(rule) and rule not in novas]
    others = [rule for rule in rules if not ebtables.nova_range(rule)]
    return [
        *([_nova(asked[0], novas)] if asked else ()),
        *([_alike(facts, alike)] if alike else ()),
        *([_foreign(others)] if others else ()),
    ]


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


def _covers(setting: NovaSetting) -> bool:
    network = None if setting.unknown else _network(setting.value)
    return network is not None and METADATA in network


def _words(rules: list[ebtables.Rule]) -> str:
    more = f"; and {len(rules) - SHOWN} more" if len(rules) > SHOWN else ""
    return "; ".join(f"{rule.chain}: {' '.join(rule.words)}" for rule in rules[:SHOWN]) + more


def _finding(code: str, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity="warns", chapter=CHAPTER, seen=seen, why=why, do=do)


def _nova(setting: NovaSetting, rules: list[ebtables.Rule]) -> Finding:
    there = f"; {_words(rules)}" if rules else ""
    return _finding(
        "METADATA-NOVA-RULE",
        f"{setting.place}: {OPTION} = {setting.value}{there}",
        "By this option nova-network puts a redirect of its own on top of the table at each start, for every network whose router "
        f"is not its DHCP server: metadata comes here by that as well. Its target is ACCEPT. {_SPOOF}",
        "Keep one of the two. Ours: take that line out of nova.conf, restart nova-network, and only then take its rules out "
        "(`ebtables -t nat -D …`), else nova adds them again. Nova's: answer redirect = false.",
    )


def _alike(facts: Facts, rules: list[ebtables.Rule]) -> Finding:
    unsaid = [setting for setting in facts.nova.all("DEFAULT", OPTION) if setting.unknown]
    known = not unsaid and not metadata_service.dark(facts)
    origin = (
        f"and nova.conf as it is seen here does not name that in {OPTION}: nova-network left it from before, or somebody else made it"
        if known
        else f"and whether nova.conf asks for it by {OPTION} is not known"
    )
    return _finding(
        "METADATA-FOREIGN-RULE",
        _words(rules),
        f"It has the form of nova-network's own rule, {origin}. {_SPOOF}",
        f"Look for {OPTION} in what nova-network reads: while it is set there, nova adds the rule again at each start. Else take "
        "it out (`ebtables -t nat -D …`), and out of what sets it at boot, once ours is in place.",
    )


def _foreign(rules: list[ebtables.Rule]) -> Finding:
    return _finding(
        "METADATA-FOREIGN-RULE",
        _words(rules),
        f"It is neither ours nor of the form in which nova adds its own: put there by hand, or by a script. {_SPOOF}",
        "Take it out (`ebtables -t nat -D …`) and out of what sets it at boot, once ours is in place.",
    )


def metadata(facts: Facts, chain: str) -> list[str]:
    """Rules outside our chain. The kernel does not know which file they came from."""
    chains = [*(facts.network.nat_chains or ()), *facts.network.other_nat_chains]
    rules = [rule for each in chains for rule in ebtables.foreign_metadata_rules({each.name: each}, chain=chain)]
    return [f"ebtables -t nat, {rule.chain}: {' '.join(rule.words)}" for rule in dict.fromkeys(rules)]
