"""Addresses in device_spec: globs, and objects of regular expressions (nova/pci/devspec.py, the Pci*Spec classes)."""

from __future__ import annotations

import re
import string
from typing import Any

from wizard.chapters.passthrough.matching.numbers import ANY, hexadecimal
from wizard.chapters.passthrough.matching.rules import Rules
from wizard.dataclass import dataclass
from wizard.errors import FormatError

FIELDS = ("domain", "bus", "slot", "function")
_MOST = {"domain": 0xFFFF, "bus": 0xFF, "slot": 0x1F, "function": 0x7}
_REGEX_ANY = ".*"


@dataclass(frozen=True, slots=True)
class Pattern:
    """An address as it is asked for: four fields, each a number, '*' or (`is_regex`) a regular expression."""

    fields: tuple[str, str, str, str]
    is_regex: bool = False

    @property
    def single(self) -> str:
        """The one address that is meant, or empty: then nova looks whether it is a PF."""
        if not all(character in string.hexdigits for field in self.fields for character in field):
            return ""
        return "{}:{}:{}.{}".format(*self.fields)

    @property
    def is_any(self) -> bool:
        """Whether it holds for every address of one domain that matches."""
        return all(field in ((_REGEX_ANY, "") if self.is_regex else (ANY,)) for field in self.fields[1:])

    def matches(self, address: str) -> bool:
        return all(self._field(number, own) for number, own in enumerate(parts(address)))

    def domain_matches(self, address: str) -> bool:
        return self._field(0, parts(address)[0])

    def _field(self, number: int, own: str) -> bool:
        wanted = self.fields[number]
        if self.is_regex:
            return re.match(wanted, own) is not None
        return wanted in (ANY, own)


EVERY = Pattern((ANY, ANY, ANY, ANY))


def parts(address: str) -> tuple[str, str, str, str]:
    """The fields of a whole address."""
    rest, _, function = address.partition(".")
    domain, bus, slot = rest.split(":")
    return domain, bus, slot, function


def whole(address: str) -> Pattern:
    return Pattern(parts(address))


def pattern(address: Any, rules: Rules) -> Pattern:
    """What a spec's address asks for. Raises FormatError where nova does not take it."""
    if not address:
        return EVERY
    if isinstance(address, dict) and rules.has("regex addresses"):
        return _regex(address)
    if not isinstance(address, str):
        since = "an object of regular expressions is known from Ocata on" if isinstance(address, dict) else "no string"
        raise FormatError(f"address {address!r}: {since}", do='Write the address as "0000:3b:00.0" or a glob.')
    return _glob(address, rules)


def _glob(text: str, rules: Rules) -> Pattern:
    rest, _, function = text.partition(".")
    pieces = rest.split(":") if rest else []
    if len(pieces) > 3:
        raise FormatError(f"{text} is no PCI address", do='Write the address as "0000:3b:00.0" or a glob.')
    pieces = [ANY] * (3 - len(pieces)) + [piece.strip() or ANY for piece in pieces]
    # a function of blanks is no number in any release
    fields = dict(zip(FIELDS, [*pieces, function.strip() if function else ANY], strict=True))
    found = [hexadecimal(name, field, _MOST[name], rules) for name, field in fields.items()]
    return Pattern((found[0], found[1], found[2], found[3]))


def _regex(wanted: dict[str, Any]) -> Pattern:
    found = []
    for name in FIELDS:
        text = wanted.get(name, _REGEX_ANY)
        try:
            re.compile(text)
        except (re.error, TypeError) as error:
            raise FormatError(
                f"{name} of the address, {text!r}, is no regular expression: {error}",
                do="Write a regular expression as a string.",
            ) from None
        found.append(text)
    return Pattern((found[0], found[1], found[2], found[3]), is_regex=True)
