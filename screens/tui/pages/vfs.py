"""The chapter VFs as a page."""

from __future__ import annotations

from typing import Any

from screens.shared import edit_history
from screens.shared import editing as answering
from screens.shared.key_line import Key as FooterKey
from screens.tui.pages.chapter import ChapterPage
from screens.tui.pick_screen import Pick
from wizard.answers import editing
from wizard.chapters.vfs import chapter as vfs
from wizard.errors import InputError

PLACE = ("card",)


class VfsPage(ChapterPage):
    """Its questions, a group for each card; cards are added from those that the node has, and left alone again."""

    NAME = "vfs"

    def keys(self) -> list[FooterKey]:
        first = super().keys()
        return [*[key for key in first if key[0] == "Space"], ("a", "add a card"), ("d", "drop this one"), *first]

    def fresh(self) -> Any:
        return (
            vfs.Answers(card=[])
            if self.state.facts and vfs.not_answered(self.state.facts, self.state.answers)
            else None
        )

    async def action_add(self) -> None:
        facts = self.state.facts
        if facts is None or not self.answered:
            return
        found = vfs.not_answered(facts, self.state.answers)
        if not found:
            self.say("every device of this node that can have VFs is here already")
            return
        choices = {function.address: vfs.describe(function) for function in found}
        self.app.push_screen(Pick("Which device is to have VFs?", choices), self.take)

    async def take(self, chosen: str | None) -> None:
        """Add the device that was chosen."""
        facts = self.state.facts
        found = vfs.not_answered(facts, self.state.answers) if facts else []
        function = next((each for each in found if each.address == chosen), None)
        if facts is not None and function is not None:
            edit_history.remember(self.state, self.NAME, "card added")
            card = vfs.card_for(facts, function).model_dump(mode="json", exclude_none=True)
            self.state.answers = editing.add_row(self.state.answers, self.NAME, PLACE, card)
            await self.redo()

    async def action_delete(self) -> None:  # type: ignore[override]
        field = self.focused_field()
        if field is None or field.key[:1] != PLACE or not isinstance(field.key[1], int):
            self.say("go to a field of the card with Tab, leave it with Esc if it is a text, then press d")
            return
        edit_history.remember(self.state, self.NAME, "card dropped")
        try:
            answering.delete_row(self.state, self.NAME, PLACE, field.key[1])
        except InputError as error:
            self.say(error.what)
            return
        await self.redo()
