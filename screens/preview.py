"""Preview: every file and every command in the order in which they happen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from screens.base import Page
from wizard import report
from wizard.errors import WizardError
from wizard.plan import Plan, RemoveFile, Step, WriteFile


class PreviewPage(Page):
    """The list of steps on top, the chosen one below."""

    NAME = "preview"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar = [("s", "save('plan')", "save"), ("e", "save('script')", "export")]

    def __init__(self) -> None:
        super().__init__()
        self._saving = ""

    def keys(self) -> str:
        return "F1 help  q quit  Up/Down step  s save plan  e script  Esc back  Enter next"

    def body(self) -> ComposeResult:
        self.wizard.replan()
        plan = self.state.plan
        if plan is None:
            return
        if plan.blocked:
            yield Static(
                f"Blocked, and left out: {', '.join(plan.blocked)}. Their pages say why.", markup=False, classes="alarm"
            )
        options = [Option(self.line(number, step), id=str(number)) for number, step in enumerate(plan.steps)]
        options += [Option("    kernel command line", id="line")]
        options += (
            [Option(f"    controller: {len(plan.controller)} things to be done there", id="controller")]
            if plan.controller
            else []
        )
        if not plan.steps:
            yield Static("Nothing is to be changed on this node.", markup=False)
        yield OptionList(*options, id="steps", markup=False, compact=True)
        yield Static("", id="saved", markup=False)
        yield Input("", id="path", compact=True, classes="-hidden")
        yield Static("", id="detail", markup=False)

    def line(self, number: int, step: Step) -> str:
        labels = f"[{', '.join(step.labels)}] " if step.labels else ""
        return report.printable(f"{number + 1:3} {labels}{report.title(step)}")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        plan = self.state.plan
        if plan is not None and event.option_id is not None:
            self.query_one("#detail", Static).update(report.printable(self.detail(plan, event.option_id)))

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        self.action_next()

    def detail(self, plan: Plan, which: str) -> str:
        if which == "line":
            line = plan.kernel_command_line
            return f"now:\n  {line.now or 'unknown'}\nafter the reboot:\n  {line.after_reboot or 'unknown'}"
        if which == "controller":
            return "\n".join(report.controller(plan.controller))
        step = plan.steps[int(which)]
        lines = [*(f"why:  {why}" for why in step.why), f"undo: {report.how_undone(step)}"]
        if step.labels:
            lines.append(f"note: {', '.join(step.labels)}")
        if isinstance(step, WriteFile):
            lines.append(f"mode {step.after.mode}, owner {step.after.owner}")
        if isinstance(step, WriteFile | RemoveFile):
            lines += ["", *step.diff.splitlines()[2:]]
        return "\n".join(lines)

    def action_save(self, what: str) -> None:
        """Ask for a path, then write there."""
        plan = self.state.plan
        if plan is None or (what == "script" and plan.blocked):
            return
        self._saving = what
        field = self.query_one("#path", Input)
        name = plan.node.hostname or "node"
        field.value = f"/root/{name}.plan" if what == "plan" else f"/root/{name}.sh"
        field.remove_class("-hidden")
        self.query_one("#saved", Static).update(f"save the {what} as:")
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()  # else the handler of every page moves the focus on, too
        plan, facts, path = self.state.plan, self.state.facts, event.value.strip()
        if plan is None or facts is None or not path:
            return
        try:
            if self._saving == "plan":
                self.wizard.engine.save_plan(plan, path)
            else:
                self.wizard.engine.export_script(facts, plan, path)
            said = f"saved as {path}, for its owner only"
        except WizardError as error:
            said = str(error)
        self.query_one("#saved", Static).update(report.printable(said))
        event.input.add_class("-hidden")
        self.query_one("#steps", OptionList).focus()
