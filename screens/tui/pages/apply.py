"""Apply: asks once, then follows the run, which is a process of its own. A run that is found under way is followed, too."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, ProgressBar, Static

from screens.shared.apply_text import before, drops_network, now_and_next, verdict, word
from screens.shared.change_lines import line
from screens.shared.fit_text import cut
from screens.shared.key_line import Key
from screens.shared.page_order import short
from screens.tui import tones
from screens.tui.page import PLANNING, Page
from screens.tui.widgets.line_input import Entry
from screens.tui.widgets.list_view import Column, Rows
from screens.tui.widgets.panel import Panel
from screens.tui.widgets.text_view import TextView
from wizard.errors import Exit, WizardError
from wizard.integers import MOST_MINUTES
from wizard.model.plan import Plan
from wizard.planning.reboot_advice import Advice
from wizard.runs.progress import WORDS, RunProgress
from wizard.safe_text import safe_text

TONES = {"held": "good", "running": "accent", "failed": "bad", "skipped": "dim", "taken back": "warn"}


class Happened(Message):
    """Events of the journal, in their order."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        super().__init__()
        self.events = events


class Ended(Message):
    """The run has ended; `problem` where its runner is gone without a word. `after` is what is to be said of the reboot."""

    def __init__(self, problem: str, after: Advice) -> None:
        super().__init__()
        self.problem, self.after = problem, after


