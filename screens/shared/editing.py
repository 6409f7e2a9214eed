"""What is typed into the fields of a chapter: taken into the answers, or kept beside them with what is wrong. No widgets here."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from screens.shared.state import RawRow, Refused, State
from wizard.answers import editing, suggestion
from wizard.chapters.base import Chapter
from wizard.chapters.gateways import network_import
from wizard.chapters.gateways.network_import import Row
from wizard.errors import InputError
from wizard.model.answers import AnswersModel
from wizard.model.questions import Key, Question, Table


def leave_alone(state: State, chapter: str) -> None:
    """Nothing of this chapter is changed on the node."""
    state.answers = state.answers.replace(chapter, None)


def begin(state: State, chapter: Chapter, fresh: AnswersModel | None = None) -> str:
    """Answer a chapter that was left alone, with what fits the node; `fresh` where nothing is suggested. Gives why it cannot be
    answered, or ""."""
    assert state.facts is not None
    suggested = suggestion.beginning(chapter, state.facts)
    answers = suggested if isinstance(suggested, AnswersModel) else fresh
    if answers is not None:
        state.answers = state.answers.replace(chapter.NAME, answers)
        return ""
    if isinstance(suggested, suggestion.Refused):
        return f"what this node has now cannot be said as an answer: {suggested.what}"
    return "there is nothing to be answered here: this node has nothing of the kind"


def take(state: State, chapter: str, question: Question, key: Key, text: str | None, value: Any) -> dict[Key, str]:
    """Take one field's value: `text` as typed, or `value` as chosen where it is None.

    Gives what is wrong by field, "" where a field is right now. Of "161x" no 161 is left: the answers are again what they were
    before the field was typed into. Two values that only fit together (a router and its network) are
    taken when both are there: what was refused before is tried again with the new one.
    """
    held = state.refused.setdefault(chapter, {})
    state.begun.setdefault((chapter, key), editing.value_at(state.answers, chapter, key))
    if text is not None:
        try:
            value = editing.parse(question, text)
        except InputError as error:
            held[key] = Refused(text, None, False, error.what)
            _as_begun(state, chapter, key)
            return {key: error.what}
    others = {each: refused.value for each, refused in held.items() if refused.has_value and each != key}
    what = ""
    for values in ({**others, key: value}, {key: value}) if others else ({key: value},):
        try:
            state.answers = editing.change_all(state.answers, chapter, values)
        except InputError as error:
            what = error.what
            continue
        for each in values:
            held.pop(each, None)
        return dict.fromkeys(values, "")
    held[key] = Refused(text, value, True, what)
    _as_begun(state, chapter, key)
    return {key: what}


def _as_begun(state: State, chapter: str, key: Key) -> None:
    """Put a value back to what it was before its field was typed into; where the others do not fit that one, it stays."""
    with suppress(InputError):
        state.answers = editing.change(state.answers, chapter, key, state.begun[chapter, key])


def shown(state: State, chapter: str, key: Key, value: Any) -> tuple[Any, str]:
    """What a field begins with and what is wrong with it: what was typed there last, else the value of the answers."""
    refused = state.refused.get(chapter, {}).get(key)
    if refused is None:
        return value, ""
    return refused.value if refused.text is None else refused.text, refused.problem


def row_data(table: Table, row: RawRow) -> dict[str, Any]:
    """A row as the answers hold it. Raises InputError for a field that cannot be read."""
    data: dict[str, Any] = {}
    for column in (*table.columns, *table.more):
        value = row.values.get(column.key)
        if isinstance(value, str):
            value = editing.parse(column, value)
        if value is not None:
            editing.put(data, column.key, value)
    return data


def take_row(state: State, chapter: str, table: Table, row: RawRow) -> bool:
    """Take a row that was not right into the answers, if it is right now; else say in it what is wrong."""
    if row.untouched:
        row.problem = f"type the {table.columns[0].text}"
        return False
    try:
        state.answers = editing.add_row(state.answers, chapter, table.key, row_data(table, row))
    except InputError as error:
        field = str(error.where).rpartition(".")[2]
        row.problem = f"the {field} is missing: type it" if error.what == "is missing" else error.what
        return False
    state.raw[chapter].remove(row)
    return True


def new_row(state: State, chapter: str, table: Table) -> RawRow:
    """An empty row; of the fields that are chosen, what a new row begins with."""
    chosen = {column.key: at(table.fresh, column.key) for column in table.more if column.kind == "choice"}
    fresh = {key: value for key, value in chosen.items() if value is not None}
    row = RawRow(dict(fresh), f"type the {table.columns[0].text}", fresh=fresh)
    state.raw.setdefault(chapter, []).append(row)
    return row


def at(data: Any, key: Key) -> Any:
    """The value at a place of plain data; None where there is none."""
    for part in key:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def delete_row(state: State, chapter: str, place: Key, index: int) -> None:
    """Take one entry out of a list of the answers, with what was refused in it; those behind it move up. Raises InputError where
    the rest does not do without it."""
    state.answers = editing.remove_row(state.answers, chapter, place, index)
    held: dict[Key, Refused] = {}
    depth = len(place)
    for key, refused in state.refused.get(chapter, {}).items():
        row = key[depth] if key[:depth] == place and len(key) > depth else None
        if not isinstance(row, int) or row < index:
            held[key] = refused
        elif row > index:
            moved = (*place, row - 1, *key[depth + 1 :])
            held[moved] = refused
    state.refused[chapter] = held


def take_networks(state: State, chapter: str, place: Key, rows: list[Row]) -> tuple[int, int]:
    """Take many networks at once; those that are not right are kept beside the answers. Gives how many of each."""
    there = editing.value_at(state.answers, chapter, place) or []
    judged = network_import.without_doubles(rows, there)
    good = [row.data() for row in judged if not row.problem]
    if good:
        state.answers = editing.change(state.answers, chapter, place, [*there, *good])
    wrong = [row for row in judged if row.problem]
    state.raw.setdefault(chapter, []).extend(
        RawRow({(name,): text for name, text in row.values.items()}, row.problem, f"line {row.number}") for row in wrong
    )
    return len(good), len(wrong)
