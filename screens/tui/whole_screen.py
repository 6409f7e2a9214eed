"""A screen that is whole, or takes no more events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from textual.events import Event, Unmount
from textual.screen import Screen

Given = TypeVar("Given")


class WholeScreen(Screen[Given]):
    """What it is told fills its parts. One that is being taken away - the program is left, another page is shown before this
    one stood - has none of them any more, or never had; it is told of its end and of nothing else.
    """

    @property
    def whole(self) -> bool:
        # Textual displays nothing that it is about to remove: that is its public word for it.
        return self.display

    async def on_event(self, event: Event) -> None:
        if self.whole or isinstance(event, Unmount):
            await super().on_event(event)

    def call_later(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        return super().call_later(self._where_whole(callback, *args, **kwargs))

    def call_after_refresh(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        return super().call_after_refresh(self._where_whole(callback, *args, **kwargs))

    def _where_whole(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[], Any]:
        return lambda: callback(*args, **kwargs) if self.whole else None
