"""What `z` undoes: the answers as they were before each edit, with what was not right yet beside them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from screens.shared.state import State

MOST = 100  # edits that can be undone


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done, the page it was done on, and all that it may have changed, as it was before."""

    what: str
    page: str
    key: Any
    answers: Any
    refused: Any
    raw: Any
    from_draft: bool


def remember(state: State, page: str, what: str, key: Any = None) -> None:
    """Keep what there is before an edit. Characters typed into one field, by its `key`, are one edit."""
    last = state.edits[-1] if state.edits else None
    if key is not None and last is not None and (last.page, last.key) == (page, key):
        return
    state.edits.append(
        Edit(what, page, key, state.answers, deepcopy(state.refused), deepcopy(state.raw), state.from_draft)
    )
    del state.edits[:-MOST]


def undo(state: State) -> Edit | None:
    """Bring back what there was before the last edit that changed something; None where there is none."""
    while state.edits:
        edit = state.edits.pop()
        if (edit.answers, edit.refused, edit.raw) != (state.answers, state.refused, state.raw):
            state.answers, state.refused, state.raw = edit.answers, edit.refused, edit.raw
            state.from_draft = edit.from_draft
            state.begun.clear()
            return edit
    return None
