"""Questions as plain data: every face renders the same ones, and every check lives in the answers' models."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from wizard.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Holds:
    """The last part of a key that asks whether a list holds a value: yes puts it in, no takes it out."""

    value: str

    def __str__(self) -> str:
        return self.value


Key: TypeAlias = tuple[str | int | Holds, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few. `disabled` says why it cannot be taken; empty where it can."""

    value: Any
    label: str
    disabled: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One value of a chapter's answers: `key` is its place in the model, such as ("card", 0, "count"); with `Holds` at its end, a
    yesno asks whether that list holds the value.

    `group` is a heading that questions in a row share; `disabled` says why it cannot be answered now.
    """

    key: Key
    kind: Literal["yesno", "choice", "number", "text"]
    text: str
    help: str = ""
    choices: tuple[Choice, ...] = ()
    group: str = ""
    disabled: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A list of rows that can be added to and taken from: `key` is the list's place; `columns` are its fields.

    `more` are fields of a row that a table is too narrow for: asked only where one row is edited. `fresh` are the values of a
    new row.
    """

    key: Key
    text: str
    columns: tuple[Question, ...]
    fresh: dict[str, Any]
    group: str = ""
    help: str = ""
    more: tuple[Question, ...] = ()
