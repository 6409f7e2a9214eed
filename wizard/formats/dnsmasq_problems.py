"""What is wrong in a dnsmasq file, told with the line and what to write: also what ``dnsmasq --test`` passes and sends wrong."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address

from wizard.dataclass import dataclass
from wizard.formats.dnsmasq_reading import KEYS, LONGEST, DhcpOption, Line, Word, dhcp_options, lines, without_prefix
from wizard.regex import regex

EXAMPLE = "dhcp-option=tag:demo-net,option:router,10.44.1.1"

_KEY = regex(r"[a-z0-9][a-z0-9-]*")
_DASHES = "‐‑‒–—−"
_ROUTER_NAMES = regex(r"router.*|gateway|gw|default-?(gateway|router)", re.IGNORECASE)
_REAL_ROUTER_NAMES = ("router", "router-discovery", "router-solicitation")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in line `line` (from 1). `fatal`: dnsmasq 2.90 does not start with it, so that every network loses DHCP."""

    line: int
    what: str
    do: str
    fatal: bool = False


def router_problem(router: str) -> str | None:
    """None for an address that can be a network's router, else one sentence that says what is wrong."""
    wrong = _address_problem(router)
    if wrong is not None:
        return wrong[0]
    address = IPv4Address(router)
    if address.is_unspecified:
        return "0.0.0.0 is no router: dnsmasq sends its own address instead."
    if address.is_multicast or address.is_loopback or address == IPv4Address("255.255.255.255"):
        return f"{router} is no address of a router."
    return None


def problems(content: bytes) -> list[Problem]:
    """All problems of the file, in the order of its lines. Never raises; judges names of options only where they look like ours."""
    found = [*_of_the_file(content), *_of_repeats(content)]
    for line in lines(content):
        found += _of_a_line(line)
    for option in dhcp_options(content):
        found += _of_an_option(option)
    return sorted(found, key=lambda problem: problem.line)


def _of_the_file(content: bytes) -> Iterator[Problem]:
    if content.startswith(codecs.BOM_UTF8):
        yield Problem(1, "the file starts with a byte order mark", "save it as plain UTF-8 without BOM", fatal=True)
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield Problem(1, "the file is UTF-16", "save it as plain UTF-8", fatal=True)
    for number, raw in enumerate(content.split(b"\n"), start=1):
        if b"\0" in raw:
            yield Problem(number, "a NUL byte: dnsmasq ignores what follows it in the line", "remove it")
        if len(raw) > LONGEST and raw[LONGEST:].strip():
            what = f"longer than {LONGEST} bytes: dnsmasq takes the rest as a line of its own"
            yield Problem(number, what, "break it into shorter lines")


def _of_a_line(line: Line) -> Iterator[Problem]:
    if line.unclosed:
        yield Problem(line.number, 'a double quote is not closed (")', 'add the closing "', fatal=True)
        return
    if line.start == 0 and line.body.codes.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    if not line.body.codes:
        return
    if line.key in KEYS:
        if line.value is None:
            yield Problem(line.number, f"{line.key} without '=' and a value", f"write {EXAMPLE}", fatal=True)
    elif not _KEY.fullmatch(line.key):
        yield _bad_key(line)
    elif re.fullmatch(r"dhcp-opt(ions|io|on|)", line.key):
        yield Problem(line.number, f"dnsmasq knows no {line.key!r}", "write dhcp-option", fatal=True)


def _bad_key(line: Line) -> Problem:
    key = line.key
    plain = key.translate(dict.fromkeys(map(ord, _DASHES), "-"))
    if plain != key:
        what, do = f"a typographic dash in {key!r}", "write the plain '-' of the keyboard, and none in front"
    elif key.startswith("-"):
        what, do = f"{key!r} starts with dashes, as on a command line", f"write {key.lstrip('-')} alone"
    elif key.startswith(("dhcp-option ", "dhcp-option\t")):
        what, do = "'=' is missing behind dhcp-option", f"write {EXAMPLE}"
    elif key.lower() in KEYS:
        what, do = f"{key!r} in capitals: dnsmasq does not know it", f"write {key.lower()}"
    else:
        what, do = f"{key!r} is no option of dnsmasq", "remove the line, or write one as in " + EXAMPLE
    return Problem(line.number, what, do, fatal=True)


