"""A table of a chapter: rows are listed, added, edited and taken out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from screens.plain import network_questions as networks
from screens.plain import value_text
from screens.plain.network_questions import ManyNetworks
from screens.plain.terminal_io import Command
from screens.shared import editing as answering
from wizard.answers import editing
from wizard.errors import InputError
from wizard.model.questions import Table

if TYPE_CHECKING:
    from screens.plain.plain_session import PlainSession

HELP = (
    "a adds a row and asks for its values; e and a number edits that row, d and a number takes it out; l lists all rows."
    " Enter goes on."
)
BRIEF = 160  # characters of rows that are said without being asked for


class TableQuestions:
    """Asks about one table. Rows are counted from 1."""

    def __init__(self, session: PlainSession, name: str, table: Table, label: str) -> None:
        self.session, self.name, self.table, self.label = session, name, table, label
        self._many = ManyNetworks(session, name, table.key, label) if name == "gateways" else None

    def _rows(self) -> list[Any]:
        return editing.value_at(self.session.state.answers, self.name, self.table.key) or []

    def _count(self) -> int:
        return len(self._rows())

    def _said(self, number: int, row: Any) -> str:
        """One row in a line, counted from 1; empty values are left out."""
        found = [(column, answering.at(row, column.key)) for column in self.table.columns]
        parts = [f"{column.text} {value_text.shown(column, value)}" for column, value in found if value is not None]
        return f"  {number}. {', '.join(parts)}"

    def ask(self) -> bool:
        """Until it goes on, or back."""
        all_rows = self._rows()
        few = [self._said(number, row) for number, row in enumerate(all_rows[:10], 1)]
        if len(all_rows) == len(few) and sum(map(len, few)) <= BRIEF:
            self._list()
        while True:
            rows = f"{self._count()} row{'s' * (self._count() != 1)}"
            many = f", {networks.WAYS}" if self._many else ""
            line = self.session.ask(
                f"{self.label} {self.table.text}, {rows}: a add, e edit, d delete, l list{many} [Enter goes on]:",
                f"{self.table.help} {HELP} {networks.HELP if many else ''}".strip(),
            )
            if isinstance(line, Command):
                return False
            if not line:
                return True
            self._do(line)

    def _list(self) -> None:
        for number, row in enumerate(self._rows(), 1):
            self.session.talk.say(self._said(number, row))

    def _do(self, line: str) -> None:
        order = re.fullmatch(r"([aedl])\s*(\d*)", line.lower())
        if self._many is not None and line.lower() in ("m", "t", "f"):
            self._many.ask(line.lower())
            return
        number = int(order[2]) if order and order[2] else self._count()
        if order is None:
            self.session.talk.say(f"! type a, e 1, d 1, l{', m, t, f' if self._many else ''} or Enter")
        elif order[1] == "a":
            self._add()
        elif order[1] == "l":
            self._list()
        elif not 1 <= number <= self._count():
            self.session.talk.say(f"! there are rows 1 to {self._count()}" if self._count() else "! there is no row")
        elif order[1] == "d":
            self.session.talk.say(f"Taken out:{self._said(number, self._rows()[number - 1])}")
            state = self.session.state
            state.answers = editing.remove_row(state.answers, self.name, self.table.key, number - 1)
        else:
            self._edit(number - 1)

    def _add(self) -> None:
        row = dict(self.table.fresh)
        first = str(self.table.columns[0].key[0])
        row[first] = f"{row[first]}{self._count() + 1}"
        before = self.session.state.answers
        try:
            self.session.state.answers = editing.add_row(before, self.name, self.table.key, row)
        except InputError as error:
            self.session.talk.say(f"! {error.what}")
            return
        if not self._edit(self._count() - 1):
            self.session.state.answers = before
            self.session.talk.say("Not added.")

    def _edit(self, index: int) -> bool:
        """Ask each value of a row; False where the admin went back behind the first one."""
        from screens.plain.ask_value import ask_value

        place = 0
        while 0 <= place < len(self.table.columns):
            column = self.table.columns[place]
            key = (*self.table.key, index, *column.key)
            value = editing.value_at(self.session.state.answers, self.name, key)
            label = f"{self.label} row {index + 1}"
            place += 1 if ask_value(self.session, self.name, column, key, value, label) else -1
        return place > 0
