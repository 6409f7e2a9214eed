"""An app that fits its face: driver, colours, hardware cursor, and an end that leaves the terminal sane."""

from __future__ import annotations

import asyncio
import os
from importlib import resources
from typing import Any

from textual.app import App
from textual.geometry import Offset, Region
from textual.scrollbar import ScrollBarRender
from textual.theme import Theme
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import WorkerFailed

from screens.shared import preferences
from screens.terminal.choice import Face
from screens.terminal.guard import ENDING, Guard
from screens.terminal.probe import Terminal
from screens.tui.themes import DARK, OWN, TERMINAL, grounds
from screens.tui.widgets.list_view import Rows

ASKED = Face("full", "asked for", Terminal("xterm-256color", "pty"))

# Parts of blocks are glyphs that a console's font does not have.
ScrollBarRender.VERTICAL_BARS = [" "] * 8
ScrollBarRender.HORIZONTAL_BARS = [" "] * 8


def style_sheet(skin: str) -> str:
    """The layout, and what one of the skins adds to it."""
    return "".join((resources.files("assets") / name).read_text("utf-8") for name in ("wizard.tcss", f"{skin}.tcss"))


class FacedApp(App[int]):
    """`face` says what the terminal can do. Screens of a console carry the class -console."""

    def __init__(self, face: Face = ASKED, guard: Guard | None = None) -> None:
        own_colours = face.name == "console" or "NO_COLOR" in os.environ
        self.CSS = style_sheet("console" if face.name == "console" else "full")  # type: ignore[misc] # one class, two skins
        super().__init__(driver_class=_driver(face), ansi_color=True if own_colours else None)
        self.face, self._guard = face, guard
        for theme in OWN:
            self.register_theme(theme)
        if own_colours:
            self.theme = TERMINAL.name
        elif "TEXTUAL_THEME" not in os.environ:
            self.theme = DARK.name
        self.use_command_palette = self.many_colours
        self.set_class(face.name == "console", "-console")

    @property
    def many_colours(self) -> bool:
        """Whether themes, the command palette and the mouse are there."""
        return self.face.name == "full"

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._end, number)

    def get_css_variables(self) -> dict[str, str]:
        """The theme's, and grounds of which Textual's own mixing knows nothing where single cells are drawn."""
        found = super().get_css_variables()
        return {**found, **grounds(found)}

    def _keep_theme(self, theme: Theme) -> None:
        """What was chosen is kept for the next start."""
        if self.many_colours and not self.is_headless:
            preferences.keep_theme(theme.name)

    def _end(self, number: int) -> None:
        if self._guard is not None:
            self._guard.hurry(number)
        self.exit(128 + number)

    @property
    def cursor_position(self) -> Offset:
        """Where the hardware cursor goes with each frame: where the focus is. Screen readers and braille follow it."""
        focused = self.focused if self.is_running else None
        return _cursor_in(focused) if focused is not None else Offset(0, 0)

    @cursor_position.setter
    def cursor_position(self, _: Offset) -> None:
        """Inputs tell it, too; it is found anyway."""

    def redraw(self) -> None:
        """Paint everything anew, whatever the terminal shows."""
        from screens.console.driver import ConsoleDriver

        if isinstance(self._driver, ConsoleDriver):
            self._driver.redraw()
        else:
            self.refresh(layout=True)

    def run_in_terminal(self) -> int:
        """Show the app until it is left; gives the exit code. A defect inside it is raised here, after its end."""
        if self.theme == DARK.name:
            kept = preferences.theme()
            self.theme = kept if kept in self.available_themes else DARK.name
        result: Any = self.run(mouse=self.many_colours)
        error = self._exception
        if error is not None:
            raise error.error if isinstance(error, WorkerFailed) and error.error is not None else error
        return int(result or self.return_code or 0)

    def _fatal_error(self) -> None:
        """Not a traceback with the values of all variables: they may be secrets, and fill more than a screen."""
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """The message comes from outside, when the terminal is as it was."""
        self._exit_renderables.clear()


def _driver(face: Face) -> Any:
    """The driver's class; None for Textual's own."""
    if face.name != "console":
        return None
    from screens.console.driver import for_terminal

    return for_terminal(face.terminal)


def _cursor_in(widget: Widget) -> Offset:
    """Where in a widget the eye is: the caret, the highlighted row, or its first cell."""
    if isinstance(widget, Input):
        return widget.cursor_screen_offset
    region: Region = widget.content_region
    row = 0
    if isinstance(widget, Rows):
        row = widget.cursor_line
    return Offset(region.x, region.y + min(max(row, 0), max(region.height - 1, 0)))
