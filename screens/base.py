"""The frame of every screen: status line, list of pages, body, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, Static

from screens.state import PAGES, TITLES, State
from wizard.report import printable

if TYPE_CHECKING:
    from screens.app import WizardApp


class Page(Screen[None]):
    """One page of the wizard. Subclasses give `body`, and more keys where they have some."""

    NAME: ClassVar[str] = ""
    AUTO_FOCUS: ClassVar[str | None] = ""
    KEYS: ClassVar[str] = ""
    BINDINGS: ClassVar = [
        ("f1", "help", "help"),
        ("question_mark", "help", "help"),
        ("f3", "redraw", "redraw"),
        ("ctrl+l", "redraw", "redraw"),
        ("f10", "quit_wizard", "quit"),
        ("q", "quit_wizard", "quit"),
        ("escape", "back", "back"),
        ("enter", "next", "next"),
        ("h", "history", "history"),
        *[(str(number), f"jump('{page}')", "") for number, page in enumerate(PAGES)],
        ("down", "down", ""),
        ("up", "up", ""),
        ("pagedown", "scroll(1)", ""),
        ("pageup", "scroll(-1)", ""),
    ]

    @property
    def wizard(self) -> WizardApp:
        from screens.app import WizardApp

        assert isinstance(self.app, WizardApp)
        return self.app

    @property
    def state(self) -> State:
        return self.wizard.state

    def compose(self) -> ComposeResult:
        yield Static(self.status(), id="status", markup=False)
        with Horizontal(id="middle"):
            yield Static(self.pages(), id="pages", markup=False)
            with VerticalScroll(id="body", can_focus=False):
                yield from self.body()
        yield Static(self.keys(), id="keys", markup=False)

    def body(self) -> ComposeResult:
        yield from ()

    def status(self) -> str:
        """What node this is; that it is a simulation; that nothing was changed yet."""
        facts = self.state.facts
        first = "SIMULATION" if self.wizard.engine.simulation else "compute-wizard"
        last = "running" if self.state.run else "nothing changed yet" if not self.state.runs else "changed"
        if facts is None:
            return first
        parts = [facts.system.hostname or "unnamed node", facts.system.label, f"nova {facts.nova.release or '?'}"]
        return printable(" | ".join([first, *parts, last]))

    def pages(self) -> str:
        lines = []
        for number, page in enumerate(PAGES):
            if page == "preview":
                lines.append("")
            if page in TITLES:
                here = ">" if page == self.NAME else " "
                lines.append(f"{here}{number} {TITLES[page]:<12}{self.state.mark(page)}")
        return "\n".join(lines)

    def keys(self) -> str:
        more = f"{self.KEYS}  " if self.KEYS else ""
        return f"F1 help  F3 redraw  q quit  {more}Esc back  Enter next"

    def refresh_frame(self) -> None:
        """Draw the frame's texts anew, after the state changed."""
        self.query_one("#status", Static).update(self.status())
        self.query_one("#pages", Static).update(self.pages())
        self.query_one("#keys", Static).update(self.keys())

    def on_screen_resume(self) -> None:
        self.state.visited.add(self.NAME)
        self.refresh_frame()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    def action_down(self) -> None:
        """To the next field; where there is none, down the page."""
        self.focus_next() if self.focus_chain else self.action_scroll(0.2)

    def action_up(self) -> None:
        self.focus_previous() if self.focus_chain else self.action_scroll(-0.2)

    def action_scroll(self, pages: float) -> None:
        """Move the body by pages."""
        body = self.query_one("#body", VerticalScroll)
        body.scroll_relative(y=round(pages * max(1, body.size.height - 2)), animate=False)

    def action_help(self) -> None:
        self.wizard.show_help(self.NAME)

    def action_redraw(self) -> None:
        self.wizard.redraw()

    def action_quit_wizard(self) -> None:
        self.wizard.leave()

    def action_back(self) -> None:
        if isinstance(self.focused, Input):  # the first Esc leaves the field
            self.set_focus(None)
            return
        self.wizard.go(PAGES[max(0, PAGES.index(self.NAME) - 1)])

    def action_next(self) -> None:
        if PAGES[-1] != self.NAME:
            self.wizard.go(PAGES[PAGES.index(self.NAME) + 1])

    def action_jump(self, page: str) -> None:
        self.wizard.go(page)

    def action_history(self) -> None:
        self.wizard.go("history")
