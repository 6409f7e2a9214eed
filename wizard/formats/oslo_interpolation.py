"""`$name` and `${group.name}` in a value, as oslo_config/cfg.py replaces them (ConfigOpts._substitute, StrSubWrapper).

A name is looked for in the value's own group, then in DEFAULT; what is found is replaced in its turn. `$$` and `\\$` are one dollar.
What nova itself knows and its files do not say - an option's default, whether there is such an option - is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wizard.regex import regex

# cfg.ConfigOpts.Template, a string.Template: two dollars are one, a name (in braces or not) is replaced, others stay.
REFERENCE = regex(r"\$(?:\$|([_a-z][._a-z0-9]*|\{[_a-z][._a-z0-9]*\}))", re.IGNORECASE)

Values = Mapping[tuple[str, str], Sequence[str]]
"""All values, as they are written, by (section, option) in the order in which they are read."""


class Unknown(Exception):
    """A reference that cannot be resolved; its text is the reason, a sentence without its subject."""


def names(value: str) -> list[str]:
    """The names that oslo.config would replace in a value, without braces."""
    return [found[1].strip("{}") for found in REFERENCE.finditer(_escaped(value)) if found[1]]


def resolved(value: str, section: str, values: Values, defaults: Mapping[str, str]) -> str:
    """The value as its reader gets it. `defaults` are those of DEFAULT's options that are known. Raises Unknown."""
    return _resolved(value, section, values, defaults, ())


def _resolved(value: str, section: str, values: Values, defaults: Mapping[str, str], seen: tuple[str, ...]) -> str:
    def replaced(found: re.Match[str]) -> str:
        if not found[1]:
            return "$"
        name = found[1].strip("{}")
        where, raw = _looked_up(name, section, values, defaults)
        place = f"{where}.{name}"
        if place in seen:
            raise Unknown(f"${name} refers to itself")
        return _resolved(raw, where, values, defaults, (*seen, place))

    return REFERENCE.sub(replaced, _escaped(value))


def _escaped(value: str) -> str:
    return value.replace(r"\$", "$$")


def _looked_up(name: str, section: str, values: Values, defaults: Mapping[str, str]) -> tuple[str, str]:
    """(section, value as it is written) of what a name stands for. Raises Unknown."""
    group, dot, option = name.partition(".")
    if dot:
        found = values.get((group, option)) if group != "DEFAULT" else None  # by the very name it is registered under
        if found:
            return group, found[-1]
        raise Unknown(f"${name} is not set, and its default is not known here")
    own = values.get((section, name)) if section != "DEFAULT" else None
    common = values.get(("DEFAULT", name))
    if own and common and own[-1] != common[-1]:
        raise Unknown(f"${name} is set in [{section}] and in [DEFAULT], and which one counts is nova's to say")
    if own or common:
        return (section, own[-1]) if own else ("DEFAULT", (common or [""])[-1])
    if name in defaults:
        return "DEFAULT", defaults[name]
    raise Unknown(f"${name} is not set, and its default is not known here")