class ApplyPage(Page):
    """Type yes, see each step live."""

    NAME = "apply"
    AUTO_FOCUS = "#yes"
    SCROLLS = False
    BINDINGS: ClassVar = [
        ("x", "stop", "stop after this step"),
        ("r", "retry", "retry"),
        ("u", "undo", "take back"),
        ("l", "leave_it", "leave it"),
        ("k", "keep", "keep it"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.progress: RunProgress | None = None
        self._timer: Timer | None = None
        self._stopping = False
        self._word = ""  # what is to be typed before a run goes on

    def keys(self) -> list[Key]:
        if self.state.running and self.progress is not None and self.progress.waiting:
            return [("k", "keep it"), ("Tab", "steps, output")]
        if self.state.running:
            return [("x", "stop after this step"), ("Tab", "steps, output")]
        if self.query("#yes"):
            return [("Tab", "steps, the field")]
        if self.can_go_on:
            return [("r", "retry"), ("u", "take back"), ("l", "leave as it is")]
        return []

    def ways(self) -> list[Key]:
        if self.state.running:
            return [("Esc", "look elsewhere: it goes on")]
        if self.progress is None:
            return [("Esc", "back")]
        return [("Esc", "back"), ("Enter", "to Verify")]

    def field_ways(self) -> list[Key]:
        return [("Esc", "leave the field"), ("Enter", "do what you typed")]

    @property
    def plan(self) -> Plan | None:
        return self.state.undo if self.state.undo is not None else self.state.current

    @property
    def can_go_on(self) -> bool:
        """Whether the run that is shown stopped on its way."""
        return (
            self.progress is not None
            and not self.state.running
            and self.progress.result not in ("done", "rolled_back", "refused")
        )

    def body(self) -> ComposeResult:
        plan = self.plan
        yield Static("", id="before", markup=False)
        if self.state.run is None and plan is not None and not self.obstacle(plan):
            yield Entry("", id="yes", compact=True, select_on_focus=False)
        if self.full:
            yield ProgressBar(show_eta=False, show_percentage=False, id="bar")
        yield Static("", id="result", markup=False)
        yield VerticalScroll(id="blocks", can_focus=False)
        yield Rows([Column("")], id="steps", headings=False)
        yield TextView(id="log")

    def on_mount(self) -> None:
        self.query_one("#log").display = self.state.run is not None
        self.query("#bar").set(display=self.state.run is not None)
        self.query_one("#blocks").display = False
        self.query_one(Rows).words = self.words_of
        self.name_part("#steps", "Steps")
        self.name_part("#log", "Output")
        if self.state.run is not None:
            self.follow_run(self.state.run)
        else:
            self.show_plan()

    def show_plan(self) -> None:
        """What is to be done, before it is."""
        plan = self.plan
        lines = before(plan, self.obstacle(plan)) if plan else [PLANNING]
        self.query_one("#before", Static).update(safe_text("\n".join(lines)))
        self.query_one(Rows).show([str(number) for number in range(1, len(plan.steps) + 1)] if plan else [], self.cells)

    async def planned(self) -> None:
        if self.state.run is None:
            await self.recompose()
            self.query_one("#log").display = False
            self.show_plan()
            self.query("#yes").focus()
        await super().planned()

    def obstacle(self, plan: Plan) -> str:
        """Why it cannot be applied; empty where it can."""
        wrong = self.state.not_right()
        if wrong and not plan.undoes:
            return f"something is not right yet in {', '.join(wrong)}: go there, n leads to it"
        if plan.stopped:
            return "a finding blocks: fix it, or leave its chapter alone (o), then come back"
        return self.wizard.engine.can_apply if plan.steps or plan.undoes else "nothing is to be changed on this node"

    def cells(self, key: str) -> list[str]:
        number = int(key)
        plan = self.progress.plan if self.progress else self.plan
        if plan is None:
            return [""]
        mark, took = "  ", ""
        if self.progress is not None:
            mark, took = WORDS[self.progress.state(number)], self.progress.time(number, time.time())
        room = self.query_one(Rows).room - 7 - (11 if self.progress else 0)
        return [f"{mark} {number:3} {cut(line(plan.steps[number - 1]), max(12, room))} {took:>10}".rstrip()]

    def words_of(self, key: str, _: str) -> list[tuple[int, int, str]]:
        """The mark of what has happened to a step."""
        tone = TONES.get(self.progress.state(int(key)), "") if self.progress is not None else ""
        return [(1, 3, tone)] if tone else []

    def on_rows_moved(self, message: Rows.Moved) -> None:
        message.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()  # else the handler of every page moves the focus on, too
        if event.input.id == "word":
            self.word_said(event.input)
            return
        plan = self.plan
        if plan is None:
            return
        wanted = word(plan)
        said = event.value.strip().lower()
        minutes = int(said) if drops_network(plan) and said.isdecimal() else 0
        if said != wanted and not 1 <= minutes <= MOST_MINUTES:
            self.say(f"Nothing was done: that was not {wanted}.")
            event.input.clear()
            return
        try:
            accept = (wanted,) if wanted == "one-way" else ()
            run = self.wizard.engine.start(plan, accept, on_failure="stop", confirm_minutes=minutes)
        except WizardError as error:
            self.refused(error)
            return
        event.input.remove()
        self.state.undo = None
        self.state.runs += 1
        self.follow_run(run)

    def refused(self, error: WizardError) -> None:
        """It was not started: say why."""
        self.say(f"Not started: {error} Back (Esc) at the preview, r reads the node anew.")

    def say(self, text: str) -> None:
        self.query_one("#result", Static).update(safe_text(text))

    def follow_run(self, run: str) -> None:
        """Show a run from its beginning, and follow it."""
        try:
            plan = self.wizard.engine.plan_of(run)
        except WizardError as error:
            self.say(str(error))
            return
        self.state.run, self.state.running, self._stopping = run, True, False
        self.state.outdated = True
        self.progress = RunProgress(plan)
        self.remove_class("-ended")
        self.query("#bar").set(display=True)
        self.query_one("#blocks").display = False
        log = self.query_one("#log", TextView)
        log.display = True
        log.show([])
        log.follow()
        self.query_one(Rows).show([str(number) for number in range(1, len(plan.steps) + 1)], self.cells)
        self.query_one(Rows).focus()
        self.say("")
        self.tick()
        if self._timer is None:
            self._timer = self.set_interval(1.0, self.tick)
        self._timer.resume()
        self.refresh_frame()
        self.follow(run)

    @work(thread=True, exclusive=True, group="follow")
    def follow(self, run: str) -> None:
        problem, after = "", Advice()
        engine = self.wizard.engine
        try:
            for event in engine.events(run):
                if not self.is_attached:
                    return
                self.post_message(Happened([event]))
            if engine.result(run) == Exit.DONE:
                after = engine.advise(engine.plan_of(run))
        except WizardError as error:
            problem = str(error)
        self.post_message(Ended(problem, after))

    def on_happened(self, message: Happened) -> None:
        if self.progress is None:
            return
        log = self.query_one("#log", TextView)
        for event in message.events:
            before = self.progress.current
            said = self.progress.take(event)
            if said:
                log.add(said)
            if self.progress.current and self.progress.current != before:
                self.query_one(Rows).go(str(self.progress.current))
            if event["event"] in ("waiting", "confirmed", "rollback"):
                self.refresh_frame()
        self.tick()

    def tick(self) -> None:
        """Draw what moves: the time, the bar, what is done now and what comes next."""
        progress = self.progress
        if progress is None or not self.is_mounted:
            return
        takes = f" takes back run {short(progress.plan.undoes)}" if progress.plan.undoes else ""
        title = f"Run {short(self.state.run or '')}{takes}"
        lines = [f"{title}   {progress.elapsed(time.time())}"]
        if self.full:
            self.query_one("#bar", ProgressBar).update(total=len(progress.plan.steps), progress=progress.done)
            lines.append(progress.counted())
        else:
            lines.append(progress.bar())
        if self.state.running:
            lines.append(now_and_next(progress, self._stopping, self.counted(progress)))
        self.query_one("#before", Static).update(safe_text("\n".join(lines)))
        self.query_one(Rows).refresh()

    def counted(self, progress: RunProgress) -> str:
        """How far the kernel is with making VFs: for many of them it takes a minute."""
        if not progress.current:
            return ""
        there = self.wizard.engine.vfs_there(progress.plan.steps[progress.current - 1])
        return "" if there is None else f" ({there} there by now)"

    def on_ended(self, message: Ended) -> None:
        self.state.running = False
        if self._timer is not None:
            self._timer.pause()
        self.tick()
        self.state.outcome = self.progress.result if self.progress else ""
        done = self.progress is not None and self.progress.result == "done"
        self.state.reboot_due = bool(done and self.progress and self.progress.plan.needs_reboot)
        self.say("")
        self.add_class("-ended")
        self.show_blocks(message)
        self.refresh_frame()

    def show_blocks(self, message: Ended) -> None:
        """What came of it, what comes next, and the way back where the node does not boot."""
        result = message.problem or (verdict(self.progress) if self.progress else "")
        good = not message.problem and self.progress is not None and self.progress.result == "done"
        blocks = [("Result", [result], "first" if good else "bad")]
        blocks += [("Next", list(message.after.following), "warn")] if message.after.following else []
        blocks += [("If it does not boot", list(message.after.without), "")] if message.after.without else []
        place = self.query_one("#blocks")
        place.display = True
        place.remove_children()
        for name, texts, tone in blocks:
            bold = f"bold {tones.GOOD if good else tones.BAD}" if name == "Result" else ""
            place.mount(Panel(name, tones.lines([tones.plain(text, bold) for text in texts]), tone))

    def action_scroll(self, pages: float) -> None:
        blocks = self.query_one("#blocks")
        if blocks.display:
            blocks.scroll_relative(y=round(pages * max(1, blocks.size.height - 1)), animate=False)
        else:
            self.query_one("#log", TextView).page(pages)

    def action_stop(self) -> None:
        """Ask the runner to stop between two steps."""
        if self.state.running and self.state.run is not None:
            self.wizard.engine.request_stop(self.state.run)
            self._stopping = True
            self.tick()

    def action_keep(self) -> None:
        """Keep a run that waits for its confirmation."""
        if self.state.running and self.state.run is not None and self.progress is not None and self.progress.waiting:
            try:
                self.wizard.engine.confirm(self.state.run)
            except WizardError as error:
                self.say(str(error))

    def action_retry(self) -> None:
        """Go on from the step that failed; what cannot be taken back, or may interrupt guests, and is still to come asks its word
        again."""
        if not self.can_go_on or self.state.run is None:
            return
        try:
            self._word, why = self.wizard.engine.word_to_go_on(self.state.run)
        except (OSError, WizardError) as error:
            self.say(str(error))
            return
        if not self._word:
            self.query("#word").remove()
            self.go_on()
            return
        if not self.query("#word"):
            self.mount(Entry("", id="word", compact=True, select_on_focus=False), after="#result")
        self.say(f"{why} Type {self._word} to go on:")
        self.query_one("#word").focus()
        self.refresh_frame()

    def word_said(self, field: Input) -> None:
        """What was typed before a run goes on."""
        if field.value.strip().lower() != self._word:
            self.say(f"Nothing was done: that was not {self._word}.")
            field.clear()
            return
        field.remove()
        self.go_on(("one-way",) if self._word == "one-way" else ())

    def go_on(self, accept: Sequence[str] = ()) -> None:
        """Let the run go on, and follow it."""
        run = self.state.run
        assert run is not None
        try:
            self.wizard.engine.resume(run, accept)
        except WizardError as error:
            self.say(str(error))
            return
        self.follow_run(run)

    def action_undo(self) -> None:
        """Show what taking this run back would do."""
        if self.can_go_on and self.state.run is not None:
            self.wizard.show_undo(self.state.run)

    def action_leave_it(self) -> None:
        """Leave it as it is: the history goes on from there."""
        if self.can_go_on:
            self.wizard.look("history")

    def action_next(self) -> None:
        if self.progress is not None and not self.state.running:
            self.wizard.look("verify")

    def back(self) -> None:
        if self.state.undo is not None:
            self.wizard.go("undo")
        elif self.progress is not None and not self.state.running:
            self.state.run = None
            self.wizard.look("preview")
        else:
            super().back()
