"""Apply: asks once, then follows the run, which is a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input, Log, Static

from screens.base import Page
from wizard import report
from wizard.errors import Exit, WizardError
from wizard.plan import Plan

WORDS = {
    Exit.DONE: "Done.",
    Exit.ROLLED_BACK: "A step failed. What had been done was taken back: the node is as it was.",
    Exit.NOT_ROLLED_BACK: "It stopped before its end and was not taken back: press h for the history, and undo or resume it.",
    Exit.REFUSED: "Refused: something changed since the plan was made. Go back to Preview: it is made anew.",
}


class Said(Message):
    """A line of the journal."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line


class Ended(Message):
    """The run has ended. `after` is what is to be said of the reboot."""

    def __init__(self, code: int, after: list[str]) -> None:
        super().__init__()
        self.code, self.after = code, after


class ApplyPage(Page):
    """Type yes, see each step live."""

    NAME = "apply"
    AUTO_FOCUS = "#yes"
    applied: Plan | None = None
    BINDINGS: ClassVar = [("x", "stop", "stop after this step")]

    def keys(self) -> str:
        return "F1 help  q leave  x stop after this step  Esc back  Enter next"

    @property
    def plan(self) -> Plan | None:
        return self.state.undo if self.state.undo is not None else self.state.plan

    def body(self) -> ComposeResult:
        plan = self.plan
        if plan is None:
            return
        yield Static(report.printable("\n".join(self.before(plan))), id="before", markup=False)
        if self.state.run is None and not self.obstacle(plan):
            yield Input("", id="yes", compact=True, placeholder="yes")
        yield Static("", id="result", markup=False)
        yield Log(id="log", highlight=False)

    def obstacle(self, plan: Plan) -> str:
        """Why it cannot be applied; empty where it can."""
        if self.wizard.engine.can_apply:
            return self.wizard.engine.can_apply
        if plan.stopped:
            return "a finding blocks: mend it, or leave its chapter alone (o), then preview again"
        return "" if plan.steps else "nothing is to be changed on this node"

    def before(self, plan: Plan) -> list[str]:
        if self.state.run is not None:
            return [f"Run {self.state.run}"]
        what = f"take back {plan.undoes}" if plan.undoes else "do what the preview shows"
        lines = [f"This will {what}: {len(plan.steps)} steps."]
        if self.obstacle(plan):
            return [*lines, f"Not now: {self.obstacle(plan)}."]
        if any("one-way" in step.labels for step in plan.steps):
            lines.append("One step cannot be taken back. Type one-way to do it all.")
        else:
            lines.append("It can be taken back. Type yes to start.")
        return lines

    def on_mount(self) -> None:
        if self.state.run is not None:
            self.follow(self.state.run)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()  # else the handler of every page moves the focus on, too
        plan = self.plan
        if plan is None:
            return
        one_way = any("one-way" in step.labels for step in plan.steps)
        if event.value.strip().lower() != ("one-way" if one_way else "yes"):
            self.query_one("#result", Static).update("Nothing was done.")
            return
        try:
            self.state.run = self.wizard.engine.start(plan, ("one-way",) if one_way else ())
        except WizardError as error:
            self.query_one("#result", Static).update(report.printable(str(error)))
            return
        self.applied, self.state.undo = plan, None
        self.state.runs += 1
        event.input.remove()
        self.query_one("#before", Static).update(f"Run {self.state.run}")
        self.refresh_frame()
        self.follow(self.state.run)

    @work(thread=True, exclusive=True, group="follow", exit_on_error=False)
    def follow(self, run: str) -> None:
        tell: Callable[[Any], str] = self.wizard.engine.line_for
        for event in self.wizard.engine.events(run):
            line = tell(event)
            if line:
                self.post_message(Said(report.printable(line)))
        code = self.wizard.engine.result(run)
        after = self.wizard.engine.after_apply(self.applied) if code == Exit.DONE and self.applied else []
        self.post_message(Ended(code, after))

    def on_said(self, message: Said) -> None:
        self.query_one(Log).write_line(message.line)

    def on_ended(self, message: Ended) -> None:
        text = WORDS.get(Exit(message.code), f"Ended with {message.code}.")
        lines = [text, *message.after, "Enter goes to Verify."]
        self.query_one("#result", Static).update(report.printable("\n".join(lines)))
        self.state.run = None
        self.refresh_frame()

    def action_stop(self) -> None:
        if self.state.run is not None:
            self.wizard.engine.request_stop(self.state.run)

    def action_next(self) -> None:
        if self.state.run is None:
            self.wizard.look("verify")
