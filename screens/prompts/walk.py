"""The way through the plain face: which page comes next, and what can be typed at every question."""

from __future__ import annotations

from collections.abc import Callable

from screens.engine import NodeEngine
from screens.names import CHAPTERS, PAGES, TITLES
from screens.prompts import doing, found
from screens.prompts.chapter import ChapterQuestions
from screens.prompts.talk import Command, Ended, Talk
from screens.state import State
from wizard.errors import Exit, UsageError, WizardError
from wizard.node.facts import Facts
from wizard.plan import Plan

KEYS = "Enter takes what stands in brackets. b goes back, p shows the plan, q leaves and keeps the answers."
HISTORY = "history"
BEHIND = (*PAGES, HISTORY)  # the pages in their order; history has no number, h goes there


class Leave(Exception):
    """The admin leaves."""


class Walk:
    """One session: what is known, what is answered, and the plan that follows from both."""

    def __init__(self, engine: NodeEngine, talk: Talk) -> None:
        self.engine, self.talk, self.state = engine, talk, State()
        self._asked = False

    def run(self) -> int:
        """Ask until the admin leaves. The answers are kept, however it ends."""
        try:
            self.look()
            self._welcome()
            page, backwards = "welcome", False
            while True:
                following = self._visit(page, backwards)
                backwards = BEHIND.index(following) < BEHIND.index(page)
                page = following
        except Leave:
            self.talk.say("Left. Nothing more is done." + ("" if self.engine.simulation else " The answers are kept."))
            return Exit.DONE
        except (Ended, EOFError):
            return self._cut_short()
        except KeyboardInterrupt:
            self.talk.say("")
            return Exit.INTERRUPTED
        finally:
            self.keep()

    def _cut_short(self) -> int:
        """The input ended: at a terminal that is a way to leave."""
        if self.talk.on_terminal:
            return Exit.DONE
        if not self._asked:
            raise UsageError(
                "there is no terminal and no input to take answers from",
                do="`compute-wizard suggest`, `plan` and `apply --answers FILE` do the same without questions.",
            )
        raise WizardError("the input ended before q was read", do="What was answered is kept; nothing more was done.")

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
            self._asked = True
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
            self.talk.say("\n".join(found.steps(self.plan())))
        else:
            return False
        return True

    def _welcome(self) -> None:
        plan = self.plan()
        self.talk.say("\n".join(found.welcome(self.engine, self.facts, plan)))
        if self.state.from_draft:
            self.talk.say(
                "The answers of your last session are back; n at the next question starts from the node instead."
            )

    def _visit(self, page: str, backwards: bool) -> str:
        """One page; gives the next one."""
        self.keep()
        if page in CHAPTERS:
            return ChapterQuestions(self, page).ask(backwards)
        pages: dict[str, Callable[[], str]] = {
            "welcome": self._home,
            "devices": self._devices,
            "preview": lambda: doing.preview(self),
            "apply": lambda: doing.apply(self),
            "verify": lambda: doing.verify(self),
            HISTORY: lambda: doing.history(self),
        }
        return pages[page]()

    def _home(self) -> str:
        """Where to go."""
        told = ", ".join(f"{number} {TITLES[page]}" for number, page in enumerate(PAGES) if number)
        while True:
            answer = self.ask(
                "Enter begins with the first chapter, or type a number, h for history [Enter]:", f"{told}."
            )
            if answer == "n" and self.state.from_draft:
                self.engine.forget_draft()
                self.state.from_draft = False
                self.state.answers = self.engine.suggest(self.facts)
                self.talk.say("Begun anew, with what fits the node as it is.")
            elif answer == "":
                return CHAPTERS[0]
            elif isinstance(answer, str) and (page := goal(answer)):
                return page
            else:
                self.talk.say(f"! {told}, h History.")

    def _devices(self) -> str:
        self.talk.say("\n".join(found.devices(self.facts)))
        return "welcome"

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


def goal(answer: str) -> str | None:
    """The page that a number or h means."""
    if answer == "h":
        return HISTORY
    number = int(answer) if answer.isascii() and answer.isdigit() else 0
    return PAGES[number] if 0 < number < len(PAGES) else None
