"""What every question of the plain face needs: what is known and answered, the plan that follows, and asking for a line."""

from __future__ import annotations

from screens.plain import lines
from screens.plain.terminal_io import Command, Talk
from screens.shared.page_order import PAGES
from screens.shared.session import NodeEngine
from screens.shared.state import State
from wizard.facts.facts import Facts
from wizard.model.plan import Plan

KEYS = "Enter takes what stands in brackets. b goes back, p shows the plan, q leaves and keeps the answers."


class Leave(Exception):
    """The admin leaves."""


class PlainSession:
    """One session: what is known, what is answered, and the plan that follows from both."""

    def __init__(self, engine: NodeEngine, talk: Talk) -> None:
        self.engine, self.talk, self.state = engine, talk, State()
        self.asked = False  # whether any question was answered

    def look(self) -> None:
        """Read the node anew, and plan again."""
        facts = self.engine.look()
        if self.state.facts is None:
            draft = self.engine.load_draft()
            self.state.from_draft = draft is not None
            self.state.answers = draft if draft is not None else self.engine.suggest(facts)
        self.state.facts = facts
        self.state.plan = self.engine.plan(facts, self.state.answers)

    @property
    def facts(self) -> Facts:
        assert self.state.facts is not None
        return self.state.facts

    def plan(self) -> Plan:
        """The plan that fits the answers as they are."""
        self.state.plan = self.engine.plan(self.facts, self.state.answers)
        return self.state.plan

    def keep(self) -> None:
        """Keep the answers for the next session."""
        if self.state.facts is not None:
            self.engine.save_draft(self.state.answers)

    def ask(self, prompt: str, help_text: str = "") -> str | Command:
        """A line that is an answer, or BACK. Everything else that can be typed at any question is done here."""
        while True:
            text = self.talk.ask(prompt)
            self.asked = True
            if not self.obey(text, help_text):
                return Command.BACK if text == Command.BACK.value else text

    def obey(self, said: str | Command, help_text: str = "") -> bool:
        """Do what help, plan and leave say; whether it was one of them."""
        word = said.value if isinstance(said, Command) else said
        if word == Command.LEAVE.value:
            raise Leave
        if word == Command.HELP.value:
            self.talk.say(f"{help_text}\n{KEYS}" if help_text else KEYS)
        elif word == Command.PLAN.value:
            self.talk.say("\n".join(lines.steps(self.plan())))
        else:
            return False
        return True

    def after(self, page: str) -> str:
        return PAGES[min(PAGES.index(page) + 1, len(PAGES) - 1)]

    def before(self, page: str) -> str:
        """The page before one; devices are only shown when they are asked for."""
        earlier = PAGES[max(PAGES.index(page) - 1, 0)]
        return "welcome" if earlier == "devices" else earlier

    def follow(self, run: str) -> int:
        """Say what a run does until it ends; gives its exit code. Ctrl-C asks it to stop, a second one leaves it alone."""
        self.state.run, asked = run, False
        self.state.runs += 1
        while True:
            try:
                for event in self.engine.events(run):
                    if (not asked or event.get("event") != "begin") and (line := self.engine.line_for(event)):
                        self.talk.say_as_it_is(line)
                self.state.run = None
                return self.engine.result(run)
            except KeyboardInterrupt:
                if asked:
                    raise
                asked = True
                self.engine.request_stop(run)
                self.talk.say("Stopping after this step; Ctrl-C again only stops following.")
