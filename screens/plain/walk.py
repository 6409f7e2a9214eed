"""The way through the plain face: which page comes next, and what can be typed at every question."""

from __future__ import annotations

from collections.abc import Callable

from screens.plain import lines, run_pages
from screens.plain.chapter_questions import ChapterQuestions
from screens.plain.plain_session import Leave, PlainSession
from screens.plain.terminal_io import Ended
from screens.shared.page_order import CHAPTERS, PAGES, TITLES
from wizard.errors import Exit, UsageError, WizardError

HISTORY = "history"


class Walk(PlainSession):
    """From page to page, until the admin leaves."""

    def run(self) -> int:
        """Ask until the admin leaves. The answers are kept, however it ends."""
        try:
            self.look()
            self._welcome()
            page, backwards = "welcome", False
            while True:
                following = self._visit(page, backwards)
                order = (*PAGES, HISTORY)  # history has no number, h goes there
                backwards = order.index(following) < order.index(page)
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
        """The input ended, or the reader is gone: at a terminal, and for a reader who has seen enough, that is a way to leave."""
        if self.talk.on_terminal or self.talk.unheard:
            return Exit.DONE
        if not self.asked:
            raise UsageError(
                "there is no terminal and no input to take answers from",
                do="`compute-wizard suggest`, `plan` and `apply --answers FILE` do the same without questions.",
            )
        raise WizardError("the input ended before q was read", do="What was answered is kept; nothing more was done.")

    def _welcome(self) -> None:
        plan = self.plan()
        self.talk.say("\n".join(lines.welcome(self.engine, self.facts, plan)))
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
            "preview": lambda: run_pages.preview(self),
            "apply": lambda: run_pages.apply(self),
            "verify": lambda: run_pages.verify(self),
            HISTORY: lambda: run_pages.history(self),
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
        self.talk.say("\n".join(lines.devices(self.facts)))
        return "welcome"


def goal(answer: str) -> str | None:
    """The page that a number or h means."""
    if answer == "h":
        return HISTORY
    number = int(answer) if answer.isascii() and answer.isdigit() else 0
    return PAGES[number] if 0 < number < len(PAGES) else None
