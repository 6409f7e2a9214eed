"""Answers from files and from fields: read, checked with one clear message, changed one value at a time, written as TOML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wizard import given
from wizard.answers import FORMAT, AllAnswers
from wizard.cards import AnswersModel
from wizard.chapters import Chapter, chapter, chapters
from wizard.errors import InputError
from wizard.node.facts import Facts
from wizard.numerals import whole
from wizard.questions import Key, Question

LIMIT = 1 * given.MIB  # bytes of an answers file; a thousand networks take a tenth of it


def load(path: Path) -> AllAnswers:
    """Read an answers file. Raises InputError with the field that is wrong."""
    return from_text(read(path), str(path))


def read(path: Path) -> str:
    """The text of an answers file, not looked into. Raises InputError."""
    return given.text(path, LIMIT)


def from_text(text: str, where: str) -> AllAnswers:
    """Answers from the text of an answers file. Raises InputError with the field that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not TOML: {error}", where=where, do="Mend that place.") from None
    except ValueError as error:  # Python refuses to convert a number of some thousand digits
        digits = re.search(r"[0-9][0-9_]{1000,}", text)
        place = (
            f"line {text.count(chr(10), 0, digits.start()) + 1}: a number has far too many digits" if digits else error
        )
        raise InputError(f"is not TOML that can be read: {place}", where=where, do="Mend that place.") from None
    except RecursionError:
        raise InputError("is not TOML that can be read: brackets stand too deep in each other", where=where) from None
    found = data.pop("format", None)
    if found != FORMAT:
        raise InputError(
            f"format is {_shown(found)}" if found else "has no format",
            where=where,
            do=f'The first line has to be: format = "{FORMAT}"',
        )
    return from_data(data, where)


def from_data(data: Mapping[str, Any], where: str = "") -> AllAnswers:
    """Answers from plain data. Raises InputError with the field that is wrong."""
    models = {each.NAME: each.Answers for each in chapters()}
    found: dict[str, AnswersModel] = {}
    for name, value in data.items():
        if name not in models:
            raise InputError(f"unknown chapter [{name}]", where=where, do=f"Known are: {', '.join(models)}.")
        try:
            found[name] = models[name].model_validate(value)
        except ValidationError as error:
            place, what = problem(error, models[name])
            field = _dotted((name, *place))
            raise InputError(f"{field}: {what}", where=where) from None
    return AllAnswers({name: found[name] for name in models if name in found})


# What a field has to be, by pydantic's name for the mistake.
WANTED = {
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "bool_type": "true or false", "bool_parsing": "true or false", "string_type": "a text in quotes",
    "list_type": "a list", "model_type": "a table", "model_attributes_type": "a table", "dict_type": "a table",
}  # fmt: skip


def problem(error: ValidationError, model: type[AnswersModel]) -> tuple[Key, str]:
    """The thing that is wrong first of all: its place in the model and a sentence that says what would be right."""
    every = sorted(error.errors(), key=_gravity)
    first = every[0]
    key = _key(first)
    kind, given_ = first["type"], first.get("input")
    if kind == "extra_forbidden":
        return key, f"is not a known key; known here: {', '.join(_fields(model, key[:-1]))}"
    if kind == "missing":
        return key, "is missing"
    if kind == "value_error":
        return key, str(first["ctx"]["error"])
    # a field that may be one thing or another has an error for each
    same = [each for each in every if _key(each) == key and (each["type"] in WANTED or each["type"] == "literal_error")]
    wanted = [each["ctx"]["expected"] if each["type"] == "literal_error" else WANTED[each["type"]] for each in same]
    if wanted:
        return key, f"has to be {' or '.join(dict.fromkeys(wanted))}, not {_shown(given_)}"
    return key, f"{first['msg']}, not {_shown(given_)}"


def _gravity(error: Any) -> tuple[bool, int, bool]:
    """Unknown keys first, since others may only follow from them; then what is deepest inside; what is said in our words."""
    return error["type"] != "extra_forbidden", -len(_key(error)), error["type"] != "value_error"


