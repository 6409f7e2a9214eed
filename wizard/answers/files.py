"""Answers from files and from fields: read, checked with one clear message, changed one value at a time, written as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from wizard import toml, user_files
from wizard.chapters.registry import chapters
from wizard.errors import InputError
from wizard.model.answers import FORMAT, AllAnswers, AnswersModel
from wizard.model.validation import _dotted, _shown, problem
from wizard.regex import regex

DEEPEST = 16  # parts of a key, or brackets in each other; an answer has four
_TOKEN = regex(
    r'''(?P<long>"""(?:[^\\]|\\.)*?(?:"""|\Z)|\'\'\'.*?(?:\'\'\'|\Z)|\#[^\n]*)'''
    r"""|(?P<part>"(?:[^"\\\n]|\\.)*"?|\'[^\'\n]*\'?|[\w-]+)|(?P<blank>[ \t]+)|(?P<other>.)""",
    re.DOTALL,
)
SCHEMA_FILE = "./answers.schema.json"  # what `compute-wizard schema answers --out` writes, beside the answers
Alternatives: TypeAlias = Callable[[str, Mapping[str, Any]], list[str]]
"""What else could be said in a table, a line each: of the table's name, such as vfs.card, and of its keys."""
LIMIT = 1 * user_files.MIB  # bytes of an answers file; a thousand networks take a tenth of it


def load(path: Path) -> AllAnswers:
    """Read an answers file. Raises InputError with the field that is wrong."""
    return from_text(read(path), str(path))


def read(path: Path) -> str:
    """The text of an answers file, not looked into. Raises InputError."""
    return user_files.text(path, LIMIT)


def from_text(text: str, where: str) -> AllAnswers:
    """Answers from the text of an answers file. Raises InputError with the field that is wrong."""
    _refuse_too_deep(text, where)
    try:
        data = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise InputError(f"is not TOML: {error}", where=where, do="Fix that place.", code="ANSWERS-NOT-TOML") from None
    except ValueError as error:  # Python refuses to convert a number of some thousand digits
        digits = re.search(r"[0-9][0-9_]{1000,}", text)
        place = (
            f"line {text.count(chr(10), 0, digits.start()) + 1}: a number has far too many digits" if digits else error
        )
        raise InputError(
            f"is not TOML that can be read: {place}", where=where, do="Fix that place.", code="ANSWERS-NOT-TOML"
        ) from None
    except RecursionError:
        raise InputError(
            "is not TOML that can be read: brackets stand too deep in each other", where=where, code="ANSWERS-NOT-TOML"
        ) from None
    found = data.pop("format", None)
    if isinstance(found, str) and re.fullmatch(r"compute-wizard\.answers/([2-9]|[1-9]\d{1,8})", found):
        raise InputError(
            f"was written for a newer version of this tool ({found}; this one knows {FORMAT})",
            where=where,
            do="Use it with that version.",
        )
    if found != FORMAT:
        raise InputError(
            f"format is {_shown(found)}" if found else "has no format",
            where=where,
            do=f'The first line has to be: format = "{FORMAT}"',
            code="ANSWERS-FORMAT",
        )
    return from_data(data, where)


def _refuse_too_deep(text: str, where: str) -> None:
    """Raises InputError for keys of very many parts and for brackets in brackets in brackets: the reader of TOML takes minutes
    for the ones and memory for the others, and no answer is that deep. Strings and comments are passed over."""
    if not any(line.count(".") >= DEEPEST or line.count("[") + line.count("{") > DEEPEST for line in text.split("\n")):
        return  # a key stands on one line; brackets on many lines are for the reader to count
    parts, expects_part, depth = 0, True, 0
    for token in _TOKEN.finditer(text):
        kind, word = token.lastgroup, token.group()
        if kind == "part":
            parts = parts + 1 if expects_part and parts else 1
            expects_part = False
        elif word == ".":
            expects_part = True
        elif kind != "blank":
            parts, expects_part = 0, True
            depth = max(0, depth + (word in "[{") - (word in "]}"))
        if parts > DEEPEST or depth > DEEPEST:
            line = text.count("\n", 0, token.start()) + 1
            what = "a key has far too many parts" if parts > DEEPEST else "brackets stand too deep in each other"
            raise InputError(
                f"is not TOML that can be read: line {line}: {what}",
                where=where,
                do="Fix that place.",
                code="ANSWERS-NOT-TOML",
            )


def from_data(data: Mapping[str, Any], where: str = "") -> AllAnswers:
    """Answers from plain data. Raises InputError with the field that is wrong."""
    models = {each.NAME: each.Answers for each in chapters()}
    found: dict[str, AnswersModel] = {}
    for name, value in data.items():
        if name not in models:
            raise InputError(
                f"unknown chapter [{name}]", where=where, do=f"Known are: {', '.join(models)}.", code="ANSWERS-CHAPTER"
            )
        try:
            found[name] = models[name].model_validate(value)
        except ValidationError as error:
            place, what = problem(error, models[name])
            field = _dotted((name, *place))
            raise InputError(f"{field}: {what}", where=where, code="ANSWERS-VALUE") from None
    return AllAnswers({name: found[name] for name in models if name in found})


def to_toml(
    answers: AllAnswers, comments: Mapping[str, str] | None = None, alternatives: Alternatives | None = None
) -> str:
    """An answers file; `comments` by chapter name are put above each chapter's table, what `alternatives` gives for a table
    below its keys. The first line names the schema for editors."""
    lines = [f"#:schema {SCHEMA_FILE}", f'format = "{FORMAT}"']
    for name, data in answers.to_data().items():
        lines.append("")
        lines += [f"# {line}" for line in (comments or {}).get(name, "").splitlines()]
        lines += _table((name,), data, alternatives or (lambda place, row: []))
    return "\n".join(lines) + "\n"


def _table(place: tuple[str, ...], data: Mapping[str, Any], alternatives: Alternatives) -> list[str]:
    plain = {key: value for key, value in data.items() if not _is_table_list(value)}
    lines = [f"[{'.'.join(place)}]"]
    lines += [f"{key} = {_inline(value)}" for key, value in plain.items()]
    lines += [f"# {line}" for line in alternatives(".".join(place), data)]
    for key, value in data.items():
        if _is_table_list(value):
            for row in value:
                name = ".".join((*place, key))
                lines += ["", f"[[{name}]]", *(f"{k} = {_inline(v)}" for k, v in row.items())]
                lines += [f"# {line}" for line in alternatives(name, row)]
    return lines


def _is_table_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
