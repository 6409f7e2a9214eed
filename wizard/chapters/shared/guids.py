"""GUIDs of InfiniBand VFs: 64 bits each, unique in the whole fabric; node and port of a VF get the same one.

So does the field (openshift/sriov-network-operator sets both to one value). A fabric cannot be asked from here, so they are given in
the answers, once; what is suggested is locally administered (IEEE's EUI-64: the second bit of the first byte), from node and port.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from wizard.regex import regex

MOST = 4096  # of one entry: four ports with as many VFs as a function can have
_ONE = regex(r"(?:[0-9a-f]{4}:){3}[0-9a-f]{4}|(?:[0-9a-f]{2}:){7}[0-9a-f]{2}|(?:0x)?[0-9a-f]{16}")
_UNUSABLE = (0, 2**64 - 1)
_LOCAL, _GROUP = 0x02 << 56, 0x01 << 56


def parse(text: str) -> tuple[int, ...]:
    """The GUIDs of a list: each one, or FIRST-LAST, with commas or blanks between them. Raises ValueError."""
    found: list[int] = []
    for word in re.split(r"[,\s]+", text.strip()):
        if not word:
            continue
        first, dash, last = word.partition("-")
        low = number(first)
        high = number(last) if dash else low
        if high < low:
            raise ValueError(f"{word}: the first GUID is above the last")
        if high - low >= MOST or len(found) + high - low >= MOST:
            raise ValueError(f"{word}: more than {MOST} GUIDs")
        found += range(low, high + 1)
    if len(set(found)) != len(found):
        twice = next(each for each in found if found.count(each) > 1)
        raise ValueError(f"{written(twice)} is there twice")
    return tuple(found)


def number(text: str) -> int:
    """One GUID in any way of writing that sysfs, ip and OpenSM have. Raises ValueError."""
    plain = text.strip().lower()
    if not _ONE.fullmatch(plain):
        raise ValueError(
            f"{text.strip() or 'nothing'} is no GUID: type 16 hexadecimal digits such as 0250:56ff:fe00:0001"
        )
    value = int(plain.replace(":", ""), 16)
    if value in _UNUSABLE:
        raise ValueError(f"{text.strip()} means that there is none")
    return value


def written(guid: int) -> str:
    """As /sys/class/infiniband says it: 0250:56ff:fe00:0001."""
    digits = f"{guid:016x}"
    return ":".join(digits[at : at + 4] for at in range(0, 16, 4))


def ranges(every: Sequence[int]) -> str:
    """A list as text, with FIRST-LAST for what follows each other."""
    runs: list[list[int]] = []
    for guid in every:
        if runs and guid == runs[-1][-1] + 1:
            runs[-1].append(guid)
        else:
            runs.append([guid])
    return ", ".join(written(run[0]) + (f"-{written(run[-1])}" if len(run) > 1 else "") for run in runs)


def by_bytes(guid: int) -> str:
    """As ip and the driver's own files take it: 02:50:56:ff:fe:00:00:01."""
    digits = f"{guid:016x}"
    return ":".join(digits[at : at + 2] for at in range(0, 16, 2))


def local(machine: str, port: str, count: int) -> str:
    """A range of so many for one port of one node, as text: the same each time for the same two."""
    hashed = int.from_bytes(hashlib.sha256(f"{machine} {port}".encode()).digest()[:6], "big") << 16
    first = (hashed | _LOCAL) & ~_GROUP
    return f"{written(first)}-{written(first + count - 1)}" if count > 1 else written(first)
