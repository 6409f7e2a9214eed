"""Many networks at once: from a pattern over VLANs, or from lines that are pasted or imported. What is wrong keeps its row."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wizard.chapters.shared.networks import Network
from wizard.dataclass import dataclass
from wizard.errors import InputError
from wizard.formats import dnsmasq
from wizard.integers import parse_int
from wizard.model.validation import problem
from wizard.regex import regex

FIELDS = ("label", "router", "vlan", "cidr", "bridge")
LONGEST = 1_000_000  # characters; 4,094 networks need 200,000
HIGHEST_VLAN = 4094
FORMS = (
    "A line each: label, router, VLAN, network; parted by commas, semicolons, tabs or blanks. A line of headings may say "
    "another order; lines of a dnsmasq file are understood, too."
)
"""What lines may look like, as every face says it."""

_SPELLINGS = {
    "label": "label", "name": "label", "network": "label", "router": "router", "gateway": "router", "gw": "router",
    "vlan": "vlan", "vlan_id": "vlan", "vid": "vlan", "cidr": "cidr", "subnet": "cidr", "bridge": "bridge",
}  # fmt: skip
_CIDR = regex(r"[0-9a-fA-F:.]+/[0-9]{1,3}")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)


@dataclass(frozen=True, slots=True)
class Row:
    """One network as it was typed. `number` is its place in what was given, from 1; `problem` is empty where it can be taken."""

    number: int
    values: Mapping[str, str]
    problem: str = ""
    field: str = ""  # the field that the problem is about, or ""

    def data(self) -> dict[str, Any]:
        """As the answers hold it. A VLAN that is no number stays a text, for the model to refuse."""
        data: dict[str, Any] = {name: text for name in FIELDS if (text := self.values.get(name, "").strip())}
        vlan = data.get("vlan")
        if vlan is not None and (number := parse_int(vlan)) is not None:
            data["vlan"] = number
        return data


def judged(row: Row) -> Row:
    """The row with what is wrong with it alone."""
    if not row.values.get("label", "").strip() and not row.values.get("router", "").strip():
        return _with(row, "type nova's network label and the router's address", "label")
    try:
        Network.model_validate(row.data())
    except ValidationError as error:
        place, what = problem(error, Network)
        field = str(place[0]) if place else ""
        return _with(row, f"{field} {what}" if what in ("is missing",) else what, field)
    return _with(row, "", "")


def _with(row: Row, what: str, field: str) -> Row:
    return Row(row.number, row.values, what, field)


def without_doubles(rows: Iterable[Row], taken: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows, with a problem where a label or a VLAN is in another row before it, or among those that are taken already."""
    seen: dict[tuple[str, Any], str] = {}
    for network in taken:
        for field in ("label", "vlan"):
            if network.get(field) is not None:
                seen.setdefault((field, network[field]), "is in the list already")
    found = []
    for row in rows:
        if row.problem:
            found.append(row)
            continue
        data = row.data()
        again = next((field for field in ("label", "vlan") if (field, data.get(field)) in seen), "")
        if again:
            found.append(_with(row, f"{again} {data[again]} {seen[again, data[again]]}", again))
            continue
        for field in ("label", "vlan"):
            if field in data:
                seen[field, data[field]] = f"is in row {row.number} already"
        found.append(row)
    return found


def vlans(text: str) -> list[int]:
    """VLANs from "1441-1460, 1500". Raises InputError saying what to type."""
    found: dict[int, None] = {}
    for part in text.replace(",", " ").split():
        ends = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part, re.ASCII)
        if ends is None:
            raise InputError(f"{part!r} is neither a VLAN nor a range: type such as 1441-1460, 1500")
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if not 1 <= first <= last <= HIGHEST_VLAN:
            raise InputError(f"{part}: type VLANs from 1 to {HIGHEST_VLAN}, the lower one first")
        found.update(dict.fromkeys(range(first, last + 1)))
    if not found:
        raise InputError("type VLANs, such as 1441-1460, 1500")
    return list(found)


def fill(template: str, vlan: int, n: int) -> str:
    """A template with its `{…}` worked out: whole numbers, vlan, n (which network it is, from 1), + - * / % and parentheses.

    `/` drops the remainder. Raises InputError for what it cannot work out.
    """
    parts = re.split(r"\{([^{}]*)\}", template)
    if any(brace in text for text in parts[::2] for brace in "{}"):
        raise InputError(f"{template!r}: a brace without its other half; write such as net{{vlan}}")
    filled = [str(_value(part, {"vlan": vlan, "n": n})) if odd % 2 else part for odd, part in enumerate(parts)]
    return "".join(filled)


