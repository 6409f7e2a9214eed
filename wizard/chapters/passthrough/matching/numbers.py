"""Numbers and yes or no, as nova's releases read them."""

from __future__ import annotations

import re
from typing import Any

from wizard.chapters.passthrough.matching.rules import Rules
from wizard.errors import FormatError

ANY = "*"
_TRUE = ("1", "t", "true", "on", "y", "yes")
_FALSE = ("0", "f", "false", "off", "n", "no")


def hexadecimal(name: str, text: Any, most: int, rules: Rules) -> str:
    """A number as nova writes it, or '*'. Raises FormatError where nova does not take it."""
    if text == ANY:
        return ANY
    if not isinstance(text, str):
        raise FormatError(
            f"{name} is not a string: {text!r}", do=f'Write {name} as a string of hexadecimal digits: "15b3".'
        )
    number = _number(text, rules)
    if number is None:
        raise FormatError(
            f"{name} ('{text}') does not parse as a hex number",
            do="Write whole hexadecimal numbers, or * for any; a part of a number with *, and ranges, are not known.",
        )
    if number > most:
        raise FormatError(
            f"{name} ({text}) is greater than {most:X}", do=f"Write a number from 0 to {most:X} for {name}."
        )
    return f"{number:x}" if most < 0x10 else f"{number:0{len(f'{most:x}')}x}"


def _number(text: str, rules: Rules) -> int | None:
    if not rules.has("regex addresses"):  # a Python literal: nothing but digits may follow the 0x that nova writes
        return int(text, 16) if re.fullmatch(r"[0-9a-fA-F]+[ \t]*", text) else None
    try:
        return int(text, 16)
    except ValueError:
        return None


def switch(value: Any) -> bool | None:
    """yes or no, as oslo_utils.strutils.bool_from_string reads it strictly; None for another text."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    return True if text in _TRUE else False if text in _FALSE else None
