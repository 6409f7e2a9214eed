"""num_vfs and probe_vf of mlx4_core, in the forms that its drivers know.

The kernel's own takes a number (VFs on both ports), or two or three of them: port 1, port 2, both (main.c, num_vfs; kernels as
old as 3.13 take the number alone). MLNX_OFED up to 4.9 takes an address with a number as well, for each card, or with three of them
between semicolons; an address may be without its domain (its manual: 00:04.0-5;6;7,00:07.0-8;9;10).
"""

from __future__ import annotations

import re

from wizard.integers import parse_int
from wizard.regex import regex

_CARD = regex(r"((?:[0-9a-f]{4}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])-(\d{1,3}(?:;\d{1,3}){0,2})", re.ASCII)
Kinds = tuple[int, int, int]
"""VFs on port 1, on port 2, on both."""


def by_port(text: str) -> Kinds | None:
    """VFs on port 1, on port 2, on both; None where the value is none of the kernel's forms."""
    return _kinds(text.split(","))


def _kinds(words: list[str]) -> Kinds | None:
    numbers = [parse_int(word) for word in words]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers) or len(known) > 3:
        return None
    if len(known) == 1:
        return 0, 0, known[0]
    return known[0], known[1], known[2] if len(known) == 3 else 0


def kinds_by_card(text: str) -> dict[str, Kinds] | None:
    """Address with its domain -> VFs; None where the value does not name each card by its address."""
    found: dict[str, Kinds] = {}
    for word in text.split(","):
        match = _CARD.fullmatch(word.lower())
        if match is None:
            return None
        address = match[1] if match[1].count(":") == 2 else f"0000:{match[1]}"
        kinds = _kinds(match[2].split(";"))
        if kinds is None or address in found:
            return None
        found[address] = kinds
    return found


def by_card(text: str) -> dict[str, int] | None:
    """Address -> VFs in all; None where the value does not name each card by its address."""
    cards = kinds_by_card(text)
    return {address: sum(kinds) for address, kinds in cards.items()} if cards is not None else None


def number(text: str, address: str) -> int | None:
    """How many the card of this address is to have in all; None where the form is not known."""
    ports, cards = by_port(text), by_card(text)
    if ports is not None:
        return sum(ports)
    return cards.get(address, 0) if cards is not None else None


def fit(vfs: str, probed: str) -> bool:
    """Whether the driver takes these two together: of no kind may the host keep more than there are (mlx4_init_one)."""
    ports, kept = by_port(vfs), by_port(probed)
    if ports is not None and kept is not None:
        return _within(kept, ports)
    cards, own = kinds_by_card(vfs), kinds_by_card(probed)
    if cards is None or (own is None and probed != "0"):
        return False
    return all(_within(kinds, cards.get(address, (0, 0, 0))) for address, kinds in (own or {}).items())


def known(text: str) -> bool:
    """Whether the value has one of these forms."""
    return by_port(text) is not None or by_card(text) is not None


def _within(kept: Kinds, there: Kinds) -> bool:
    return all(mine <= all_of_them for mine, all_of_them in zip(kept, there, strict=True))
