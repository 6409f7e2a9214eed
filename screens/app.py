"""The Textual face: one app, a page for each chapter, keyboard only."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import ClassVar

from textual import work
from textual.message import Message

from screens import shell
from screens.apply import ApplyPage
from screens.base import Page
from screens.devices import DevicesPage
from screens.engine import NodeEngine
from screens.faced import ASKED, FacedApp
from screens.faces import Face
from screens.gateways import GatewaysPage
from screens.guard import Guard
from screens.help import HelpPage
from screens.history import HistoryPage
from screens.iommu import IommuPage
from screens.metadata import MetadataPage
from screens.passthrough import PassthroughPage
from screens.preview import PreviewPage, UndoPage
from screens.state import State
from screens.verify import VerifyPage
from screens.vfs import VfsPage
from screens.welcome import WelcomePage
from wizard.apply.later_work import Choice
from wizard.errors import WizardError
from wizard.node.facts import Facts
from wizard.node.node import Node

ALL: tuple[type[Page], ...] = (
    WelcomePage,
    DevicesPage,
    IommuPage,
    VfsPage,
    PassthroughPage,
    GatewaysPage,
    MetadataPage,
    PreviewPage,
    ApplyPage,
    VerifyPage,
    HistoryPage,
    UndoPage,
)


class Looked(Message):
    """The node was read."""

    def __init__(self, facts: Facts, page: str) -> None:
        super().__init__()
        self.facts, self.page = facts, page


class WizardApp(FacedApp):
    """The wizard over an engine."""

    CSS = resources.files("assets").joinpath("wizard.tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar = [("ctrl+c", "leave_now", "quit")]

    def __init__(self, engine: NodeEngine, face: Face = ASKED, guard: Guard | None = None) -> None:
        super().__init__(face, guard)
        self.engine = engine
        self.state = State()
        self.failure: str = ""

    def on_mount(self) -> None:
        self.look("welcome")

    @work(thread=True, exclusive=True, group="look", exit_on_error=False)
    def look(self, page: str) -> None:
        """Read the node anew, then show a page."""
        try:
            self.post_message(Looked(self.engine.look(), page))
        except WizardError as error:
            self.failure = str(error)
            self.call_from_thread(self.exit, int(error.exit_code))

    def on_looked(self, message: Looked) -> None:
        first = self.state.facts is None
        self.state.facts = message.facts
        page = message.page
        if first:
            draft = self.engine.load_draft()
            suggested = self.engine.suggest(message.facts)
            self.state.from_draft = draft is not None and draft != suggested
            self.state.answers = draft if draft is not None else suggested
            page = self.first_page(message.facts)
        self.state.planned = None
        self.replan()
        self.go(page)

    def first_page(self, facts: Facts) -> str:
        """Welcome; or Apply where a run is under way, or Verify where the node was rebooted for one."""
        under_way = next((run for run in facts.history.runs if run.state == "running"), None)
        if under_way is not None:
            self.state.run = under_way.id
            return "apply"
        last = facts.history.last
        rebooted = last is not None and last.boot_id and facts.system.boot_id not in ("", None, last.boot_id)
        if last is not None and last.state == "done" and last.needs_reboot and rebooted:
            return "verify"
        return "welcome"

    def replan(self) -> None:
        """Make the plan that fits the answers, unless it is that already."""
        if self.state.facts is not None and self.state.planned is not self.state.answers:
            self.state.plan = self.engine.plan(self.state.facts, self.state.answers)
            self.state.planned = self.state.answers

    def go(self, page: str) -> None:
        """Show a page; the draft is saved on the way."""
        if self.state.facts is None:
            return
        self.keep_draft()
        self.replan()
        kind = next(each for each in ALL if page == each.NAME)
        while len(self.screen_stack) > 1 and not isinstance(self.screen, Page):
            self.pop_screen()
        if isinstance(self.screen, Page):
            self.switch_screen(kind())
        else:
            self.push_screen(kind())

    def keep_draft(self) -> None:
        """Save the answers, once something was seen of them."""
        if self.state.visited:
            self.engine.save_draft(self.state.answers)

    def fresh(self) -> None:
        """Forget the draft; the answers are what fits the node as it is."""
        if self.state.facts is not None:
            self.engine.forget_draft()
            self.state = State(facts=self.state.facts, answers=self.engine.suggest(self.state.facts))
            self.go("welcome")

    def show_undo(self, run: str, changed: Mapping[str, Choice] | None = None) -> str:
        """Show what taking a run back will do; gives what stands in the way, or "". `changed` says what becomes of files
        that were changed since."""
        if self.state.facts is None:
            return ""
        try:
            facts = self.engine.look()
            self.state.undo = self.engine.undo_plan(facts, run, changed)
        except WizardError as error:
            return str(error)
        self.state.facts, self.state.planned = facts, None
        self.go("undo")
        return ""

    def show_help(self, page: str) -> None:
        self.push_screen(HelpPage(page))

    def open_shell(self) -> None:
        """A shell, and back."""
        problem = shell.open_shell(self, self.engine.root if self.engine.simulation else None)
        if problem:
            self.notify(problem, markup=False)

    def leave(self) -> None:
        """Quit; the draft stays."""
        if self.state.facts is not None:
            self.engine.save_draft(self.state.answers)
        self.exit(0)

    def action_leave_now(self) -> None:
        self.leave()


def run(node: Node, root: str, simulated: bool, face: Face, guard: Guard) -> int:
    """Show the wizard until it is left; gives the exit code."""
    app = WizardApp(NodeEngine(node, root, simulated), face, guard)
    code = app.run_in_terminal()
    if app.failure:
        raise WizardError(app.failure)
    return code
