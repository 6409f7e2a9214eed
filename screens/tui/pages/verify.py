"""Verify: is it so now, and will it be so after the next boot?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from screens.shared.key_line import Key
from screens.shared.page_order import TITLES, numbered, to_do
from screens.tui import tones
from screens.tui.page import QUIT, Page
from screens.tui.widgets.list_view import Column, Rows
from screens.tui.widgets.text_view import TextView
from wizard.model.findings import Check, Remedy

ORDER = {"failed": 0, "pending": 1, "unknown": 2, "held": 3}
TONES: dict[str, str] = {"failed": "bad", "pending": "warn", "unknown": "warn", "held": "good"}
HEADING = "heading "


class Verified(Message):
    """What the checks saw."""

    def __init__(self, found: list[Check]) -> None:
        super().__init__()
        self.found = found


def by_section(found: Sequence[Check]) -> list[Check]:
    """Checks of one chapter together, the chapter with the worst one first; in it the ones that failed first."""
    order = list(TITLES)
    worst = {check.chapter: min(ORDER[c.state] for c in found if c.chapter == check.chapter) for check in found}
    place = {name: order.index(name) if name in order else len(order) for name in worst}
    return sorted(
        found, key=lambda check: (worst[check.chapter], place[check.chapter], check.chapter, ORDER[check.state])
    )


class VerifyPage(Page):
    """The checks by section, the ones that failed first; what each saw below."""

    NAME = "verify"
    AUTO_FOCUS = "Rows"
    SCROLLS = False
    FINDS = "only checks with"
    BINDINGS: ClassVar = [("v", "again", "again"), ("b", "reboot", "reboot"), ("p", "jump('prove')", "prove")]

    def __init__(self) -> None:
        super().__init__()
        self._found: list[Check] = []

    def keys(self) -> list[Key]:
        reboot: list[Key] = [("b", "reboot (simulated)")] if self.wizard.simulation else []
        return [("v", "again"), *reboot, ("p", "try it out"), ("h", "history"), ("/", "filter")]

    def ways(self) -> list[Key]:
        return [("Esc", "back"), QUIT]

    def body(self) -> ComposeResult:
        yield Static("Looking ...", id="verdict", markup=False)
        yield Rows([Column("state", 7), Column("check")], id="checks", empty="nothing to show")
        yield TextView(id="detail")

    def on_mount(self) -> None:
        self.check()

    @work(thread=True, exclusive=True, group="verify")
    def check(self) -> None:
        facts = self.state.facts
        if facts is not None:
            found = self.wizard.engine.verify(facts, self.wizard.to_be())
            self.post_message(Verified([*found, *self.wizard.engine.to_be(facts).unseen]))

    def on_verified(self, message: Verified) -> None:
        proven = (self.state.proving.checks if self.state.proving else None) or []
        self._found = by_section([*message.found, *proven])
        self.state.checked = min((check.state for check in self._found), key=lambda each: ORDER[each], default="")
        self.refresh_frame()
        self.query_one("#verdict", Static).update(self.told())
        self.find("")

    def find(self, text: str) -> None:
        words = text.lower()
        keys: list[str] = []
        for number, check in enumerate(self._found):
            if words in f"{check.state} {check.chapter} {check.what} {check.seen}".lower():
                heading = f"{HEADING}{TITLES.get(check.chapter, 'All')}"
                keys += [] if heading in keys else [heading]
                keys.append(str(number))
        rows = self.query_one(Rows)
        rows.tones = lambda key: {0: TONES[self._found[int(key)].state]}
        rows.show(keys, self.cells, [key for key in keys if key.startswith(HEADING)])
        self.name_part("#checks", "Checks")

    def leave_find(self) -> None:
        self.query_one(Rows).focus()

    def cells(self, key: str) -> list[str]:
        if key.startswith(HEADING):
            return [key.removeprefix(HEADING)]
        check = self._found[int(key)]
        state = check.state.upper() if check.state == "failed" else check.state
        return [state, check.what]

    def on_rows_moved(self, message: Rows.Moved) -> None:
        message.stop()
        lines: list[str] = []
        if message.key is not None and self._found:
            check = self._found[int(message.key)]
            lines = [f"{check.what}: {check.state}", "", f"seen: {check.seen}"]
            here = f"See {numbered('preview')}, then {numbered('apply')}."
            do = here if check.do == Remedy.RUN_PLAN else check.do
            lines += [f"do:   {do}"] if do and check.state != "held" else []
        self.query_one("#detail", TextView).show(lines)

    def action_scroll(self, pages: float) -> None:
        self.query_one("#detail", TextView).page(pages)

    def verdict(self) -> list[str]:
        """What it comes to, in a sentence or two."""
        facts = self.state.facts
        runs = self.wizard.engine.to_be(facts).runs if facts else ()
        undone = facts is not None and self.wizard.engine.all_undone(facts)
        none = "Every run here was undone" if undone else "Nothing is applied"
        about = to_do(runs) if runs else f"{none}; what is answered now"
        states = [check.state for check in self._found]
        counts = ", ".join(f"{states.count(state)} {state}" for state in ORDER if state in states)
        if not states:
            return ["Nothing is answered, so there is nothing to verify."]
        return [f"{about}: {counts}.", self.sentence(states, bool(runs))]

    def told(self) -> Content:
        """The verdict in the colour of the worst that was seen."""
        lines = self.verdict()
        colour = tones.COLOUR[TONES[self.state.checked]] if self.state.checked else ""
        return tones.lines([tones.plain(line, f"bold {colour}" if line == lines[-1] else "") for line in lines])

    def sentence(self, states: Sequence[str], applied: bool) -> str:
        if "failed" in states:
            return "Not all is as it is to be." if applied else "What failed is what applying would set right."
        if "pending" in states:
            return "All is in place; some of it waits for the reboot."
        if "unknown" in states:
            return "Nothing failed, but something could not be seen."
        return f"All {len(states)} checks held."

    def action_again(self) -> None:
        self.wizard.look("verify")

    def action_reboot(self) -> None:
        if self.wizard.simulation:
            self.wizard.engine.reboot()
            self.wizard.look("verify")

    def action_next(self) -> None:
        """There is nothing behind this page."""
