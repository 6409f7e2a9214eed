"""What could be answered instead, as comments of a suggested file; and suggested answers that fit every node of a kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from wizard.answers import schema as answers_schema
from wizard.chapters.registry import chapter
from wizard.chapters.shared import cards
from wizard.chapters.shared.cards import Card, CardAnswers, Match
from wizard.facts.facts import Facts
from wizard.facts.pci.functions import PciFunction
from wizard.model.answers import AllAnswers


def commented(facts: Facts) -> Callable[[str, Mapping[str, Any]], list[str]]:
    """For each table of a suggested file: other ways to name its card, and the keys with a choice that are not as written."""
    choices = _choices()

    def of(place: str, row: Mapping[str, Any]) -> list[str]:
        return [*_other_matches(facts, row.get("match")), *_other_values(choices.get(place, {}), row, facts)]

    return of


def _choices() -> dict[str, dict[str, dict[str, Any]]]:
    """The fields of each table, by the table's name as it stands in the file."""
    whole = answers_schema.schema()
    found: dict[str, dict[str, dict[str, Any]]] = {}

    def add(place: str, at: dict[str, Any]) -> None:
        model = answers_schema.model_at(whole, at)
        found[place] = model["properties"]
        for key, field in model["properties"].items():
            if "$ref" in field.get("items", {}):
                add(f"{place}.{key}", field["items"])

    for name, section in whole["properties"].items():
        if name != "format":
            add(name, section)
    return found


def _other_values(fields: dict[str, dict[str, Any]], row: Mapping[str, Any], facts: Facts) -> list[str]:
    lines = []
    for key, field in fields.items():
        if field.get("description", "").startswith("short form"):
            continue
        needed, barred = field.get("x-with"), field.get("x-without")
        if barred in row or (needed is not None and needed not in row):
            continue  # it means nothing beside the other keys of this row
        words = _words(field)
        others = [word for word in words if word != row.get(key) and word != field.get("default")]
        if key == "release":  # twenty names are no help: what was found is what is asked about
            others = [facts.nova.release] if facts.nova.release and row.get(key) == "auto" else []
        if others:
            shown = ", ".join(json.dumps(word) for word in others[1:4])
            about = field.get("description", "").split(";")[0]
            lines.append(f"{key} = {json.dumps(others[0])}  # {about}{f'; also {shown}' if shown else ''}")
    return lines


def _words(field: dict[str, Any]) -> list[Any]:
    """The fixed values that a field may have."""
    if field.get("type") == "boolean":
        return [True, False]
    found = [*field.get("enum", ()), *([field["const"]] if "const" in field else [])]
    return found + [word for form in field.get("anyOf", ()) for word in _words(form)]


def _other_matches(facts: Facts, match: Any) -> list[str]:
    if not isinstance(match, dict):
        return []
    functions = cards.select(Match.model_validate(match), facts.pci)
    found: dict[str, str] = {}
    for function in functions[:1]:
        kind = sum(
            (f.vendor, f.device) == (function.vendor, function.device) and not f.is_vf for f in facts.pci.functions
        )
        ways = [
            (_kind(function), f"every card of this kind: {kind} port{'s' if kind > 1 else ''} here"),
            (Match(serial=function.serial) if function.serial else None, "every port of this card"),
            (Match(mac=mac) if (mac := cards.own_mac(function)) else None, "this port"),
            (Match(address=function.address), "this slot"),
        ]
        found |= {_inline(form): about for form, about in ways if form is not None}
    return [
        f"match = {form}  # {about}" for form, about in found.items() if form != _inline(Match.model_validate(match))
    ]


def _kind(function: PciFunction) -> Match:
    return Match(vendor=function.vendor, product=function.device)


def _inline(match: Match) -> str:
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in match if value is not None) + " }"


def portable(facts: Facts, answers: AllAnswers) -> tuple[AllAnswers, dict[str, list[str]]]:
    """The answers with every card named by vendor and product, and by chapter what was lost by it, a sentence each.

    One entry a kind: the first counts where cards of one kind are asked for different things.
    """
    lost: dict[str, list[str]] = {}
    for name in answers.names():
        mine = answers.get(name)
        if isinstance(mine, CardAnswers):
            kept, lost[name] = _one_a_kind(facts, mine)
            answers = answers.replace(name, type(mine).model_validate({"card": [each.model_dump() for each in kept]}))
    return _portable_pools(facts, answers, lost), lost


def _one_a_kind(facts: Facts, mine: CardAnswers) -> tuple[list[Card], list[str]]:
    kept: dict[str, Card] = {}
    lost = []
    for card in mine.card:
        if card.guids:  # unique in the fabric: of one node, never of all that this is handed to
            lost.append(f"{card.match}: its GUIDs are left out; each node needs its own (guids = in its answers).")
        for match in dict.fromkeys(str(_kind(f)) for f in cards.select(card.match, facts.pci)):
            vendor, product = match.split()[1], match.split()[3]
            everywhere = {"match": Match(vendor=vendor, product=product), "guids": "", "policy": "follow"}
            asked = card.model_copy(update=everywhere)
            first = kept.setdefault(match, asked)
            if first != asked:
                lost.append(
                    f"{card.match} is asked for something else than the first card of its kind: that one counts."
                )
    return list(kept.values()), lost


def _portable_pools(facts: Facts, answers: AllAnswers, lost: dict[str, list[str]]) -> AllAnswers:
    """Pools name the cards of one kind; a match of two kinds at a time cannot be said by vendor and product."""
    for name in answers.names():
        data = answers.to_data()[name]
        changed = False
        for pool in data.get("pool", ()):
            if not isinstance(pool.get("cards"), dict):
                continue
            kinds = list(
                {str(_kind(f)): _kind(f) for f in cards.select(Match.model_validate(pool["cards"]), facts.pci)}.values()
            )
            if len(kinds) == 1:
                pool["cards"], changed = kinds[0].model_dump(exclude_none=True), True
            else:
                lost.setdefault(name, []).append(f"The pool {pool['name']} still names its cards of this node alone.")
        if changed:
            answers = answers.replace(name, chapter(name).Answers.model_validate(data))
    return answers
