"""A line of text to be typed, quick or slow."""

from __future__ import annotations

from textual.events import Key
from textual.reactive import reactive
from textual.widgets import Input

EDITING = {
    "backspace": Input.action_delete_left,
    "delete": Input.action_delete_right,
    "left": Input.action_cursor_left,
    "right": Input.action_cursor_right,
    "home": Input.action_home,
    "end": Input.action_end,
}


class Entry(Input):
    """An input in which keys act in the order in which they come.

    Textual runs the bindings of a key later than it inserts a character: of keys that come in one burst, as on a slow line, a
    backspace would take away what was typed after it, and what follows a Tab would still go into this field.
    """

    cursor_blink = reactive(False, init=False)  # twice a second something would go over the line

    def on_key(self, event: Key) -> None:
        focused = self.screen.focused
        if focused is not self and focused is not None:  # the focus moved on while this key was on its way
            self._taken(event)
            focused._forward_event(Key(event.key, event.character))
        elif event.key in ("tab", "shift+tab"):
            self._taken(event)
            self.screen.focus_next() if event.key == "tab" else self.screen.focus_previous()
        elif event.key in EDITING:
            self._taken(event)
            EDITING[event.key](self)

    @staticmethod
    def _taken(event: Key) -> None:
        event.stop()
        event.prevent_default()
