"""The rows of a table question: seen, filtered, added, edited, taken out; those that are not right yet are marked and kept."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from screens.shared import edit_history
from screens.shared import editing as answering
from screens.shared.state import RawRow, State
from screens.tui.widgets.fields import Changed, Field, field_for
from screens.tui.widgets.list_view import Column, Rows
from wizard.answers import editing
from wizard.errors import InputError
from wizard.model.questions import Key, Table
from wizard.safe_text import safe_text

NARROW = 5  # cells of a column of numbers


class TableEditor(Vertical):
    """A list, and below it - while one is edited - the fields of one row. `chapter` is whose answers these are."""

    class Edited(Message):
        """The answers are others now."""

    def __init__(self, state: State, chapter: str, table: Table) -> None:
        super().__init__(classes="table")
        self._state, self._chapter, self.question = state, chapter, table
        self._target: int | RawRow | None = None
        self._new: RawRow | None = None  # what the row that is edited was before it came into the answers
        self._filter = ""
        self._rows: list[Any] = []

    def compose(self) -> ComposeResult:
        yield Static("", id="table-title", classes="group", markup=False)
        columns = [Column(c.text, max(NARROW, len(c.text)) if c.kind == "number" else 0) for c in self.question.columns]
        yield Rows([Column("", 5), *columns], id="table-rows", empty="none yet: press a to add one")
        yield Static("", id="row-problem", classes="problem", markup=False)
        yield Vertical(id="editor", classes="-hidden")

    def on_mount(self) -> None:
        self.rows.leaves = True
        self.refresh_rows()

    @property
    def rows(self) -> Rows:
        return self.query_one("#table-rows", Rows)

    @property
    def raw(self) -> list[RawRow]:
        return self._state.raw.setdefault(self._chapter, [])

    @property
    def editing(self) -> bool:
        return self._target is not None

    def refresh_rows(self) -> None:
        """Draw the rows as they are in the answers now."""
        self._rows = editing.value_at(self._state.answers, self._chapter, self.question.key) or []
        keys = [f"a{number}" for number in range(len(self._rows))] + [f"r{number}" for number in range(len(self.raw))]
        if self._filter:
            keys = [key for key in keys if any(self._filter in cell.lower() for cell in self._cells(key)[1:])]
        self.rows.show(keys, self._cells)
        wrong = len(self._wrong())
        note = f", {wrong} not right yet (n: the next)" if wrong else ""
        seen = f", {len(keys)} of them seen" if self._filter else ""
        self.query_one("#table-title", Static).update(f"{self.question.text}: {len(self._rows)}{seen}{note}")

    def filter(self, text: str) -> None:
        """Only rows that hold this text."""
        self._filter = text.lower()
        self.refresh_rows()

    def _cells(self, key: str) -> list[str]:
        number = int(key[1:])
        if key[0] == "r":
            values = self.raw[number].values
            return ["!new ", *(self._text(values.get(column.key)) for column in self.question.columns)]
        mark = "!" if number in self._refused() else " "
        row = self._rows[number]
        return [f"{mark}{number + 1}", *(self._text(answering.at(row, column.key)) for column in self.question.columns)]

    @staticmethod
    def _text(value: Any) -> str:
        return "" if value is None else str(value)

    def _refused(self) -> set[int]:
        """Rows with a field that was refused."""
        place = len(self.question.key)
        keys = [key for key in self._state.refused.get(self._chapter, {}) if key[:place] == self.question.key]
        return {part for key in keys if len(key) > place and isinstance(part := key[place], int)}

    def _wrong(self) -> list[str]:
        return [f"a{number}" for number in sorted(self._refused())] + [f"r{number}" for number in range(len(self.raw))]

    def on_rows_moved(self, message: Rows.Moved) -> None:
        message.stop()
        self._tell(message.key)

    def _tell(self, key: str | None) -> None:
        """Below the table: what is wrong with the row under the cursor."""
        place = self.query_one("#row-problem", Static)
        text = self._problem(key) if key and not self.editing else ""
        place.update(safe_text(text))
        place.set_class(bool(text), "-shown")

    def _problem(self, key: str) -> str:
        number = int(key[1:])
        if key[0] == "r":
            row = self.raw[number]
            return f"! {row.source + ': ' if row.source else ''}{row.problem}"
        held = self._state.refused.get(self._chapter, {})
        prefix = (*self.question.key, number)
        found = [refused.problem for each, refused in held.items() if each[: len(prefix)] == prefix]
        return f"! row {number + 1}: {found[0]}" if found else ""

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """A row that is clicked twice is edited."""
        message.stop()
        if not self.editing:
            self.call_later(self.edit)

    async def next_problem(self) -> None:
        """To the next row that is not right yet, behind the cursor or from the start; straight into its fields."""
        wrong = self._wrong()
        if not wrong:
            return
        if self._filter:
            self.filter("")
        order = self.rows.keys
        behind = [key for key in wrong if order.index(key) > self.rows.cursor]
        self.rows.go((behind or wrong)[0])
        await self.edit()

    async def add(self) -> None:
        """One more row, empty, with its fields open. It comes into the answers when it is right."""
        answering.new_row(self._state, self._chapter, self.question)
        self._filter = ""
        self.refresh_rows()
        self.rows.go(f"r{len(self.raw) - 1}")
        await self.edit()

    async def edit(self) -> None:
        """Open the fields of the row under the cursor."""
        key = self.rows.key
        if key is None:
            return
        number = int(key[1:])
        self._target = self.raw[number] if key[0] == "r" else number
        editor = self.query_one("#editor", Vertical)
        await editor.remove_children()
        source = self._target.source or "new row" if isinstance(self._target, RawRow) else f"row {number + 1}"
        await editor.mount(Static(safe_text(f"Edit {source}"), classes="group", markup=False))
        await editor.mount(*(self._field(column.key) for column in (*self.question.columns, *self.question.more)))
        editor.remove_class("-hidden")
        self.add_class("-editing")
        self._tell(None)
        self._tell_row()
        fields = editor.query(Field)
        if fields:
            fields.first().query("Input, Line").first().focus()

    def _field(self, key: Key) -> Field:
        question = next(column for column in (*self.question.columns, *self.question.more) if column.key == key)
        if isinstance(self._target, RawRow):
            return field_for(question, self._target.values.get(key), key)
        assert self._target is not None
        whole = (*self.question.key, self._target, *key)
        value, problem = answering.shown(self._state, self._chapter, whole, answering.at(self._rows[self._target], key))
        return field_for(question, value, key, problem)

    def close(self) -> bool:
        """Close the fields; whether they were open. A new row into which nothing was put is gone."""
        if not self.editing:
            return False
        if isinstance(self._target, RawRow) and self._target.untouched:
            self.raw.remove(self._target)
        self._target = self._new = None
        self.query_one("#editor").add_class("-hidden")
        self.remove_class("-editing")
        self.refresh_rows()
        self.rows.focus()
        return True

    def delete(self) -> str:
        """Take out the row under the cursor; gives what stands in the way, or ""."""
        key = self.rows.key
        if key is None or self.editing:
            return ""
        number = int(key[1:])
        if key[0] == "r":
            del self.raw[number]
        else:
            try:
                answering.delete_row(self._state, self._chapter, self.question.key, number)
            except InputError as error:
                return error.what
        self.refresh_rows()
        self.post_message(self.Edited())
        return ""

    def on_changed(self, message: Changed) -> None:
        """A field of the row has another value."""
        message.stop()
        field, target = message.field, self._target
        row = target if isinstance(target, int) else "new"
        edit_history.remember(self._state, self._chapter, f"{field.question.text} of a row", (row, *field.key))
        if isinstance(target, RawRow):
            self._take_new(target, field.key, message)
        elif target is not None and self._new is not None and self._take_out(target):
            self.raw.append(self._new)
            self._take_new(self._new, field.key, message)
        elif target is not None:
            prefix = (*self.question.key, target)
            key = (*prefix, *field.key)
            told = answering.take(self._state, self._chapter, field.question, key, message.text, message.value)
            for each in self.query(Field):
                place = (*prefix, *each.key)
                if place in told:
                    each.problem(told[place])
        self.refresh_rows()
        if self._target is not None:
            self.rows.go(f"a{self._target}" if isinstance(self._target, int) else f"r{self.raw.index(self._target)}")
        self._tell_row()
        self.post_message(self.Edited())

    def _take_new(self, row: RawRow, key: Key, message: Changed) -> None:
        """Take a new row into the answers, if it is right with this value; at the next key it may be right no longer."""
        row.values[key] = message.value if message.text is None else message.text
        self._target = self._new = row
        if answering.take_row(self._state, self._chapter, self.question, row):
            rows = editing.value_at(self._state.answers, self._chapter, self.question.key)
            self._target = len(rows) - 1

    def _take_out(self, index: int) -> bool:
        """Take a row out of the answers; whether they do without it."""
        try:
            answering.delete_row(self._state, self._chapter, self.question.key, index)
        except InputError:
            return False
        return True

    def _tell_row(self) -> None:
        """What keeps a row that is not right from being taken, above its fields."""
        title = self.query_one("#editor .group", Static)
        if isinstance(self._target, RawRow):
            title.update(safe_text(f"! {self._target.problem}"))
        elif self._target is not None:
            title.update(f"Edit row {self._target + 1}")
