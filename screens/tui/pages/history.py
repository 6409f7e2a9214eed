"""History: what this tool did to the node, and taking it back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from screens.shared.key_line import Key
from screens.shared.page_order import short
from screens.tui.page import Page
from screens.tui.widgets.list_view import Column, Rows
from screens.tui.widgets.text_view import TextView
from wizard.errors import WizardError
from wizard.facts.facts import Facts
from wizard.runs.history import PastRun
from wizard.safe_text import safe_text

TONES = {
    "done": "good", "running": "accent", "waiting": "accent", "rolled_back": "warn", "undone": "dim",
    "failed": "bad", "stopped": "bad", "interrupted": "bad",
}  # fmt: skip


def said(facts: Facts | None, runs: bool) -> list[str]:
    """What stands above the runs; that something cannot be seen is no sign that nothing was done."""
    unseen = [f"Could not be seen: {each.what}: {each.why}" for each in facts.history.unseen] if facts else []
    if runs:
        return ["What this tool did to this node, the newest first.", *unseen]
    return unseen or ["This tool never changed this node."]


class HistoryPage(Page):
    """Runs, the newest first; below, the journal of the one under the cursor."""

    NAME = "history"
    AUTO_FOCUS = "Rows"
    SCROLLS = False
    BINDINGS: ClassVar = [("u", "undo", "undo"), ("g", "go_on", "go on")]

    def keys(self) -> list[Key]:
        run = self.run_here()
        go_on: list[Key] = (
            [("g", "watch" if run and run.state.under_way else "go on")] if run and self.open(run) else []
        )
        return [*go_on, ("u", "take this run back (shown first)"), ("Tab", "journal")] if run else []

    def ways(self) -> list[Key]:
        return [("Esc", "back")]

    def body(self) -> ComposeResult:
        runs = self.runs()
        yield Static(safe_text("\n".join(said(self.state.facts, bool(runs)))), id="said", markup=False)
        yield Rows([Column("run", 21), Column("state", 11), Column("steps", 7), Column("what")], id="runs")
        yield TextView(id="detail")

    def runs(self) -> dict[str, PastRun]:
        facts = self.state.facts
        return {run.id: run for run in reversed(facts.history.runs)} if facts else {}

    def run_here(self) -> PastRun | None:
        rows = self.query("#runs")
        return self.runs().get(rows.first(Rows).key or "") if rows else None

    @staticmethod
    def open(run: PastRun) -> bool:
        """Whether it can be gone on with, or watched."""
        return run.state.resumable or run.state.under_way

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.tones = lambda key: {1: TONES.get(self.runs()[key].state, "")}
        rows.show(list(self.runs()), self.cells)
        self.name_part("#runs", "Runs")
        self.name_part("#detail", "Journal")

    def cells(self, key: str) -> list[str]:
        run = self.runs()[key]
        what = f"takes back {short(run.undoes)}" if run.undoes else ", ".join(run.chapters) or "nothing"
        return [
            f"{short(run.id)} {run.at[:16].replace('T', ' ')}",
            run.state.replace("_", " "),
            f"{run.steps_done}/{run.steps}",
            what,
        ]

    def on_rows_moved(self, message: Rows.Moved) -> None:
        message.stop()
        run = self.runs().get(message.key or "")
        lines: list[str] = []
        if run is not None:
            lines = [f"{run.at}  {', '.join(run.chapters)}"]
            lines += [f"taken back by {short(run.undone_by)}"] if run.undone_by else []
            lines += [f"left to be run: {command}" for command in run.unfinished]
            lines += ["", *self.wizard.engine.journal(run.id)]
        self.query_one("#detail", TextView).show(lines)
        self.refresh_keys()

    def action_scroll(self, pages: float) -> None:
        self.query_one("#detail", TextView).page(pages)

    def action_undo(self) -> None:
        run = self.run_here()
        if run is not None:
            self.say("Looking what taking it back would do ...")
            self.wizard.show_undo(run.id)

    def say(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_text(text))

    def action_go_on(self) -> None:
        """Watch a run that is under way; go on with one that stopped."""
        run = self.run_here()
        if run is None or not self.open(run):
            return
        try:
            if not run.state.under_way and self.state.facts is not None:
                self.wizard.engine.refuse_to_go_on(self.state.facts, run.id)
            if not run.state.under_way and not self.wizard.engine.word_to_go_on(run.id)[0]:  # else Apply asks it
                self.wizard.engine.resume(run.id)
        except WizardError as error:
            self.say(str(error))
            return
        self.state.run = run.id
        self.state.runs += 1
        self.wizard.go("apply")

    def back(self) -> None:
        self.state.undo = None
        self.wizard.go("verify")

    def action_next(self) -> None:
        """There is nothing behind this page."""
