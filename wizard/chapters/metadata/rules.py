"""Rules beside ours that bring metadata requests into this node: nova-network's own, or somebody else's."""

from __future__ import annotations

import ipaddress

from wizard.chapters.metadata import service as metadata_service
from wizard.dataclass import dataclass
from wizard.facts.facts import Facts
from wizard.facts.nova.nova import NovaSetting
from wizard.formats import ebtables
from wizard.formats.ebtables import Chain
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


@dataclass(frozen=True, slots=True)
class _Found:
    """A rule, and the command that sees it: rules of one variant are invisible to the other's."""

    rule: ebtables.Rule
    command: str

    @property
    def words(self) -> str:
        return f"{self.rule.chain}: {' '.join(self.rule.words)}"


def _tables(facts: Facts) -> list[tuple[str, tuple[Chain, ...]]]:
    """The nat tables by the command that lists each."""
    others = "/".join(f"ebtables-{variant}" for variant in facts.network.ebtables[1:])
    return [("ebtables", facts.network.nat_chains or ()), (others or "ebtables", facts.network.other_nat_chains)]


def _found(facts: Facts) -> list[_Found]:
    return [
        _Found(rule, command)
        for command, table in _tables(facts)
        for rule in ebtables.foreign_metadata_rules({chain.name: chain for chain in table}, chain=CHAIN)
    ]


def findings(facts: Facts) -> list[Finding]:
    """What stands in the bridge tables that can be seen, of both variants: each is in force."""
    rules = _found(facts)
    asked = [setting for setting in facts.nova.for_network().all("DEFAULT", OPTION) if _covers(setting)]
    ranges = [_network(setting.value) for setting in asked]
    novas = [each for each in rules if (where := ebtables.nova_range(each.rule)) and _network(where) in ranges]
    alike = [each for each in rules if ebtables.nova_range(each.rule) and each not in novas]
    others = [each for each in rules if not ebtables.nova_range(each.rule)]
    return [
        *([_nova(facts, asked[0], novas)] if asked else ()),
        *([_alike(facts, alike)] if alike else ()),
        *([_foreign(facts, others)] if others else ()),
    ]


def libvirt_elsewhere(facts: Facts) -> str:
    """The command of the variant in which libvirt's chains stand, where `ebtables` does not see them; else empty."""
    seen = [
        command
        for command, table in _tables(facts)
        if any(name.startswith("libvirt-") for chain in table for name in (chain.name, *_targets(chain)))
    ]
    return seen[0] if seen and seen[0] != "ebtables" else ""


def _targets(chain: Chain) -> list[str]:
    return [rule.words[-1] for rule in chain.rules if rule.words]


def _delete(facts: Facts, rules: list[_Found]) -> str:
    """How such rules are taken out, by the command that sees them."""
    first = rules[0] if rules else None
    command = first.command if first else "ebtables"
    rule = f"{first.rule.chain} {' '.join(first.rule.words)}" if first else "…"
    more = (
        "; libvirt's own filters are in that variant, too: flush nothing of it"
        if command == libvirt_elsewhere(facts)
        else ""
    )
    return f"`{command} -t nat -D {rule}`{more}"


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


def _covers(setting: NovaSetting) -> bool:
    network = None if setting.unknown else _network(setting.value)
    return network is not None and METADATA in network


def _words(rules: list[_Found]) -> str:
    more = f"; and {len(rules) - SHOWN} more" if len(rules) > SHOWN else ""
    return "; ".join(f"{each.words}{_where(each)}" for each in rules[:SHOWN]) + more


def _where(each: _Found) -> str:
    return "" if each.command == "ebtables" else f" (seen by {each.command} alone)"


def _finding(code: str, seen: str, why: str, do: str) -> Finding:
    return Finding(code=code, severity="warns", chapter=CHAPTER, seen=seen, why=why, do=do)


def _nova(facts: Facts, setting: NovaSetting, rules: list[_Found]) -> Finding:
    there = f"; {_words(rules)}" if rules else ""
    return _finding(
        "METADATA-NOVA-RULE",
        f"{setting.place}: {OPTION} = {setting.value}{there}",
        "By this option nova-network puts a redirect of its own on top of the table at each start, for every network whose router "
        f"is not its DHCP server: metadata comes here by that as well. Its target is ACCEPT. {_SPOOF}",
        "Keep one of the two. Ours: take that line out of nova.conf, restart nova-network, and only then take its rules out "
        f"({_delete(facts, rules)}), else nova adds them again. Nova's: answer redirect = false.",
    )


def _alike(facts: Facts, rules: list[_Found]) -> Finding:
    unsaid = [setting for setting in facts.nova.for_network().all("DEFAULT", OPTION) if setting.unknown]
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
        f"it out ({_delete(facts, rules)}), and out of what sets it at boot, once ours is in place.",
    )


def _foreign(facts: Facts, rules: list[_Found]) -> Finding:
    return _finding(
        "METADATA-FOREIGN-RULE",
        _words(rules),
        f"It is neither ours nor of the form in which nova adds its own: put there by hand, or by a script. {_SPOOF}",
        f"Take it out ({_delete(facts, rules)}) and out of what sets it at boot, once ours is in place.",
    )


def metadata(facts: Facts) -> list[str]:
    """Rules outside our chain. The kernel does not know which file they came from."""
    found = {f"{each.command} -t nat, {each.words}": None for each in _found(facts)}
    return list(found)


def doubts(facts: Facts) -> list[str]:
    """Tables of ebtables that could not be read, where there are bridges whose packets they could see."""
    network = facts.network
    if network.nat_chains is not None or not network.ebtables or facts.nova.networking == "neutron":
        return []
    reason = next(
        (each.why for each in network.unseen if "ebtables" in f"{each.what} {each.why}"), "it could not be read"
    )
    return [f"the table nat of ebtables: {reason}"]
