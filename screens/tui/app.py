"""The Textual face: one app, a page for each chapter, keyboard only. What it shows first needs no engine: that is loaded behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.screen import Screen

from screens.shared import edit_history
from screens.shared.page_order import TITLES
from screens.terminal.choice import Face
from screens.terminal.guard import Guard
from screens.tui import subshell
from screens.tui.base_app import ASKED, FacedApp
from screens.tui.messages import Failed, Looked, Opened, Planned, Proven, Told, WayBack
from screens.tui.page import Page
from screens.tui.pages.opening import OpeningPage
from wizard.errors import WizardError
from wizard.runs.run_state import RunState

if TYPE_CHECKING:
    from screens.shared.session import NodeEngine
    from screens.shared.state import State
    from wizard.facts.facts import Facts
    from wizard.model.answers import AllAnswers
    from wizard.node.live import Open
    from wizard.planning.later_changes import Choice
    from wizard.probes.registry import Probe

AT_ONCE = 0.15  # seconds that a page waits for its plan; it is shown without one where that takes longer


class WizardApp(FacedApp):
    """The wizard over an engine, which `open_engine` gives: it takes up to seconds."""

    BINDINGS: ClassVar = [("ctrl+c", "leave_now", "quit")]
    engine: NodeEngine  # these two are there once the node was read
    state: State

    def __init__(
        self, open_engine: Callable[[], NodeEngine], simulation: bool, face: Face = ASKED, guard: Guard | None = None
    ) -> None:
        super().__init__(face, guard)
        self._open_engine, self.simulation = open_engine, simulation
        self.opened = False
        self.failure: WizardError | None = None
        self._planner = ThreadPoolExecutor(1, "plan")
        self._planning = False

    def get_default_screen(self) -> Screen[Any]:
        return OpeningPage()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette offers: the pages, the colours, and the way out that keeps the answers."""
        if self.opened:
            for page, title in TITLES.items():
                if page != "undo":  # it is of a run: the history leads there
                    yield SystemCommand(title, "a page of the wizard", partial(self.go, page))
            yield SystemCommand("Undo the last edit", "z", partial(self.simulate_key, "z"))
            yield SystemCommand("Save the plan", "on the preview", partial(self._on_preview, "s"))
            yield SystemCommand("Export a shell script", "on the preview", partial(self._on_preview, "e"))
            yield SystemCommand("Read the node again", "what it is now", partial(self.look, "welcome"))
        yield SystemCommand("Draw the screen again", "F3", self.redraw)
        yield SystemCommand("Colours", "another theme", self.action_change_theme)
        yield SystemCommand("Quit", "the answers are kept", self.leave)

    def _on_preview(self, key: str) -> None:
        """A key of the preview, from anywhere."""
        self.go("preview")
        self.call_after_refresh(self.simulate_key, key)

    @work(thread=True, exclusive=True, group="look")
    def open_node(self) -> None:
        """Load the engine and the pages, and read the node."""
        from screens.shared.state import State
        from screens.tui import page_registry  # noqa: F401, so that the first page need not wait for it

        try:
            engine = self._open_engine()
            facts = engine.look()
            draft, suggested = engine.load_draft(), engine.suggest(facts)
            answers = draft if draft is not None else suggested
            state = State(facts=facts, answers=answers, from_draft=draft is not None and draft != suggested)
            state.plan, state.planned = engine.plan(facts, answers), answers
        except WizardError as error:
            self.post_message(Failed(error))
        else:
            self.post_message(Opened(engine, state))

    def on_opened(self, message: Opened) -> None:
        self.engine, self.state, self.opened = message.engine, message.state, True
        self.go(self.first_page(message.state))

    @work(thread=True, exclusive=True, group="look")
    def look(self, page: str) -> None:
        """Read the node anew, then show a page."""
        try:
            self.post_message(Looked(self.engine.look(), page))
        except WizardError as error:
            self.post_message(Failed(error))

    def on_looked(self, message: Looked) -> None:
        self.saw(message.facts)
        if self.state.proving is not None and self.state.proving.checks is not None:
            self.state.proving = None  # the node may be another one since
        self.show(message.page)

    def saw(self, facts: Facts) -> None:
        """The node was read: what is known of it is of now, unless a run goes on."""
        self.state.facts, self.state.planned = facts, None
        self.state.outcome, self.state.reboot_due = "", False
        self.state.outdated = any(run.state.under_way for run in facts.history.runs)

    def on_failed(self, message: Failed) -> None:
        self.failure = message.error
        self.exit(int(message.error.exit_code))

    @staticmethod
    def first_page(state: State) -> str:
        """Welcome; or Apply where a run is under way, or Verify where the node was rebooted for one."""
        facts = state.facts
        assert facts is not None
        under_way = next((run for run in facts.history.runs if run.state.under_way), None)
        if under_way is not None:
            state.run, state.runs = under_way.id, 1
            return "apply"
        last = facts.history.last
        rebooted = last is not None and last.boot_id and facts.system.boot_id not in ("", None, last.boot_id)
        if last is None or last.state is not RunState.DONE or not rebooted:
            return "welcome"
        before = [run for run in facts.history.standing if run.boot_id == last.boot_id and run.state is RunState.DONE]
        return "verify" if any(run.needs_reboot for run in before) else "welcome"

    def replan(self, wait: float = AT_ONCE) -> None:
        """Have the plan made that fits the answers, unless it is there already: in a thread, since with thousands of networks
        it takes a second. It is waited for `wait` seconds, so that most pages need not be drawn twice; the page is told of one
        that comes later.
        """
        facts, answers = self.state.facts, self.state.answers
        if facts is None or self._planning or self.state.planned is answers:
            return
        future = self._planner.submit(self.engine.plan, facts, answers)
        try:
            self.state.plan, self.state.planned = future.result(wait), answers
        except TimeoutError:
            self._planning = True
            future.add_done_callback(lambda done: self.post_message(Planned(done, facts, answers)))

    def on_planned(self, message: Planned) -> None:
        self._planning = False
        plan = message.plan.result()
        if message.facts is self.state.facts:
            self.state.plan, self.state.planned = plan, message.answers
        self.replan(0)
        if isinstance(self.screen, Page):
            self.screen.call_later(self.screen.planned)

    def go(self, page: str) -> None:
        """Show a page; the node is read anew where a run went on since it was read."""
        if self.opened and self.state.outdated and page != "apply":
            self.look(page)
        else:
            self.show(page)

    def show(self, page: str) -> None:
        """Show a page with what is known; the draft is saved on the way."""
        if not self.opened:
            return
        from screens.tui import page_registry

        self.keep_draft()
        self.replan()
        while len(self.screen_stack) > 1 and not isinstance(self.screen, Page):
            self.pop_screen()
        if isinstance(self.screen, OpeningPage):
            self.push_screen(page_registry.page(page))
        else:
            self.switch_screen(page_registry.page(page))

    def keep_draft(self) -> None:
        """Save the answers, once something was seen of them."""
        if self.state.visited:
            self.engine.save_draft(self.state.answers)

    def fresh(self) -> None:
        """Forget the draft; the answers are what fits the node as it is."""
        from screens.shared.state import State

        if self.state.facts is not None:
            self.engine.forget_draft()
            edit_history.remember(self.state, "welcome", "draft forgotten")
            edits = self.state.edits
            self.state = State(facts=self.state.facts, answers=self.engine.suggest(self.state.facts))
            self.state.edits = edits
            self.go("welcome")

    @work(thread=True, exclusive=True, group="look")
    def show_undo(self, run: str, changed: Mapping[str, Choice] | None = None) -> None:
        """Show what taking a run back will do, or what stands in the way. `changed` says what becomes of files that were
        changed since."""
        try:
            facts = self.engine.look()
            self.post_message(WayBack(facts, self.engine.undo_plan(facts, run, changed), ""))
        except WizardError as error:
            self.post_message(WayBack(None, None, str(error)))

    def on_way_back(self, message: WayBack) -> None:
        if message.plan is not None:
            self.state.undo = message.plan
            if message.facts is not None:
                self.saw(message.facts)
            self.show("undo")
        elif isinstance(self.screen, Page):
            self.screen.say(message.problem)

    def to_be(self) -> AllAnswers:
        """What is to be so: what the runs that stand were asked for; without one, what is answered now."""
        asked = self.engine.to_be(self.state.facts) if self.state.facts else None
        return asked.answers if asked and asked.runs else self.state.answers

    def prove(self, proof: Probe) -> None:
        """Give a proof, in a thread that keeps nobody from leaving: whatever becomes of it, it leaves nothing behind."""
        from screens.shared.probing import Proving

        facts, answers, node = self.state.facts, self.to_be(), self.engine.node
        if facts is None:
            return
        self.state.proving = Proving(proof)

        def tell(line: str) -> None:
            self.post_message(Told(line))

        def give() -> None:
            try:
                self.post_message(Proven(proof.prove(node, facts, answers, "", tell), None))
            except Exception as error:
                self.post_message(Proven([], error))

        Thread(target=give, name="proof", daemon=True).start()

    def on_told(self, message: Told) -> None:
        if self.state.proving is not None:
            self.state.proving.said.append(message.line)
        self._show_proof()

    def on_proven(self, message: Proven) -> None:
        if message.error is not None:
            raise message.error
        if self.state.proving is not None:
            self.state.proving.checks = message.checks
        self._show_proof()

    def _show_proof(self) -> None:
        from screens.tui.pages.prove import ProvePage

        if isinstance(self.screen, ProvePage):
            self.screen.proven()

    def show_help(self, page: str) -> None:
        from screens.tui.help_screen import HelpPage

        self.push_screen(HelpPage(page))

    def open_shell(self) -> None:
        """A shell, and back."""
        problem = subshell.open_shell(self, self.engine.root if self.opened and self.simulation else None)
        if problem:
            self.notify(problem, markup=False)

    def leave(self) -> None:
        """Quit; the draft stays."""
        if self.opened:
            self.engine.save_draft(self.state.answers)
        self.exit(0)

    def action_leave_now(self) -> None:
        self.leave()


def run(open_node: Open, simulated: bool, face: Face, guard: Guard) -> int:
    """Show the wizard until it is left; gives the exit code."""

    def engine() -> NodeEngine:
        from screens.shared.session import NodeEngine

        node, root = open_node()
        return NodeEngine(node, root, simulated)

    app = WizardApp(engine, simulated, face, guard)
    code = app.run_in_terminal()
    if app.failure is not None:
        raise app.failure
    if app.opened:
        from screens.shared.parting import parting

        for line in parting(app.state, simulated):
            print(line)
    return code
