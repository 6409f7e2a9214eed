"""The lines of this tool in nova.conf: which are there by an earlier run, and what the file is to hold."""

from __future__ import annotations

from wizard.chapters.passthrough.pools import own_values
from wizard.formats import oslo_config

__all__ = ["Wanted", "edited", "own_values"]

Wanted = dict[tuple[str, str], list[str]]


def edited(content: bytes | None, wanted: Wanted, own: set[str]) -> bytes | None:
    """nova.conf with what is wanted; ours that is wanted no more goes, what others wrote stays."""
    if content is None:
        return None
    result = content
    for (section, option), values in wanted.items():
        for there in oslo_config.values(oslo_config.parse(result), section, option):
            if there in own and there not in values:
                result = oslo_config.remove_value(result, section, option, there)
        for value in values:
            if value not in oslo_config.values(oslo_config.parse(result), section, option):
                result = oslo_config.append_value(result, section, option, value)
    return result
