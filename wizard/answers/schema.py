"""The answers as a JSON Schema (draft 2020-12), made from the models, and as a page of reference made from that.

What the models accept, the schema accepts; what only a whole file shows (two pools of one name) is left to `validate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from wizard.chapters.registry import chapters
from wizard.model.answers import FORMAT

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FIRST = "0.9"  # the version since when a key is known that says nothing else
HEAD = """\
# answers.toml

Every key of an answers file, made from the program's own models by `compute-wizard schema answers --markdown`.
A section that is absent is left alone. An unknown key is an error. `compute-wizard suggest` writes a file that
fits a node, and `compute-wizard validate FILE` checks one without a node.

## In an editor

The files that this tool writes begin with `#:schema ./answers.schema.json`. Editors with a TOML language server
(Taplo, Even Better TOML, Tombi) read that line: they complete keys and mark mistakes once the schema lies beside
the file.

```
compute-wizard schema answers --out answers.schema.json
```

## The file

| key | values | default | what it is | since |
|---|---|---|---|---|
| `format` | `"{format}"` | required | the format of the file | 0.9 |
"""


def schema() -> dict[str, Any]:
    """The JSON Schema of an answers file."""
    every = chapters()
    by_model, whole = models_json_schema([(each.Answers, "validation") for each in every])
    sections = {each.NAME: {"description": each.TITLE, **by_model[(each.Answers, "validation")]} for each in every}
    found = {
        "$schema": DRAFT,
        "$id": f"urn:{FORMAT.replace('/', ':')}",
        "title": "Answers of compute-wizard",
        "type": "object",
        "properties": {"format": {"const": FORMAT, "description": "the format of the file"}, **sections},
        "required": ["format"],
        "additionalProperties": False,
        "$defs": whole.get("$defs", {}),
    }
    plain: dict[str, Any] = _without_null(found)
    return plain


def _without_null(value: Any) -> Any:
    """TOML has no null: a key that is not meant is left out."""
    if isinstance(value, list):
        return [_without_null(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_null(each) for key, each in value.items() if not (key == "default" and each is None)}
    ways = [each for each in kept.get("anyOf", ()) if each != {"type": "null"}]
    if "anyOf" not in kept:
        return kept
    if len(ways) == 1:
        return {**{key: each for key, each in kept.items() if key != "anyOf"}, **ways[0]}
    return {**kept, "anyOf": ways}


def reference() -> str:
    """The page docs/answers.md."""
    whole = schema()
    lines = [HEAD.replace("{format}", FORMAT)]
    for name, section in whole["properties"].items():
        if name == "format":
            continue
        lines.append(f"## [{name}]\n")
        for title, rows in _tables(whole, name, section):
            lines.append(f"{title}| key | values | default | what it is | since |\n|---|---|---|---|---|")
            lines += [*rows, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _tables(whole: dict[str, Any], place: str, at: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The table of one model, then those of the models inside it, each with a title."""
    model = model_at(whole, at)
    inner: list[tuple[str, str, dict[str, Any]]] = []
    rows = []
    for key, field in model["properties"].items():
        default = (
            _code(field["default"]) if "default" in field else "required" if key in model.get("required", ()) else ""
        )
        since = field.get("since", FIRST)
        rows.append(f"| `{key}` | {_values(whole, field)} | {default} | {field.get('description', '')} | {since} |")
        if field.get("description", "").startswith("short form"):
            continue
        if "$ref" in field.get("items", {}):
            inner.append((f"### `[[{place}.{key}]]`\n\n", f"{place}.{key}", field["items"]))
            continue
        for form in (field, *field.get("anyOf", ())):
            target = form if "$ref" in form else form.get("items", {})
            if "properties" in model_at(whole, target):
                inner.append((f"### `{key}` of `{place}`\n\n", f"{place}.{key}", target))
    yield "", rows
    for title, where, below in inner:
        first, *rest = _tables(whole, where, below)
        yield title, first[1]
        yield from rest


def model_at(whole: dict[str, Any], at: dict[str, Any]) -> dict[str, Any]:
    """The model behind a field: what its `$ref` leads to, else the field itself."""
    found: dict[str, Any] = whole["$defs"].get(at.get("$ref", "").removeprefix("#/$defs/"), at)
    return found


def _values(whole: dict[str, Any], field: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "enum" in field:
        return ", ".join(_code(each) for each in field["enum"])
    if "anyOf" in field:
        ways = [
            {**form, **{key: field[key] for key in ("minimum", "maximum") if key in field}} for form in field["anyOf"]
        ]
        return " or ".join(dict.fromkeys(_values(whole, form) for form in ways))
    if "const" in field:
        return _code(field["const"])
    if "$ref" in field:
        target = model_at(whole, field)
        return "a table" if "properties" in target else _values(whole, target)
    if field.get("type") == "array":
        item = _values(whole, field["items"])
        return "tables" if item == "a table" else "a list of strings" if item == "a string" else f"a list of {item}"
    names = {"string": "a string", "integer": "a number", "boolean": "`true`, `false`"}
    text = names.get(str(field.get("type")), str(field.get("type")))
    return (
        f"{text} from {field['minimum']} to {field['maximum']}" if "minimum" in field and text == "a number" else text
    )


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"