def _of_an_option(option: DhcpOption) -> Iterator[Problem]:
    number = option.line.number
    if option.name is None:
        yield Problem(number, "no option is named in the line", f"write {EXAMPLE}", fatal=True)
        return
    if option.name.codes == b"" and option.values is not None:
        yield Problem(number, "two commas in a row, or one at the start: dnsmasq takes option 0", "remove one comma")
    name = option.name.text.removeprefix("option:")
    if (
        option.name.codes.startswith(b"option:")
        and _ROUTER_NAMES.fullmatch(name)
        and name.lower() not in _REAL_ROUTER_NAMES
    ):
        what = f"dnsmasq knows no option named {name!r}"
        yield Problem(number, what, "write option:router and a comma behind it", fatal=True)
    if option.is_router:
        yield from _of_tags(option)
        yield from _of_values(number, option.values)


def _of_tags(option: DhcpOption) -> Iterator[Problem]:
    number = option.line.number
    if not option.tags:
        what = "a router without a tag loses to the one that nova sends"
        yield Problem(number, what, f"put the network's label in front, as in {EXAMPLE}")
    for position, tag in enumerate(option.tags):
        yield from _of_a_tag(number, tag, first=position == 0)


def _of_a_tag(number: int, tag: str, *, first: bool) -> Iterator[Problem]:
    name = without_prefix(tag)
    if not name.strip():
        yield Problem(number, f"no label behind {tag.strip()!r}: the line never counts", "write tag:LABEL")
    elif name != name.strip():
        what = f"a blank in {tag!r} belongs to the label: the line never counts"
        yield Problem(number, what, f"write tag:{name.strip()}")
    elif name.lower().startswith(("tag:", "set:", "net:")):
        what = f"{tag!r} is for a label that begins with {name[:4]!r}: for any other the line never counts"
        yield Problem(number, what, f"write tag:{name[4:].strip()}, unless nova has that label")
    elif tag.startswith("set:"):
        yield Problem(number, f"{tag!r} sets no tag here: dnsmasq reads it as tag:{name}", f"write tag:{name}")
    elif name.startswith(("!", "#")):
        what = f"{tag!r} means every network but {name[1:]!r}, and wins over a network's own router"
        yield Problem(number, what, "name the networks that are meant, one a line")
    elif tag == name and not first:
        what = f"{name!r} is a second tag, not part of the label: both have to be set"
        yield Problem(number, what, "use a label without a comma, one a line")


def _of_values(number: int, values: Word | None) -> Iterator[Problem]:
    if values is None:
        yield Problem(number, "no router is given: the VMs are told none at all", "add a comma and the address")
        return
    whole = values.codes.decode("latin-1")
    # parse_dhcp_opt(): the whole value decides first whether it can be addresses at all.
    if not re.fullmatch(r"[0-9., ][0-9., /]*", whole) or "." not in whole or not re.search("[0-9]", whole):
        yield Problem(number, f"{values.text!r} is no IPv4 address", "write it as in 10.44.1.1", fatal=True)
        return
    for part in whole.split(","):
        wrong = _address_problem(part.strip(" "))
        if wrong is not None:
            yield Problem(number, wrong[0].rstrip("."), "write it as in 10.44.1.1", fatal=wrong[1])
        elif part.strip(" ") == "0.0.0.0":
            yield Problem(number, "0.0.0.0 makes dnsmasq send its own address", "write the router's address")


def _address_problem(text: str) -> tuple[str, bool] | None:
    """What is wrong with an IPv4 address, and whether dnsmasq 2.90 refuses it (2.75 takes a part too few or above 255)."""
    address, slash, _ = text.partition("/")
    if not text:
        return "The address is empty.", True
    if slash and _is_address(address.strip(" ")):
        return f"{text!r}: '/' and what follows do not belong there, dnsmasq would send garbage.", False
    if _is_address(text):
        return None
    parts = text.split(".")
    if all(part.isascii() and part.isdecimal() for part in parts):
        if len(parts) != 4:
            return f"{text!r} has {len(parts)} parts where an IPv4 address has four.", True
        if any(int(part) > 255 for part in parts):
            return f"{text!r} has a part above 255.", True
        return f"{text!r} has a part with leading zeros.", True
    return f"{text!r} is no IPv4 address.", True


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _of_repeats(content: bytes) -> Iterator[Problem]:
    last: dict[str, int] = {}
    routers = [(option.label, option.line.number) for option in dhcp_options(content) if option.is_router]
    for label, number in reversed(routers):
        if label is None:
            continue
        if label in last:
            what = f"the router of {label!r} is set again in line {last[label]}: this line has no effect"
            yield Problem(number, what, "remove one of the two")
        last.setdefault(label, number)