def _value(text: str, names: Mapping[str, int]) -> int:
    wrong = InputError(f"{{{text}}}: write vlan, n, whole numbers, + - * / % and parentheses, such as {{vlan/256}}")
    if len(text) > 40:
        raise wrong
    try:
        return _worked_out(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, KeyError, ZeroDivisionError, RecursionError, MemoryError):
        raise wrong from None


def _worked_out(node: ast.expr, names: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return number
        case ast.Name(id=name):
            return names[name]
        case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, _OPERATORS):
            one, other = _worked_out(left, names), _worked_out(right, names)
            match operator:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.Mod():
                    return one % other
                case _:
                    return one // other
        case _:
            raise ValueError("not arithmetic")


def from_pattern(range_: str, templates: Mapping[str, str]) -> list[Row]:
    """A row for each VLAN of a range. Raises InputError for a range or a template that cannot be worked out."""
    return [
        judged(Row(n, {"vlan": str(vlan), **{name: fill(text, vlan, n) for name, text in templates.items() if text}}))
        for n, vlan in enumerate(vlans(range_), 1)
    ]


def from_text(text: str) -> list[Row]:
    """Rows from lines: label, router, VLAN, network, bridge, parted by commas, semicolons, tabs or blanks; with a line of
    headings in any order; or lines of a dnsmasq file. Empty lines and comments are passed over. `number` is the line.

    Raises InputError where the text is too long.
    """
    if len(text) > LONGEST:
        raise InputError(f"more than {LONGEST} characters: that is no list of networks")
    if "dhcp-option" in text:
        return _from_dnsmasq(text)
    fields: tuple[str, ...] = FIELDS
    found: list[Row] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        cells = _cells(line)
        if not cells or cells[0].startswith("#"):
            continue
        headings = _headings(cells, lines[number:])
        if not found and headings:
            fields = headings
            continue
        found.append(_row(number, cells, fields))
    return found


def _headings(cells: list[str], below: list[str]) -> tuple[str, ...]:
    """The fields that a line of headings names; none where it is none. `network` is the CIDR where the first line below has one
    there, else the label."""
    names = [cell.lower().replace(" ", "_") for cell in cells]
    fields = [_SPELLINGS.get(name, "") for name in names]
    if len([field for field in fields if field]) < 2 or "router" not in fields:
        return ()
    first = next((row for line in below if (row := _cells(line)) and not row[0].startswith("#")), [])
    for place, name in enumerate(names):
        if name == "network" and place < len(first) and _CIDR.fullmatch(first[place]):
            fields[place] = "cidr"
    return tuple(fields)


def from_file(path: Path) -> list[Row]:
    """Rows from a file on this machine. Raises InputError where it is none, too long, or not UTF-8."""
    where = str(path)
    try:
        if not path.is_file():
            raise InputError("is no file" if path.exists() else "there is no such file", where=where)
        if path.stat().st_size > 4 * LONGEST:
            raise InputError("is too long for a list of networks", where=where)
        return from_text(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=where) from None
    except ValueError as error:
        what = f"is not UTF-8 at byte {error.start}" if isinstance(error, UnicodeDecodeError) else "is no path"
        raise InputError(what, where=where) from None


def _row(number: int, cells: list[str], fields: tuple[str, ...]) -> Row:
    row = Row(number, {name: cell for name, cell in zip(fields, cells, strict=False) if name})
    if len(cells) > len(fields):
        return _with(row, f"{len(cells)} values where at most {len(fields)} are known: {', '.join(fields)}", "")
    return judged(row)


def _cells(line: str) -> list[str]:
    line = line.strip().lstrip("\ufeff").strip("|").strip()
    if not line or set(line) <= set("+-= "):  # the rules of a table that a client printed
        return []
    for separator in ("|", "\t", ";", ","):
        if separator in line:
            try:
                return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
            except csv.Error:
                return [cell.strip() for cell in line.split(separator)]
    return line.split()


def _from_dnsmasq(text: str) -> list[Row]:
    """A row for each line: those that set one network's router, and why the others do not."""
    options = {each.line: each for each in dnsmasq.router_options(text.encode("utf-8", "replace"))}
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        option = options.get(number)
        if option is not None:
            found.append(judged(Row(number, {"label": option.label, "router": option.router})))
        elif line.strip() and not line.lstrip().startswith("#"):
            found.append(
                Row(number, {}, f"{line.strip()[:60]!r} does not set the router of one network: it is left out")
            )
    return found
