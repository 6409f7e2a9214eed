"""History: what this tool did to the node, and taking it back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.base import Page
from wizard import report
from wizard.errors import WizardError


class HistoryPage(Page):
    """Runs; u shows what taking one back would do."""

    NAME = "history"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar = [("u", "undo", "undo")]

    def keys(self) -> str:
        return "F1 help  q quit  u take this run back (shown first)  Esc back"

    def body(self) -> ComposeResult:
        facts = self.state.facts
        runs = facts.history.runs if facts else ()
        yield Static("What this tool did to this node, the newest first." if runs else report.history(()), markup=False)
        options = [
            Option(report.printable(f"{run.id}  {run.state}  {run.steps_done}/{run.steps} steps"), id=run.id)
            for run in reversed(runs)
        ]
        yield OptionList(*options, id="runs", markup=False, compact=True)
        yield Static("", id="detail", markup=False)

    def action_undo(self) -> None:
        facts = self.state.facts
        runs = self.query_one("#runs", OptionList)
        if facts is None or runs.highlighted is None:
            return
        try:
            plan = self.wizard.engine.undo_plan(facts, runs.get_option_at_index(runs.highlighted).id)
        except WizardError as error:
            self.query_one("#detail", Static).update(report.printable(str(error)))
            return
        self.state.undo, self.state.run = plan, None
        self.query_one("#detail", Static).update(
            report.plan(plan) + "\nEnter goes to Apply, where you are asked once more."
        )

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        self.action_next()

    def action_back(self) -> None:
        self.state.undo = None
        self.wizard.go("verify")

    def action_next(self) -> None:
        if self.state.undo is not None:
            self.wizard.go("apply")
