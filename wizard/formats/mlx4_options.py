"""num_vfs and probe_vf of mlx4_core, in the forms that its drivers know.

The kernel's own takes a number (VFs on both ports), or two or three of them: port 1, port 2, both (main.c, num_vfs; kernels as
old as 3.13 take the number alone). MLNX_OFED up to 4.9 takes an address with a number as well, for each card.
"""

from __future__ import annotations

import re

from wizard.integers import parse_int

_CARD = re.compile(r"([0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7])-(\d{1,3})", re.ASCII)


def by_port(text: str) -> tuple[int, int, int] | None:
    """VFs on port 1, on port 2, on both; None where the value is none of the kernel's forms."""
    numbers = [parse_int(word) for word in text.split(",")]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers) or len(known) > 3:
        return None
    if len(known) == 1:
        return 0, 0, known[0]
    return known[0], known[1], known[2] if len(known) == 3 else 0


def by_card(text: str) -> dict[str, int] | None:
    """Address -> VFs; None where the value does not name each card by its address."""
    found: dict[str, int] = {}
    for word in text.split(","):
        match = _CARD.fullmatch(word.lower())
        if match is None or match[1] in found:
            return None
        found[match[1]] = int(match[2])
    return found


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
        return all(mine <= there for mine, there in zip(kept, ports, strict=True))
    cards, own = by_card(vfs), by_card(probed)
    if cards is None or (own is None and probed != "0"):
        return False
    return all(count <= cards.get(address, 0) for address, count in (own or {}).items())
