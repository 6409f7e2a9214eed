"""A text of which pieces do something when they are clicked."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.style import Style
from textual.widgets import Static

DOES = "does"  # in the meta of a piece: the action


def hot(content: Content, action: str) -> Content:
    """The same text; a click on it does what `action` says. It looks as it does without: no link of Textual's."""
    return content.stylize(Style.from_meta({DOES: action}))


class Hot(Static):
    """Runs the action under a click, with its screen as the place of actions."""

    async def on_click(self, event: Click) -> None:
        action = event.style.meta.get(DOES)
        if action:
            event.stop()
            await self.screen.run_action(action)
