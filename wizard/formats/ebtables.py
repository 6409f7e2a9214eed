"""Listings of ebtables, legacy and nft, in one spelling; and whether the metadata redirect in them is as it should be.

Variants differ: `!` stands before or after its option, counters and numbers come in two forms, legacy `--Lx` prints `-A` lines
(nft ignores it), ACCEPT as redirect target is left out, and protocol 6 may be `tcp`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wizard.dataclass import dataclass
from wizard.errors import FormatError
from wizard.regex import regex

_CHAIN = regex(r"Bridge chain: (\S+), entries: \d+, policy: (\S+)")
_TABLE = regex(r"Bridge table: \S+")
_LX_RULE = regex(r"ebtables(?: -t \S+)? -A (\S+) (.*)")
_LX_CHAIN = regex(r"ebtables(?: -t \S+)? -[NP] (\S+)(?: (?:-P )?(\S+))?")
_SAVE_CHAIN = regex(r":(\S+) (\S+)")
_SAVE_RULE = regex(r"-A (\S+) (.*)")
_NUMBER = regex(r"\d+\.? +(?=-|!)")
_COUNTERS = regex(r"\s*,?\s*pcnt = (\d+) -- bcnt = \d+\s*$|\s+-c (\d+) \d+\s*$")
_MAC = regex(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}(/[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5})?", re.IGNORECASE)
_OPTIONS = {
    "--ip-protocol": "--ip-proto",
    "--ip-destination": "--ip-dst",
    "--ip-source": "--ip-src",
    "--ip-destination-port": "--ip-dport",
    "--ip-source-port": "--ip-sport",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--protocol": "-p",
    "--jump": "-j",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in canonical words: `!` before its option, `--ip-proto tcp`, no /32, every redirect with its target."""

    chain: str
    words: tuple[str, ...]
    packets: int | None  # None where the listing has no counters


@dataclass(frozen=True, slots=True)
class Chain:
    name: str
    policy: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class MetadataState:
    """`jumps` from PREROUTING to our chain; `right`: exactly as wanted; else `differences`, a sentence each."""

    jumps: int
    right: bool
    differences: tuple[str, ...]


def parse_listing(text: str) -> dict[str, Chain]:
    """`ebtables -t TABLE -L` with any of --Ln, --Lc, --Lx, or the rules of ebtables-save. Raises FormatError for other text."""
    chains: dict[str, tuple[str, list[Rule]]] = {}
    current = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(("#", "*")) or _TABLE.fullmatch(line):
            continue
        head = _CHAIN.fullmatch(line) or _SAVE_CHAIN.fullmatch(line)
        if head:
            current = head[1]
            chains.setdefault(current, (head[2], []))
            continue
        named = _LX_RULE.fullmatch(line) or _SAVE_RULE.fullmatch(line)
        made = _LX_CHAIN.fullmatch(line)
        if named:
            name, body = named[1], named[2]
        elif made:
            chains.setdefault(made[1], (made[2] or "ACCEPT", []))
            continue
        elif current and (_NUMBER.match(line) or line.startswith(("-", "!"))):
            name, body = current, _unnumbered(line)
        else:
            raise FormatError(
                "is no line of an ebtables listing", where=f"line {number}", do="`ebtables -t nat -L` prints one."
            )
        chains.setdefault(name, ("ACCEPT", []))[1].append(_rule(name, body))
    return {name: Chain(name, policy, tuple(rules)) for name, (policy, rules) in chains.items()}


def _unnumbered(line: str) -> str:
    number = _NUMBER.match(line)
    return line[number.end() :] if number else line


def _rule(chain: str, body: str) -> Rule:
    counters = _COUNTERS.search(body)
    packets = int(counters[1] or counters[2]) if counters else None
    return Rule(chain, canonical((body[: counters.start()] if counters else body).split()), packets)


def canonical(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a rule in one spelling."""
    found: list[str] = []
    for word in words:
        if word == "!" and found and found[-1].startswith("-"):  # "-i ! eth0", as legacy and older nft have it
            found.insert(len(found) - 1, "!")
        elif found and found[-1] == "--ip-proto" and word == "6":
            found.append("tcp")
        elif _MAC.fullmatch(word):
            found.append("/".join(_padded(part) for part in word.lower().split("/")))
        else:
            found.append(_OPTIONS.get(word, word.removesuffix("/32").removesuffix("/255.255.255.255")))
    if found[-2:] == ["-j", "redirect"]:
        found += ["--redirect-target", "ACCEPT"]
    if "-p" in found[:-1]:
        place = found.index("-p") + 1
        found[place] = found[place].lower() if found[place].lower() in ("ipv4", "ipv6", "arp") else found[place]
    return tuple(found)


def _padded(mac: str) -> str:
    return ":".join(part.zfill(2) for part in mac.split(":"))


def metadata_state(
    chains: Mapping[str, Chain], *, chain: str, bridges: Sequence[str], uplinks: Sequence[str], target: str
) -> MetadataState:
    """Compare our chain with what is wanted. One redirect for all bridges is right too: it is all that a kernel can do which
    does not know --logical-in."""
    rules = chains["PREROUTING"].rules if "PREROUTING" in chains else ()
    jumps = sum(rule.words[-2:] == ("-j", chain) for rule in rules)
    own = chains.get(chain)
    if own is None:
        return MetadataState(jumps, False, (f"there is no chain {chain}",))
    ending = f"-j redirect --redirect-target {target}"
    returns = [f"-i {port} -j RETURN" for port in uplinks]
    there = [" ".join(rule.words) for rule in own.rules]
    narrow = [*returns, *(f"--logical-in {bridge} {ending}" for bridge in bridges)]
    wide = [*returns, f"-p ipv4 {ending}"]
    differences = [] if there in (narrow, wide) else _differences(there, narrow)
    if jumps != 1:
        differences.append(f"{jumps} jumps lead to the chain {chain}, one is wanted")
    return MetadataState(jumps, not differences, tuple(differences))


def _differences(there: list[str], wanted: list[str]) -> list[str]:
    missing = [f"the rule {rule} is missing" for rule in wanted if rule not in there]
    more = [f"the rule {rule} is too much" for rule in there if rule not in wanted]
    return missing + more or ["the rules are in another order, or there twice"]


def foreign_metadata_rules(chains: Mapping[str, Chain], *, chain: str) -> list[Rule]:
    """Redirects of 169.254.169.254 outside our chain: the recipe as it was published, or :func:`nova_range`."""
    return [rule for each in chains.values() if each.name != chain for rule in each.rules if redirects_metadata(rule)]


def nova_range(rule: Rule) -> str | None:
    """The destination of a rule in the very form of nova-network's own for force_snat_range, which it inserts at each start
    (nova/network/linux_net.py, `init_host`); None for any other rule."""
    match rule.words:
        case ("-p", "ipv4", "--ip-src", _, "--ip-dst", where, "-j", "redirect", "--redirect-target", "ACCEPT"):
            return where if rule.chain == "PREROUTING" else None
    return None


def redirects_metadata(rule: Rule) -> bool:
    """Whether a rule says of itself that it redirects 169.254.169.254; those of our chain leave that to the jump."""
    return "redirect" in rule.words and any(word.partition("/")[0] == "169.254.169.254" for word in rule.words)
