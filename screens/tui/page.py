"""The frame of every screen: status line, list of pages, body, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantBlur, DescendantFocus, Resize
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from screens.shared.key_line import Key, footer
from screens.shared.page_order import KEYS, PAGES, TITLES, page_key
from screens.tui.widgets.search_field import Find
from wizard.safe_text import safe_text

if TYPE_CHECKING:
    from screens.shared.state import State
    from screens.tui.wizard_protocol import Wizard

HELP: Key = ("F1", "help")
QUIT: Key = ("q", "quit")
ENTER_NEXT: Key = ("Enter", "next")
PLANNING = "Making the plan ..."


class Body(VerticalScroll, can_focus=False, inherit_bindings=False):
    """What is scrolled by the page's own keys: Up and Down go from field to field."""


class Page(Screen[None]):
    """One page of the wizard. Subclasses give `body`, and more keys where they have some."""

    NAME: ClassVar[str] = ""
    AUTO_FOCUS: ClassVar[str | None] = ""
    SCROLLS: ClassVar[bool] = True  # the body as a whole; else its parts do
    FINDS: ClassVar[str] = ""  # what `/` does here, "" for nothing
    BINDINGS: ClassVar = [
        ("f1", "help", "help"),
        ("question_mark", "help", "help"),
        ("f2", "shell", "shell"),
        ("f3", "redraw", "redraw"),
        ("ctrl+l", "redraw", "redraw"),
        ("f10", "quit_wizard", "quit"),
        ("q", "quit_wizard", "quit"),
        ("escape", "back", "back"),
        ("enter", "next", "next"),
        ("h", "jump('history')", "history"),
        ("slash", "find", "find"),
        *[(key, f"jump_to({number})", "") for number, key in enumerate(KEYS)],
        ("down", "down", ""),
        ("up", "up", ""),
        ("pagedown", "scroll(1)", ""),
        ("pageup", "scroll(-1)", ""),
    ]

    @property
    def wizard(self) -> Wizard:
        """The app, as a page may use it."""
        return cast("Wizard", self.app)

    @property
    def state(self) -> State:
        return self.wizard.state

    def compose(self) -> ComposeResult:
        yield Static(self.status(), id="status", markup=False)
        with Horizontal(id="middle"):
            yield Static(self.pages(), id="pages", markup=False)
            with Vertical(id="right"):
                with Body(id="body") if self.SCROLLS else Vertical(id="body"):
                    yield from self.body()
                yield from self.below()
                if self.FINDS:
                    yield Find(self.FINDS)
        yield Static("", id="keys", markup=False)

    def body(self) -> ComposeResult:
        yield from ()

    def below(self) -> ComposeResult:
        """What stays in sight below the body."""
        yield from ()

    def status(self) -> str:
        """What node this is; that it is a simulation; whether something was changed from here."""
        facts = self.state.facts
        first = "SIMULATION" if self.wizard.simulation else "compute-wizard"
        last = "changing now" if self.state.running else "nothing changed yet" if not self.state.runs else "changed"
        if facts is None:
            return first
        parts = [facts.system.hostname or "unnamed node", facts.system.label, f"nova {facts.nova.release or '?'}"]
        return safe_text(" | ".join([first, *parts, last]))

    def pages(self) -> str:
        lines = [self._entry(page_key(page), page) for page in PAGES]
        lines.insert(PAGES.index("preview"), "")
        return "\n".join([*lines, "", self._entry("h", "history")])

    def _entry(self, key: str, page: str) -> str:
        here = ">" if page == self.NAME else " "
        return f"{here}{key} {TITLES[page]:<12}{self.mark(page)}".rstrip()

    def mark(self, page: str) -> str:
        """The state of a page, as the list has it."""
        return "" if page in ("welcome", "history") else self.state.mark(page)

    def keys(self) -> list[Key]:
        """The keys of this page, the most wanted first."""
        return []

    def ways(self) -> list[Key]:
        """The ways back and on."""
        return [("Esc", "back"), ENTER_NEXT]

    def _footer(self) -> str:
        if isinstance(self.focused, TextArea):
            return footer([HELP, ("F10", "quit")], [("Esc", "leave the field")], self.size.width - 2)
        if isinstance(self.focused, Input):
            return footer([HELP, ("F10", "quit")], self.field_ways(), self.size.width - 2)
        quit_key = [] if QUIT in self.ways() else [QUIT]
        return footer(
            [HELP, *self.keys(), *quit_key, ("F2", "shell"), ("F3", "redraw")], self.ways(), self.size.width - 2
        )

    def field_ways(self) -> list[Key]:
        """The ways out of a text field."""
        if self.focused is not None and self.focused.id == "find":
            return [("Esc", "all again"), ("Enter", "take")]
        return [("Tab", "next field"), ("Esc", "leave the field"), ("Enter", "next field")]

    def refresh_frame(self) -> None:
        """Draw the frame's texts anew, after the state changed."""
        self.query_one("#status", Static).update(self.status())
        self.query_one("#pages", Static).update(self.pages())
        self.refresh_keys()

    def refresh_keys(self) -> None:
        if self.is_mounted:
            self.query_one("#keys", Static).update(self._footer())

    def say(self, text: str) -> None:
        """Say something about the last key."""
        self.notify(safe_text(text), markup=False)

    async def planned(self) -> None:
        """There is a new plan, which was still being made when the page was shown, or answers were changed."""
        self.refresh_frame()

    def on_mount(self) -> None:
        if self.wizard.opened:
            self.state.visited.add(self.NAME)
        self.refresh_frame()

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        self.refresh_keys()

    def on_descendant_blur(self, _: DescendantBlur) -> None:
        self.call_after_refresh(self.refresh_keys)

    def on_resize(self, _: Resize) -> None:
        self.refresh_keys()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    def find(self, text: str) -> None:
        """Something else is looked for; an empty text for nothing."""

    def on_find_changed(self, message: Find.Changed) -> None:
        message.stop()
        self.find(message.text)

    def on_find_left(self, message: Find.Left) -> None:
        message.stop()
        self.leave_find()

    def leave_find(self) -> None:
        """Where the focus goes from the field of `/`."""
        self.set_focus(None)
        self.refresh_keys()

    def action_find(self) -> None:
        if self.FINDS:
            self.query_one(Find).open()

    def action_down(self) -> None:
        """To the next field; where there is none, down the page."""
        self.focus_next() if self.focus_chain else self.action_scroll(0.2)

    def action_up(self) -> None:
        self.focus_previous() if self.focus_chain else self.action_scroll(-0.2)

    def action_scroll(self, pages: float) -> None:
        """Move the body by pages."""
        body = self.query_one("#body")
        body.scroll_relative(y=round(pages * max(1, body.size.height - 2)), animate=False)

    def action_help(self) -> None:
        self.wizard.show_help(self.NAME)

    def action_shell(self) -> None:
        self.wizard.open_shell()

    def action_redraw(self) -> None:
        self.wizard.redraw()

    def action_quit_wizard(self) -> None:
        self.wizard.leave()

    def leave_inner(self) -> bool:
        """Close what is open inside the page; whether there was something."""
        return False

    def action_back(self) -> None:
        if isinstance(self.focused, Input | TextArea):  # the first Esc leaves the field
            if self.focused.id == "find":
                self.query_one(Find).close()
            self.set_focus(None)
        elif not self.leave_inner():
            self.back()

    def back(self) -> None:
        """To the page before this one."""
        self.wizard.go(PAGES[max(0, PAGES.index(self.NAME) - 1)])

    def action_next(self) -> None:
        if PAGES[-1] != self.NAME:
            self.wizard.go(PAGES[PAGES.index(self.NAME) + 1])

    def action_jump(self, page: str) -> None:
        self.wizard.go(page)

    def action_jump_to(self, number: int) -> None:
        """To a page by its place in the order, where there is one."""
        if number < len(PAGES):
            self.wizard.go(PAGES[number])
