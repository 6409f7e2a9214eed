"""What `mstconfig q` and `mlxconfig q` print.

The columns are named on the line `Configurations:`; their widths differ from version to version, so a row is taken apart
at its blanks. A row may begin with `*` (the next boot differs) and with RO (read only).
"""

from __future__ import annotations

import re

from wizard.dataclass import dataclass
from wizard.regex import regex

_WIDE = regex(r"\s{2,}|\t")
_ROW = regex(r"\s*(?:\*\s*)?(?:RO\s+)?([A-Z][A-Za-z0-9_]+(?:\[[0-9.]+\])?)\s+(\S.*)")
_NEXT, _CURRENT = "Next Boot", "Current"


@dataclass(frozen=True, slots=True)
class Query:
    """The settings of one card: the columns by their names, and the values of each row in their order."""

    device_type: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]

    def column(self, name: str) -> tuple[tuple[str, str], ...] | None:
        """Name and value of every row in one column, or None where there is no such column."""
        if name not in self.columns:
            return None
        index = self.columns.index(name)
        return tuple((row, values[index]) for row, values in self.rows.items())

    @property
    def current(self) -> tuple[tuple[str, str], ...] | None:
        return self.column(_CURRENT)

    @property
    def next_boot(self) -> tuple[tuple[str, str], ...]:
        """What holds from the next boot on; where no column is named so, it is the last one."""
        return self.column(_NEXT) or self.column(self.columns[-1]) or ()


def parse(text: str) -> Query | None:
    """The settings of the first card that an output tells of, or None where it holds none. Never fails."""
    device_type = ""
    columns: tuple[str, ...] = ()
    rows: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        key, colon, rest = line.partition(":")
        if colon and key.strip() == "Device type" and not columns:
            device_type = rest.strip()
        elif colon and key.strip() == "Configurations" and not columns:
            columns = tuple(_WIDE.split(rest.strip())) if rest.strip() else (_NEXT,)
        elif columns and re.match(r"\s*Device #\d+", line):
            break
        elif columns and (match := _ROW.fullmatch(line.rstrip())):
            values = _values(match[2], len(columns))
            if values:
                rows[match[1]] = values
    return Query(device_type, columns, rows) if rows else None


def _values(text: str, count: int) -> tuple[str, ...]:
    """One value for each column, or () for what is no row: a wide value leaves one blank before the next, or none."""
    for values in (_WIDE.split(text.strip()), text.split(), text.replace(")", ") ").split()):
        if len(values) == count and not any(" " in value for value in values):  # prose has blanks, values have none
            return tuple(values)
    return ()


def errors(text: str) -> str:
    """What the tool complains of, in one line; empty where it does not."""
    found = [line.strip()[3:].strip() for line in text.splitlines() if line.strip().startswith("-E-")]
    return "; ".join(line for line in found if line)
