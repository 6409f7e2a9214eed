"""A chapter as a page: why, what was found, what is wrong, the questions, and - while typing - what will change."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantBlur, Resize
from textual.timer import Timer
from textual.widgets import Input, Static

from screens.shared import edit_history
from screens.shared import editing as answering
from screens.shared.change_lines import changes
from screens.shared.key_line import Key as FooterKey
from screens.shared.nova_lines import nova_lines
from screens.tui import tones
from screens.tui.page import ENTER_NEXT, Page
from screens.tui.widgets.fields import Changed, Field, field_for
from screens.tui.widgets.table_editor import TableEditor
from wizard.answers import editing
from wizard.chapters.base import Chapter
from wizard.chapters.registry import chapter
from wizard.model.findings import worst
from wizard.model.questions import Key, Question, Table
from wizard.safe_text import safe_text

REST = 0.5  # seconds without a key before the plan is made anew
MOST_FOUND = 4  # lines of what was found; `inspect` has all


class ChapterPage(Page):
    """Renders the questions of the chapter with its name."""

    BINDINGS: ClassVar = [
        ("o", "toggle_chapter", "on/off"),
        ("a", "add", "add"),
        ("e", "edit", "edit"),
        ("d", "delete", "delete"),
        ("n", "next_problem", "next problem"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None

    @property
    def chapter(self) -> Chapter:
        return chapter(self.NAME)

    @property
    def answered(self) -> bool:
        return self.state.answers.get(self.NAME) is not None

    @property
    def table(self) -> TableEditor | None:
        found = self.query(TableEditor)
        return found.first() if found else None

    def keys(self) -> list[FooterKey]:
        switch = ("o", "leave alone" if self.answered else "answer it")
        rows: list[FooterKey] = []
        if self.table is not None:
            rows = [] if self.table.editing else [("a", "add"), ("e", "edit"), ("d", "delete"), *self.more_row_keys()]
            if self.state.raw.get(self.NAME) or self.state.refused.get(self.NAME):
                rows.append(("n", "next problem"))
        change: list[FooterKey] = [("Space", "change")] if isinstance(self.focused_field(), Field) else []
        return [*change, *rows, switch, ("Tab", "fields")]

    def more_row_keys(self) -> list[FooterKey]:
        """Further keys of the rows of this chapter."""
        return []

    def ways(self) -> list[FooterKey]:
        back = "close" if self.table is not None and self.table.editing else "back"
        return [("Esc", back), ENTER_NEXT]

    def focused_field(self) -> Field | None:
        """The field that has the focus, where it is not a text."""
        focused: Any = self.focused
        while focused is not None and not isinstance(focused, Field):
            focused = focused.parent
        return None if isinstance(self.focused, Input) else focused

    def _questions(self) -> list[Question | Table]:
        if self.state.facts is None or not self.answered:
            return []
        return self.chapter.questions(self.state.facts, self.state.answers)

    def body(self) -> ComposeResult:
        facts = self.state.facts
        if facts is None:
            return
        yield Static(self.chapter.WHY, classes="why", markup=False)
        groups = {question.group for question in self._questions()}
        found = [text for text in self.chapter.summary(facts) if text not in groups]  # said above the questions, too
        if len(found) > MOST_FOUND:
            found = [*found[: MOST_FOUND - 1], f"and {len(found) - MOST_FOUND + 1} more"]
        if found:
            yield Static(safe_text("\n".join(found)), classes="found", markup=False)
        yield Static("", id="findings", markup=False)
        with Vertical(id="form"):
            if self.answered:
                yield from self.form()
            else:
                yield Static("This chapter is left alone. Press o to answer it.", id="said", markup=False)

    def below(self) -> ComposeResult:
        yield Static("", id="changes", markup=False)

    def form(self) -> ComposeResult:
        group = ""
        for question in self._questions():
            if question.group != group:
                group = question.group
                yield Static(safe_text(group), classes="group", markup=False)
            if isinstance(question, Table):
                yield TableEditor(self.state, self.NAME, question)
            else:
                yield self.field(question)
        yield Static("", id="said", classes="problem", markup=False)

    def field(self, question: Question) -> Field:
        value = editing.value_at(self.state.answers, self.NAME, question.key)
        return field_for(
            question, *_key_last(answering.shown(self.state, self.NAME, question.key, value), question.key)
        )

    def on_mount(self) -> None:
        self.show()

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self.show)

    def say(self, text: str) -> None:
        """Something about the last key, below the questions."""
        place = self.query_one("#said", Static)
        place.update(safe_text(f"! {text}") if text else "")
        place.set_class(bool(text), "-shown")

    def on_changed(self, message: Changed) -> None:
        """Take a value into the answers, or say at the field what is wrong with it."""
        message.stop()
        field = message.field
        edit_history.remember(self.state, self.NAME, field.question.text, field.key)
        told = answering.take(self.state, self.NAME, field.question, field.key, message.text, message.value)
        for each in self.query(Field):
            if each.key in told:
                each.problem(told[each.key])
        self.later()

    def on_descendant_blur(self, _: DescendantBlur) -> None:
        self.state.begun.clear()

    def on_table_editor_edited(self, message: TableEditor.Edited) -> None:
        message.stop()
        self.later()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """To the next field; from the last one out of the fields, so that Enter goes on from there."""
        event.stop()
        event.prevent_default()
        table = self.table
        inside = table is not None and table.editing and table in event.input.ancestors
        fields = list((table if inside and table else self).query("Input, Line").results())
        fields = [each for each in fields if each.focusable and each.id != "find"]
        behind = fields[fields.index(event.input) + 1 :] if event.input in fields else []
        if behind:
            behind[0].focus()
        elif not (inside and table and table.close()):
            self.set_focus(None)

    def later(self) -> None:
        """Make the plan anew when the keys rest."""
        self.refresh_frame()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(REST, self.plan_anew)

    def plan_anew(self) -> None:
        """With answers that rest."""
        self.wizard.keep_draft()
        self.wizard.replan(0)

    async def planned(self) -> None:
        self.show()

    def show(self) -> None:
        """Draw what follows from the answers and the plan."""
        if not self.is_mounted:
            return
        plan = self.state.plan
        found = [finding for finding in plan.findings if finding.chapter == self.NAME] if plan else []
        findings = self.query_one("#findings", Static)
        findings.update(tones.findings(found))
        findings.display = bool(found)
        grave = worst(found)
        findings.set_class(grave == "blocks", "-bad").set_class(grave == "warns", "-warn")
        for question in self._questions():
            for field in self.query(Field):
                if isinstance(question, Question) and field.key == question.key:
                    field.renew(question)
        self.show_changes()
        self.refresh_frame()

    def show_changes(self) -> None:
        """What will change, in as many lines as there is room for."""
        place, room = self.query_one("#changes", Static), self.query_one("#panes").size
        nova = nova_lines(self.NAME, self.state.facts, self.state.answers)
        if self.wide:
            most, width = max(5, room.height - 2 - len(nova)), place.content_size.width
        else:
            most, width = max(5, min(room.height // 4, 14)), room.width - 2
        lines = changes(
            self.state.plan, self.NAME, self.answered, most, max(20, width - 2 * (self.full and not self.wide))
        )
        place.update(tones.lines([*map(tones.change_line, lines), *map(tones.plain, nova)]))

    async def action_toggle_chapter(self) -> None:
        """Leave the chapter alone, or answer it."""
        edit_history.remember(self.state, self.NAME, "on/off")
        if self.answered:
            answering.leave_alone(self.state, self.NAME)
        elif self.state.facts is not None:
            problem = answering.begin(self.state, self.chapter, self.fresh())
            if problem:
                self.say(problem)
                return
        await self.redo()

    def fresh(self) -> Any:
        """Answers to begin with where nothing is suggested; None where nothing can be asked."""
        return None

    async def action_add(self) -> None:
        if self.table is not None and not self.table.editing:
            await self.table.add()
            self.refresh_frame()

    async def action_edit(self) -> None:
        if self.table is not None and not self.table.editing:
            await self.table.edit()

    def action_delete(self) -> None:
        if self.table is not None:
            edit_history.remember(self.state, self.NAME, "row deleted")
            self.say(self.table.delete())

    async def action_next_problem(self) -> None:
        """To the next field or row that is not right yet."""
        wrong = [field for field in self.query(Field) if field.key in self.state.refused.get(self.NAME, {})]
        if wrong and (self.table is None or not self.table.editing):
            wrong[0].query("Input, Line").first().focus()
        elif self.table is not None:
            await self.table.next_problem()

    def leave_inner(self) -> bool:
        closed = self.table is not None and self.table.close()
        if closed:
            self.refresh_frame()
        return closed

    async def redo(self) -> None:
        """Build the page anew."""
        self.wizard.replan()
        await self.recompose()
        self.show()


def _key_last(shown: tuple[Any, str], key: Key) -> tuple[Any, Key, str]:
    return shown[0], key, shown[1]
