"""The frame of every screen: status line, list of pages, body, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus, Resize
from textual.widgets import Input, Static, TextArea

from screens.shared import edit_history, status
from screens.shared.key_line import Key, fitting, footer
from screens.shared.page_order import KEYS, PAGES, TITLES, page_key
from screens.shared.status import SIMULATION, Badge
from screens.terminal.choice import LOWEST, NARROWEST
from screens.tui import tones
from screens.tui.tones import plain
from screens.tui.whole_screen import WholeScreen
from screens.tui.widgets.hot import Hot, hot
from screens.tui.widgets.search_field import Find
from wizard.safe_text import safe_text

if TYPE_CHECKING:
    from screens.shared.state import State
    from screens.tui.wizard_protocol import Wizard

HELP: Key = ("F1", "help")
QUIT: Key = ("q", "quit")
ENTER_NEXT: Key = ("Enter", "next")
PLANNING = "Making the plan ..."
WIDE = 120  # columns from which what will change stands beside the page
VAST = 160  # columns from which two panes stand side by side
LIST, WIDE_LIST = 20, 32  # columns of the list of pages in the full face


class Body(VerticalScroll, can_focus=False, inherit_bindings=False):
    """What is scrolled by the page's own keys: Up and Down go from field to field."""


class Page(WholeScreen[None]):
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
        ("z", "undo_edit", "undo the last edit"),
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

    @property
    def full(self) -> bool:
        """Whether this terminal shows more than ASCII and eight colours."""
        return self.wizard.many_colours

    @property
    def wide(self) -> bool:
        """Whether what will change has room beside the page."""
        return self.full and self.size.width >= WIDE

    def compose(self) -> ComposeResult:
        yield Static(self.status(), id="status", markup=False)
        with Horizontal(id="middle"):
            yield Hot(self.pages(), id="pages", markup=False)
            with Vertical(id="right"):
                with Container(id="panes"):
                    with Body(id="body") if self.SCROLLS else Vertical(id="body"):
                        yield from self.body()
                    yield from self.below()
                if self.FINDS:
                    yield Find(self.FINDS)
        yield Hot("", id="keys", markup=False)
        yield Static("", id="small", markup=False)

    def body(self) -> ComposeResult:
        yield from ()

    def below(self) -> ComposeResult:
        """What stays in sight below the body."""
        yield from ()

    def overview(self) -> ComposeResult:
        """Beside the page, in the full face: the whole plan. It is seen where there is room."""
        if self.full:
            place = Static("", id="overview", markup=False)
            place.border_title = "What will change"
            yield place

    def status(self) -> Content:
        """What node this is; that it is a simulation; what state it is in."""
        facts = self.state.facts
        simulated = self.wizard.simulation
        parts = []
        if facts is not None:
            node = facts.system.hostname or "unnamed node"
            parts = [node, facts.system.label, f"nova {facts.nova.release or '?'}"]
        return self.head(parts, [*([SIMULATION] if simulated else []), status.badge(self.state)])

    def head(self, parts: Sequence[str], badges: Sequence[Badge]) -> Content:
        """The line on top: `parts` from the left; in the full face the badges stand at the right end."""
        if not self.full:
            first, *more = [badge.word for badge in badges] if len(badges) > 1 else ["compute-wizard", badges[0].word]
            return plain(" | ".join([first, *parts, *more]))
        words = parts if self.size.width < 100 else ["compute-wizard", *parts]
        left = Content.assemble(
            (words[0] if words else "", "bold $primary"), *(f"   {safe_text(part)}" for part in words[1:])
        )
        right = Content(" ").join([tones.badge(badge.word, tones.COLOUR[badge.tone]) for badge in badges])
        room = max(0, self.size.width - 3 - right.cell_length)
        left = left.truncate(room, ellipsis=True)
        return Content.assemble(left, " " * max(1, room - left.cell_length + 1), right)

    def pages(self) -> Content:
        lines = [self._entry(page_key(page), page) for page in PAGES]
        lines.insert(PAGES.index("preview"), Content(""))
        return tones.lines([*lines, Content(""), self._entry("h", "history")])

    def _entry(self, key: str, page: str) -> Content:
        here = page == self.NAME
        if not self.full:
            return plain(f"{'>' if here else ' '}{key} {TITLES[page]:<12}{self.mark(page)}".rstrip())
        state = status.section(self.state, page) if self.mark(page) else None
        name = f" {key}  {TITLES[page]:<12}"
        told = f" {state.sign} {state.word if self.wide else ''}" if state else ""
        room = (WIDE_LIST if self.wide else LIST) - 1
        text = Content.assemble(
            (name, "bold" if here else ""), (told.ljust(room - len(name)), tones.COLOUR[state.tone] if state else "")
        )
        text = text.stylize("on $primary 25%") if here else text
        return hot(text, f"screen.jump('{page}')")

    def mark(self, page: str) -> str:
        """The state of a page, as the list has it; "" where it has none."""
        return "" if page in ("welcome", "history") else self.state.mark(page)

    def keys(self) -> list[Key]:
        """The keys of this page, the most wanted first."""
        return []

    def ways(self) -> list[Key]:
        """The ways back and on."""
        return [("Esc", "back"), ENTER_NEXT]

    def _footer(self) -> Content:
        if isinstance(self.focused, TextArea):
            return self.key_line([HELP, ("F10", "quit")], [("Esc", "leave the field")])
        if isinstance(self.focused, Input):
            return self.key_line([HELP, ("F10", "quit")], self.field_ways())
        quit_key = [] if QUIT in self.ways() else [QUIT]
        palette: list[Key] = [("Ctrl-P", "commands")] if self.full else []
        return self.key_line([HELP, *self.keys(), *quit_key, ("F2", "shell"), ("F3", "redraw"), *palette], self.ways())

    def key_line(self, keys: Sequence[Key], ways: Sequence[Key]) -> Content:
        """The line of keys; in the full face a click on one is the key."""
        width = self.size.width - 2
        if not self.full:
            return plain(footer(keys, ways, width))
        return tones.key_line(fitting(keys, ways, width), ways, width)

    def field_ways(self) -> list[Key]:
        """The ways out of a text field."""
        if self.focused is not None and self.focused.id == "find":
            return [("Esc", "all again"), ("Enter", "take")]
        return [("Tab", "next field"), ("Esc", "leave the field"), ("Enter", "next field")]

    def refresh_frame(self) -> None:
        """Draw the frame's texts anew, after the state changed."""
        self.query_one("#status", Static).update(self.status())
        self.query_one("#pages", Static).update(self.pages())
        self.show_overview()
        self.refresh_keys()

    def show_overview(self) -> None:
        """Draw the plan beside the page, where it is seen."""
        for place in self.query("#overview").results(Static):
            if self.wide:
                from screens.shared.change_lines import overview

                lines = overview(self.state.current, max(20, place.content_size.width))
                place.update(tones.lines([tones.change_line(line) for line in lines]))

    def name_part(self, selector: str, text: str) -> None:
        """Name a part of the page in its border; the console has no borders."""
        if self.full:
            self.query_one(selector).border_title = Content(safe_text(text)).markup

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
        self.call_after_refresh(self._show_focused)

    def _show_focused(self) -> None:
        """What one types into is in sight, also in a field that had no place yet when it took the focus."""
        if isinstance(self.focused, Input):
            self.focused.scroll_visible(animate=False)

    def on_descendant_blur(self, _: DescendantBlur) -> None:
        self.call_after_refresh(self.refresh_keys)

    def on_resize(self, event: Resize) -> None:
        width, height = event.size.width, event.size.height
        self.set_class(width < NARROWEST or height < LOWEST, "-small")
        self.set_class(width < WIDE, "-narrow").set_class(width >= WIDE, "-wide").set_class(width >= VAST, "-vast")
        self.query_one("#small", Static).update(
            f"This window has {width}x{height} characters; at least {NARROWEST}x{LOWEST} are needed. Make it larger, or press q."
        )
        self.refresh_frame()
        self.call_after_refresh(self.show_overview)

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

    async def action_undo_edit(self) -> None:
        """Take the last edit back, on whatever page it was made."""
        if not self.wizard.opened:
            return
        edit = edit_history.undo(self.state)
        if edit is None:
            self.notify("No edit to undo.", markup=False)
            return
        self.notify(f"Undone: {edit.what}", markup=False)
        self.wizard.go(edit.page)

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
