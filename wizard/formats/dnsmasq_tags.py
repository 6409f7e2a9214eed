"""Which router dnsmasq tells the guests of a network: its own choice among the tagged lines of a file.

Source: dnsmasq src/dhcp-common.c, option_filter() and match_netid(), and src/rfc2131.c. The tags of a request come in two ranks.
First are those of the request itself: the name of the interface that it came in by, `known` for a client with a dhcp-host line (nova
gives every guest one), and what `set:` of other lines gives. Then comes the tag of the dhcp-range, which is nova's label. A line that
fits without the range's tag wins over every line that needs it, wherever the two stand; within a rank the last line wins. `!tag` and
the old `#tag` fit where the tag is not set.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from wizard.dataclass import dataclass
from wizard.formats.dnsmasq_reading import DhcpOption, Line, dhcp_options, lines, without_prefix
from wizard.regex import regex

SET_BY_ITSELF = {
    "known": "of every guest that has a line of its own, as all of nova's have",
    "known-othernet": "of a guest whose own line is for another network",
    "bootp": "of a request by BOOTP",
    "cpewan-id": "of a device that names itself by TR-069",
    "dhcpv6": "of a request by DHCPv6",
}
"""Tags that dnsmasq sets itself, besides the name of an interface: whose request has them."""

_READS_MORE = ("conf-file", "conf-dir", "conf-script", "dhcp-optsfile", "dhcp-optsdir")
_SETS = regex(rb"(?:^|,)\s*(?:set|net):([^,]+)")


@dataclass(frozen=True, slots=True)
class Told:
    """What guests of one network are told. `router` is the value that surely counts, None where no line of the file does;
    `line` is its number. `doubt` says why it may be another, of some guests; empty where it is certain."""

    router: str | None
    line: int
    tag: str  # the tags of that line, as they stand
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Fit:
    option: DhcpOption
    first: bool  # it fits without the tag of the range
    certain: bool


def told(content: bytes, label: str, bridge: str) -> Told:
    """What the guests of the network with this label are told on this bridge. Never raises."""
    file = _router_lines(content)
    always = {bridge, "known"} - {""}
    fits = [fit for option in file.candidates(label, bridge) if (fit := _fit(option, label, always, file.given))]
    ranked = [fit for fit in fits if fit.first]
    sure = [fit for fit in ranked if fit.certain] or [fit for fit in fits if not fit.first and fit.certain]
    winner = sure[-1] if sure else None
    value = _value(winner.option) if winner else None
    doubts = [fit for fit in fits if not fit.certain and _beats(fit, winner) and _value(fit.option) != value]
    doubt = ""
    if doubts:
        option = doubts[-1].option
        doubt = (
            f"line {option.line.number} ({', '.join(option.tags)}) tells some of them {_value(option) or 'no router'}"
        )
    elif file.more is not None:
        doubt = f"line {file.more.number} ({file.more.key}) reads more, which is not looked at"
    number, tag = (winner.option.line.number, ",".join(winner.option.tags)) if winner else (0, "")
    return Told(value, number, tag, doubt)


@dataclass(frozen=True, slots=True)
class _RouterLines:
    """The tagged router lines of a file, by a tag without which they fit nobody: thousands of networks are asked about."""

    by_tag: dict[str, list[DhcpOption]]
    general: list[DhcpOption]  # no tag of theirs says at once whom they do not fit
    given: frozenset[str]
    more: Line | None  # it reads more files

    def candidates(self, label: str, bridge: str) -> list[DhcpOption]:
        names = dict.fromkeys((label, bridge, "known"))
        found = [*self.general, *(option for name in names for option in self.by_tag.get(name, ()))]
        return sorted(found, key=lambda option: option.line.start)


@lru_cache(maxsize=4)
def _router_lines(content: bytes) -> _RouterLines:
    given = frozenset(_given(content))
    by_tag: dict[str, list[DhcpOption]] = {}
    general: list[DhcpOption] = []
    for option in dhcp_options(content):
        if not option.is_router or not option.tags:
            continue  # nova's own untagged router is read after the file, and wins
        names = map(without_prefix, option.tags)
        needed = [name for name in names if not (name.startswith(("!", "#")) or name in given or name in SET_BY_ITSELF)]
        by_tag.setdefault(needed[0], []).append(option) if needed else general.append(option)
    more = next((line for line in lines(content) if line.key in _READS_MORE), None)
    return _RouterLines(by_tag, general, given, more)


def _value(option: DhcpOption) -> str:
    text = option.values.text if option.values is not None else ""
    return ",".join(part.strip() for part in text.split(","))


def _beats(fit: _Fit, winner: _Fit | None) -> bool:
    """Whether a line that fits only some guests would count for them."""
    if winner is None or fit.first != winner.first:
        return winner is None or fit.first
    return fit.option.line.number > winner.option.line.number


def _fit(option: DhcpOption, label: str, always: Collection[str], given: Collection[str]) -> _Fit | None:
    """How a tagged line fits the guests of a network; None where it fits none of them."""
    possible = set(given) - set(always) - {label}
    certain, first = True, True
    for name in map(without_prefix, option.tags):
        bare = name[1:] if name.startswith(("!", "#")) else name
        there = bare in always or bare == label
        if bare in possible or (bare in SET_BY_ITSELF and bare not in ("known", label)):
            if bare in possible or not name.startswith(("!", "#")):
                certain = False
            continue
        if name.startswith(("!", "#")):
            if there:
                return None
            continue
        if not there:
            return None
        first = first and (bare in always)
    return _Fit(option, first, certain)


def _given(content: bytes) -> set[str]:
    """Tags that other lines of the file may give to some guests."""
    found: set[str] = set()
    for line in lines(content):
        if line.value is not None and line.key not in ("dhcp-option", "dhcp-option-force", "dhcp-range"):
            found |= {each.decode(errors="surrogateescape").strip() for each in _SETS.findall(line.value.codes)}
    return found


def overriding(content: bytes, bridges: Sequence[str]) -> list[DhcpOption]:
    """Router lines whose tags are set whatever the network: they win over a network's own."""
    names = {*bridges, *SET_BY_ITSELF}
    return [
        option
        for option in dhcp_options(content)
        if option.is_router and option.tags and all(_general(without_prefix(tag), names) for tag in option.tags)
    ]


def _general(name: str, names: Collection[str]) -> bool:
    return name.startswith(("!", "#")) or name in names
