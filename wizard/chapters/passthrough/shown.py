"""What nova would hand out, now and after the plan: as lines for the admin, and as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wizard.chapters.passthrough import existing
from wizard.chapters.passthrough.matching import outlook
from wizard.chapters.passthrough.matching.handout import Handout, Refusal, Row
from wizard.chapters.passthrough.matching.outlook import Outlook
from wizard.chapters.passthrough.pools import Answers, release_of
from wizard.facts.facts import Facts
from wizard.model.answers import AllAnswers


def of(facts: Facts, answers: AllAnswers) -> Outlook | None:
    """None where nova is not here, or its release is not known: each matches in its own way."""
    mine = answers.of(Answers)
    release = release_of(facts, mine) if mine else facts.nova.release
    if release is None or not facts.nova.installed:
        return None
    if mine is None:
        return outlook.outlook(facts, release, existing.vfs_asked(facts, answers), {})
    return existing.asked(facts, answers, mine, release).outlook


def lines(facts: Facts, answers: AllAnswers) -> list[str]:
    """The devices by who gets them, now and after the plan; one list where the plan changes nothing of it."""
    found = of(facts, answers)
    if found is None:
        return ["What nova hands out cannot be determined: its release is not known."] if facts.nova.installed else []
    now, after = _lines(found.now), _lines(found.after)
    if now == after:
        return ["What nova would hand out now, and after this plan:", *now]
    return ["What nova would hand out now:", *now, "After this plan:", *after]


def _lines(handout: Handout) -> list[str]:
    refused = [*handout.refused, *(handout.refused_aliases if handout.rules.has("aliases read at start") else ())]
    if refused:
        return [f"  nothing: nova {handout.rules.release} refuses {each.setting.place}: {each.why}" for each in refused]
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in handout.rows:
        if row.setting is not None or row.device.kind == "type-VF":
            groups.setdefault((row.device.parent or "", row.place, f"{row.to}{row.doubt}"), []).append(row)
    return [f"  {_line(rows)}" for rows in groups.values()] or ["  nothing"]


def _line(rows: list[Row]) -> str:
    row, number = rows[0], sum(row.device.number for row in rows)
    what = f"{number} VF{'s' if number > 1 else ''} of {row.device.parent}" if row.device.parent else _few(rows)
    where = f" ({row.place})" if row.setting is not None else ", since no line matches"
    doubt = f"; it cannot be told for certain: {row.doubt}" if row.doubt else ""
    return f"{what}: {row.to}{where}{doubt}"


def _few(rows: list[Row]) -> str:
    named = ", ".join(row.device.address for row in rows[:3])
    return named + (f" and {len(rows) - 3} more" if len(rows) > 3 else "")


def data(facts: Facts, answers: AllAnswers) -> dict[str, Any]:
    """The same as data, each device for itself; `now` and `after` are null where the release is not known."""
    found = of(facts, answers)
    return {
        "format": "compute-wizard.handout/1",
        "release": found.now.rules.release if found is not None else None,
        "now": _data(found.now) if found is not None else None,
        "after": _data(found.after) if found is not None else None,
    }


def _data(handout: Handout) -> dict[str, Any]:
    return {
        "devices": [_row(row) for row in handout.rows],
        "refused": _refused(handout.refused),
        "refused_aliases": _refused(handout.refused_aliases),
    }


def _row(row: Row) -> dict[str, Any]:
    device, setting = row.device, row.setting
    line = (
        {"path": setting.path, "line": setting.line, "option": setting.option, "value": setting.value}
        if setting
        else None
    )
    return {
        "address": None if device.coming else device.address,
        "physical_function": device.parent,
        "number": device.number,
        "ids": f"{device.vendor}:{device.product}",
        "type": device.kind,
        "line": line,
        "aliases": list(row.aliases),
        "for_ports": row.for_ports,
        "physical_network": row.network,
        "doubt": row.doubt,
    }


def _refused(refusals: Iterable[Refusal]) -> list[dict[str, str]]:
    return [{"place": each.setting.place, "value": each.setting.value, "why": each.why} for each in refusals]
