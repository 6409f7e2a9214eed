"""A chapter as a page: why, what was found, the questions, what is wrong, and - while typing - what will change."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from screens.base import Page
from screens.widgets.fields import Changed, Field, field_for
from wizard import answer_files
from wizard.answers import AllAnswers
from wizard.chapters import Chapter, chapter
from wizard.errors import InputError
from wizard.plan import Plan, RemoveFile, WriteFile
from wizard.questions import Key, Question, Table
from wizard.report import printable, title

REST = 0.4  # seconds without a key before the plan is made anew


class Planned(Message):
    """The plan for these answers."""

    def __init__(self, plan: Plan, answers: AllAnswers) -> None:
        super().__init__()
        self.plan, self.answers = plan, answers


class ChapterPage(Page):
    """Renders the questions of the chapter with its name."""

    KEYS = "o on/off"
    BINDINGS: ClassVar = [("o", "toggle_chapter", "on/off"), ("a", "add_row", "add"), ("d", "delete_row", "delete")]

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None

    @property
    def chapter(self) -> Chapter:
        return chapter(self.NAME)

    @property
    def answered(self) -> bool:
        return self.state.answers.get(self.NAME) is not None

    def keys(self) -> str:
        tables = any(isinstance(question, Table) for question in self._questions())
        rows = "a add  d delete  " if tables else ""
        return f"F1 help  q quit  Tab fields  Space change  {rows}o {'off' if self.answered else 'on'}  Esc back  Enter next"

    def _questions(self) -> list[Question | Table]:
        if self.state.facts is None or not self.answered:
            return []
        return self.chapter.questions(self.state.facts, self.state.answers)

    def body(self) -> ComposeResult:
        facts = self.state.facts
        if facts is None:
            return
        yield Static(self.chapter.WHY, classes="why", markup=False)
        yield Static(printable("\n".join(self.chapter.summary(facts))), classes="found", markup=False)
        yield Static("", id="findings", markup=False)
        with Vertical(id="form"):
            if self.answered:
                yield from self.form()
            else:
                yield Static("This chapter is left alone. Press o to answer it.", markup=False)
        yield Static("", id="changes", markup=False)

    def form(self) -> ComposeResult:
        group = ""
        for question in self._questions():
            if question.group != group:
                group = question.group
                yield Static(printable(group), classes="group", markup=False)
            if isinstance(question, Table):
                yield from self.table(question)
            else:
                value = answer_files.value_at(self.state.answers, self.NAME, question.key)
                yield field_for(question, value, question.key)

    def table(self, table: Table) -> ComposeResult:
        rows = answer_files.value_at(self.state.answers, self.NAME, table.key) or []
        yield Static(f"{table.text}: {len(rows)}", classes="group", markup=False)
        with Horizontal(classes="row head"):
            yield Static("", classes="number", markup=False)
            for column in table.columns:
                yield Static(column.text, classes="cell", markup=False)
        for index in range(len(rows)):
            with Horizontal(classes="row"):
                yield Static(f"{index + 1:3} ", classes="number", markup=False)
                for column in table.columns:
                    key = (*table.key, index, *column.key)
                    yield field_for(column, answer_files.value_at(self.state.answers, self.NAME, key), key, in_row=True)
        yield Static("", id="row-problem", classes="problem", markup=False)

    def on_mount(self) -> None:
        self.show()

    def on_changed(self, message: Changed) -> None:
        """Take a value into the answers, or say at the field what is wrong with it."""
        message.stop()
        field = message.field
        try:
            value = message.value if message.text is None else answer_files.parse(field.question, message.text)
            self.state.answers = answer_files.change(self.state.answers, self.NAME, field.key, value)
        except InputError as error:
            self.tell(field, error.what)
            return
        self.tell(field, "")
        self.later()

    def tell(self, field: Field, problem: str) -> None:
        """What is wrong, below the field; below the table for a field in a row."""
        if not field.in_row:
            field.problem(problem)
            return
        place = self.query_one("#row-problem", Static)
        place.update(printable(f"! row {self._number(field)}, {field.question.text}: {problem}") if problem else "")
        place.set_class(bool(problem), "-shown")

    def _number(self, field: Field) -> int:
        return next((part + 1 for part in field.key if isinstance(part, int)), 0)

    def later(self) -> None:
        """Make the plan anew when the keys rest."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(REST, self.plan_anew)

    def plan_anew(self) -> None:
        self.make_plan(self.state.answers)

    @work(thread=True, exclusive=True, group="plan", exit_on_error=False)
    def make_plan(self, answers: AllAnswers) -> None:
        facts = self.state.facts
        if facts is not None:
            self.post_message(Planned(self.wizard.engine.plan(facts, answers), answers))

    def on_planned(self, message: Planned) -> None:
        if message.answers == self.state.answers:
            self.state.plan = message.plan
            self.show()

    def show(self) -> None:
        """Draw what follows from the plan."""
        plan = self.state.plan
        if plan is None:
            return
        found = [finding for finding in plan.findings if finding.chapter == self.NAME]
        lines = [
            line for f in found for line in (f"{f.severity.upper()} {f.code}: {f.seen}", f"  {f.why}", f"  > {f.do}")
        ]
        self.query_one("#findings", Static).update(printable("\n".join(lines)))
        self.query_one("#changes", Static).update(printable("\n".join(self.changes(plan))))
        self.refresh_frame()

    def changes(self, plan: Plan) -> list[str]:
        """What this chapter does, a few words each; the preview has the rest."""
        if self.NAME in plan.blocked:
            return ["Will change", "  nothing: blocked by what is said above, or by a chapter that this one needs"]
        lines = ["Will change"]
        for step in plan.steps:
            if self.NAME not in step.chapters:
                continue
            lines.append(f"{'' if title(step).startswith('$') else '+ '}{title(step)}")
            if isinstance(step, WriteFile | RemoveFile):
                added = [
                    line[1:] for line in step.diff.splitlines()[2:] if line.startswith("+") and "#" not in line[:2]
                ]
                lines += [f"    {line}" for line in added[:3]] + (
                    [f"    ({len(added) - 3} more lines)"] if len(added) > 3 else []
                )
        mine = [step for step in plan.steps if self.NAME in step.chapters]
        if any("reboot" in step.labels for step in mine):
            lines.append("! takes effect after a reboot")
        return lines if mine else ["Will change", "  nothing: all is as it is wanted"]

    async def action_toggle_chapter(self) -> None:
        """Leave the chapter alone, or answer it."""
        if self.answered:
            self.state.answers = self.state.answers.replace(self.NAME, None)
        elif self.state.facts is not None:
            suggested = self.chapter.suggest(self.state.facts)
            fresh: Any = suggested if suggested is not None else self.fresh()
            if fresh is None:
                return
            self.state.answers = self.state.answers.replace(self.NAME, fresh)
        await self.redo()

    def fresh(self) -> Any:
        """Answers to begin with where nothing is suggested; None where nothing can be asked."""
        return None

    def _table(self) -> Table | None:
        return next((question for question in self._questions() if isinstance(question, Table)), None)

    async def action_add_row(self) -> None:
        table = self._table()
        if table is None:
            return
        row = dict(table.fresh)
        taken = answer_files.value_at(self.state.answers, self.NAME, table.key) or []
        first = str(table.columns[0].key[0])
        row[first] = f"{row[first]}{len(taken) + 1}"
        try:
            self.state.answers = answer_files.add_row(self.state.answers, self.NAME, table.key, row)
        except InputError as error:
            self.notify(printable(error.what), markup=False)
            return
        await self.redo()

    async def action_delete_row(self) -> None:
        table = self._table()
        index = self._row(table) if table else None
        if table is None or index is None:
            return
        self.state.answers = answer_files.remove_row(self.state.answers, self.NAME, table.key, index)
        await self.redo()

    def _row(self, table: Table) -> int | None:
        """The row that has the focus; else the last one."""
        rows = answer_files.value_at(self.state.answers, self.NAME, table.key) or []
        node: Any = self.focused
        while node is not None and not isinstance(node, Field):
            node = node.parent
        key: Key = node.key if node is not None else ()
        inside = key[: len(table.key)] == table.key and len(key) > len(table.key)
        index = key[len(table.key)] if inside else len(rows) - 1
        return index if isinstance(index, int) and rows else None

    async def redo(self) -> None:
        """Build the form anew."""
        self.wizard.replan()
        await self.recompose()
        self.show()
