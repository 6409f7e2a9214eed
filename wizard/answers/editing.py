"""Answers, changed one value at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from wizard.chapters.registry import chapter
from wizard.errors import InputError
from wizard.integers import parse_int
from wizard.model.answers import AllAnswers
from wizard.model.questions import Holds, Key, Question
from wizard.model.validation import _dotted, problem


def value_at(answers: AllAnswers, name: str, key: Key) -> Any:
    """The value at a place of a chapter's answers, as plain data; None where there is none. Of `Holds`, whether
    the list there holds the value."""
    if key and isinstance(key[-1], Holds):
        return key[-1].value in (value_at(answers, name, key[:-1]) or [])
    here: Any = answers.to_data().get(name)
    for part in key:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return None
    return here


def change(answers: AllAnswers, name: str, key: Key, value: Any) -> AllAnswers:
    """The answers with one value changed; None takes an optional value away. Raises InputError(where=field) where the
    chapter's model refuses it."""
    return change_all(answers, name, {key: value})


def change_all(answers: AllAnswers, name: str, values: Mapping[Key, Any]) -> AllAnswers:
    """The answers with several values changed at once, as they have to be where one alone would not fit the others. Raises
    InputError as :func:`change` does."""
    data: Any = answers.to_data().get(name, {})
    for key, value in values.items():
        put(data, key, value)
    return _validated(answers, name, data, next(iter(values)))


def put(data: Any, key: Key, value: Any) -> None:
    """Set one value at its place in plain data, making tables on the way; None takes a table's value away. Of
    `Holds`, the list holds the value or does not."""
    here: Any = data
    if isinstance(key[-1], Holds):
        *above, name = key[:-1]
        for part in above:
            here = here[part]
        kept = [each for each in here.get(name, []) if each != key[-1].value]
        here[name] = [*kept, key[-1].value] if value else kept
        return
    for part in key[:-1]:
        if isinstance(here, dict):
            here = here.setdefault(part, {})
        else:
            here = here[part]
    if value is None and isinstance(here, dict):
        here.pop(key[-1], None)
    else:
        here[key[-1]] = value


def add_row(answers: AllAnswers, name: str, key: Key, row: Mapping[str, Any]) -> AllAnswers:
    """The answers with one more row in a list."""
    rows = list(value_at(answers, name, key) or [])
    return change(answers, name, key, [*rows, dict(row)])


def remove_row(answers: AllAnswers, name: str, key: Key, index: int) -> AllAnswers:
    """The answers without one row of a list."""
    rows = list(value_at(answers, name, key) or [])
    del rows[index]
    return change(answers, name, key, rows)


def _validated(answers: AllAnswers, name: str, data: Any, key: Key) -> AllAnswers:
    model = chapter(name).Answers
    try:
        return answers.replace(name, model.model_validate(data))
    except ValidationError as error:
        place, what = problem(error, model)
        where = _dotted(place or key)
        raise InputError(what, where=where) from None


def parse(question: Question, text: str) -> Any:
    """The value behind what was typed into a field. Raises InputError saying what to type."""
    text = text.strip()
    if question.kind == "number":
        if text == "max":
            return "max"
        if not text:
            return None
        number = parse_int(text.removeprefix("-"))
        if number is None:
            raise InputError("type a whole number", where=_dotted(question.key))
        return -number if text.startswith("-") else number
    return text or None