def _key(error: Any) -> Key:
    """The place of an error by the answers' own names, without pydantic's for the kinds that a field may be."""
    kinds = ("literal", "list[", "int", "function")
    return tuple(
        part for part in error["loc"] if not (isinstance(part, str) and (part.startswith(kinds) or part[:1].isupper()))
    )


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, default=str)
    except ValueError:  # Python refuses to write a number of some thousand digits
        return "a number of far too many digits"
    return text if len(text) <= 60 else text[:57] + "..."


def _fields(model: type[AnswersModel], key: Key) -> list[str]:
    """The names of the fields of the model at a place."""
    here: Any = model
    for part in key:
        if isinstance(part, int):
            continue
        field = getattr(here, "model_fields", {}).get(part)
        if field is None:
            return []
        here = _model_in(field.annotation)
    return sorted(getattr(here, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if hasattr(annotation, "model_fields"):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _dotted(key: Key) -> str:
    text = ""
    for part in key:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def value_at(answers: AllAnswers, name: str, key: Key) -> Any:
    """The value at a place of a chapter's answers, as plain data; None where there is none."""
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
    """Set one value at its place in plain data, making tables on the way; None takes a table's value away."""
    here: Any = data
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
        number = whole(text.removeprefix("-"))
        if number is None:
            raise InputError("type a whole number", where=_dotted(question.key))
        return -number if text.startswith("-") else number
    return text or None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that the node has now and a chapter's model refuses: the node is nobody's input, and ends no command."""

    what: str  # the field, what it would have to be, and what it is


def suggestion(each: Chapter, facts: Facts) -> AnswersModel | Refused | None:
    """Answers of one chapter from what the node is now; None where the chapter does not apply to it."""
    try:
        return each.suggest(facts)
    except ValidationError as error:
        place, what = problem(error, each.Answers)
        is_now = _shown(min(error.errors(), key=_gravity).get("input"))
        return Refused(
            f"{_dotted(place) or each.NAME}: {what}" + ("" if what.endswith(is_now) else f"; it is {is_now}")
        )


def beginning(each: Chapter, facts: Facts) -> AnswersModel | Refused | None:
    """Answers of one chapter to begin with: what is suggested; where that is refused, empty ones if the model has such."""
    found = suggestion(each, facts)
    if isinstance(found, Refused):
        with suppress(ValidationError):
            return each.Answers()
    return found


def suggest(facts: Facts) -> AllAnswers:
    """Answers for every chapter that applies to the node, from what the node is now; without those that are refused."""
    suggested = {each.NAME: suggestion(each, facts) for each in chapters()}
    return AllAnswers({name: found for name, found in suggested.items() if isinstance(found, AnswersModel)})


def left_out(facts: Facts, answers: AllAnswers) -> dict[str, Refused]:
    """By name, the chapters without answers for which none could be suggested, though they apply."""
    suggested = {each.NAME: suggestion(each, facts) for each in chapters() if answers.get(each.NAME) is None}
    return {name: found for name, found in suggested.items() if isinstance(found, Refused)}


def to_toml(answers: AllAnswers, comments: Mapping[str, str] | None = None) -> str:
    """An answers file; `comments` by chapter name are put above each chapter's table."""
    lines = [f'format = "{FORMAT}"']
    for name, data in answers.to_data().items():
        lines.append("")
        lines += [f"# {line}" for line in (comments or {}).get(name, "").splitlines()]
        lines += _table((name,), data)
    return "\n".join(lines) + "\n"


def _table(place: tuple[str, ...], data: Mapping[str, Any]) -> list[str]:
    plain = {key: value for key, value in data.items() if not _is_table_list(value)}
    lines = [f"[{'.'.join(place)}]"]
    lines += [f"{key} = {_inline(value)}" for key, value in plain.items()]
    for key, value in data.items():
        if _is_table_list(value):
            for row in value:
                lines += ["", f"[[{'.'.join((*place, key))}]]", *(f"{k} = {_inline(v)}" for k, v in row.items())]
    return lines


def _is_table_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
