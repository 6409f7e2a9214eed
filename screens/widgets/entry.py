"""A line of text to be typed, quick or slow."""

from __future__ import annotations

from textual.events import Key
from textual.widgets import Input

EDITING = {
    "backspace": Input.action_delete_left,
    "delete": Input.action_delete_right,
    "left": Input.action_cursor_left,
    "right": Input.action_cursor_right,
    "home": Input.action_home,
    "end": Input.action_end,
}


Input.cursor_blink._default = False  # twice a second something would go over the line


class Entry(Input):
    """An input in which keys act in the order in which they come.

    Textual runs the bindings of a key later than it inserts a character: of keys that come in one burst, as on a slow line, a
    backspace would take away what was typed after it.
    """

    def on_key(self, event: Key) -> None:
        act = EDITING.get(event.key)
        if act is not None:
            event.stop()
            event.prevent_default()
            act(self)
