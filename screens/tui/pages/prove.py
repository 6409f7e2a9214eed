"""Proofs on demand: what each would do, asked for, given while one looks on, and what it came to."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input, Static

from screens.shared.key_line import Key
from screens.shared.probing import Offer, offers
from screens.tui.page import Page
from screens.tui.widgets.line_input import Entry
from screens.tui.widgets.list_view import Column, Rows
from screens.tui.widgets.text_view import TextView
from wizard.errors import WizardError
from wizard.safe_text import safe_text


class Offered(Message):
    """What each proof would do."""

    def __init__(self, found: list[Offer]) -> None:
        super().__init__()
        self.found = found


class ProvePage(Page):
    """The proofs on top, the one under the cursor below."""

    NAME = "prove"
    AUTO_FOCUS = "Rows"
    SCROLLS = False

    def __init__(self) -> None:
        super().__init__()
        self._offers: list[Offer] = []

    def keys(self) -> list[Key]:
        return [("Up/Down", "proof"), ("Tab", "the text")]

    def ways(self) -> list[Key]:
        offer = self.offer
        ask: list[Key] = [("Enter", "ask for it")] if offer and offer.would_do and not self.under_way else []
        return [("Esc", "back"), *ask]

    def field_ways(self) -> list[Key]:
        return [("Esc", "leave the field"), ("Enter", "do what you typed")]

    def body(self) -> ComposeResult:
        yield Static("What a proof would do is being found out ...", id="heading", markup=False)
        yield Rows([Column("")], id="proofs", headings=False)
        yield Entry("", id="yes", compact=True, select_on_focus=False)
        yield TextView(id="detail")

    def on_mount(self) -> None:
        self.query_one("#yes").display = False
        self.name_part("#proofs", "Proofs")
        self.name_part("#detail", "What it does")
        self.find_offers()

    @work(thread=True, exclusive=True, group="look")
    def find_offers(self) -> None:
        facts = self.state.facts
        if facts is not None:
            try:
                self.post_message(Offered(offers(self.wizard.engine, facts, self.wizard.to_be())))
            except WizardError as error:
                self.app.call_from_thread(self.say, str(error))

    def on_offered(self, message: Offered) -> None:
        self._offers = message.found
        self.say("A proof tries out what is set. It is given only when it is asked for.")
        self.query_one(Rows).show([str(number) for number in range(len(self._offers))], self.cells)
        going_on = self.state.proving
        if going_on is not None:
            names = [offer.proof.NAME for offer in self._offers]
            self.query_one(Rows).go(str(names.index(going_on.proof.NAME)))
        self.proven()

    @property
    def offer(self) -> Offer | None:
        """The one under the cursor."""
        rows = self.query("#proofs")
        key = rows.first(Rows).key if rows else None
        return self._offers[int(key)] if key is not None else None

    @property
    def under_way(self) -> bool:
        return self.state.proving is not None and self.state.proving.checks is None

    def cells(self, key: str) -> list[str]:
        offer, given = self._offers[int(key)], self.state.proving
        state = "" if offer.would_do else "  (not here)"
        if given is not None and given.proof.NAME == offer.proof.NAME:
            state = "  (being given)" if given.checks is None else "  (given)"
        return [f"{offer.proof.TITLE}{state}"]

    def on_rows_moved(self, message: Rows.Moved) -> None:
        message.stop()
        self.query_one("#yes").display = False
        self.proven()

    def proven(self) -> None:
        """Draw how far a proof is."""
        offer, given = self.offer, self.state.proving
        if offer is None:
            return
        here = given is not None and given.proof.NAME == offer.proof.NAME
        self.query_one("#detail", TextView).show(given.told() if here and given else offer.told())
        self.query_one(Rows).refresh()
        self.refresh_frame()

    def say(self, text: str) -> None:
        self.query_one("#heading", Static).update(safe_text(text))

    def action_scroll(self, pages: float) -> None:
        self.query_one("#detail", TextView).page(pages)

    def action_next(self) -> None:
        """Ask for the one under the cursor."""
        offer = self.offer
        if offer is None or not offer.would_do or self.under_way:
            return
        self.query_one("#detail", TextView).show(offer.told())
        self.say("Type yes to do what is said below:")
        field = self.query_one("#yes", Input)
        field.value, field.display = "", True
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()  # else the handler of every page moves the focus on, too
        offer = self.offer
        event.input.display = False
        self.query_one(Rows).focus()
        if offer is None or event.value.strip().lower() != "yes":
            self.say("Nothing was done: that was not yes.")
            return
        self.say(f"{offer.proof.TITLE}:")
        self.wizard.prove(offer.proof)
        self.proven()

    def leave_inner(self) -> bool:
        asked = self.query_one("#yes")
        if not asked.display:
            return False
        asked.display = False
        self.query_one(Rows).focus()
        return True

    def back(self) -> None:
        self.wizard.go("verify")
