"""Many networks at once: by a pattern over VLANs, pasted, or from a file. Each shows what it will give before it is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import Input, Static, TextArea

from screens.shared.key_line import footer
from screens.shared.page_order import heading
from screens.tui.whole_screen import WholeScreen
from screens.tui.widgets.fields import Changed, TextField
from wizard.chapters.gateways import network_import
from wizard.chapters.gateways.network_import import Row
from wizard.errors import InputError
from wizard.model.questions import Question
from wizard.safe_text import safe_text

PATTERN = {
    "range": Question(("range",), "text", "VLANs", help="such as 1441-1460, 1500"),
    "label": Question(("label",), "text", "Label", help="nova's network label"),
    "router": Question(("router",), "text", "Router"),
    "cidr": Question(("cidr",), "text", "Network", help="may stay empty"),
}
EXAMPLES = {
    "range": "",
    "label": "net{vlan}",
    "router": "10.{vlan/256}.{vlan%256}.1",
    "cidr": "10.{vlan/256}.{vlan%256}.0/24",
}


class Lines(TextArea):
    """Several lines of text to be typed or pasted."""

    cursor_blink = reactive(False, init=False)  # twice a second something would go over the line


class AddNetworks(WholeScreen[list[Row] | None]):
    """Gives the rows, or None where nothing is to be added. `taken` are the networks that are there already."""

    BINDINGS: ClassVar = [("escape", "leave", "back"), ("enter", "take", "add"), ("f10", "cancel", "back")]
    TITLE_TEXT: ClassVar[str] = ""
    SAID: ClassVar[str] = ""

    def __init__(self, taken: list[dict[str, Any]]) -> None:
        super().__init__()
        self._taken = taken

    def compose(self) -> ComposeResult:
        yield Static(heading(self.app, f"Gateways | {self.TITLE_TEXT}"), id="status", markup=False)
        with Vertical(id="add"):
            yield Static(self.SAID, classes="why", markup=False)
            yield from self.fields()
            yield Static("", id="preview", markup=False)
        yield Static("", id="keys", markup=False)

    def fields(self) -> ComposeResult:
        yield from ()

    def rows(self) -> list[Row]:
        """What was typed, as rows. Raises InputError."""
        return []

    def on_mount(self) -> None:
        self.preview()

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self.preview)

    def on_descendant_blur(self) -> None:
        self.call_after_refresh(self.preview)

    def judged(self) -> list[Row]:
        return network_import.without_doubles(self.rows(), self._taken)

    def preview(self) -> None:
        """Show what would be added."""
        if not self.is_mounted:
            return
        try:
            self.query_one("#preview", Static).update(safe_text("\n".join(self._told(self.judged()))))
        except InputError as error:
            self.query_one("#preview", Static).update(safe_text(f"! {error.what}"))
        inside = isinstance(self.focused, Input | TextArea)
        ways = [("Esc", "leave the field")] if inside else [("Esc", "back, add nothing"), ("Enter", "add them")]
        keys = [("Enter", "next field")] if isinstance(self.focused, Input) else []
        self.query_one("#keys", Static).update(footer(keys, ways, self.size.width - 2))

    def _told(self, rows: list[Row]) -> list[str]:
        good = [row for row in rows if not row.problem]
        left_out = [row for row in rows if row.problem and not row.values]
        wrong = [row for row in rows if row.problem and row.values]
        lines = [f"{len(good)} networks will be added"]
        ends = good if len(good) <= 3 else [good[0], good[-1]]
        lines += [
            f"  {'  '.join(text for name in network_import.FIELDS if (text := row.values.get(name)))}" for row in ends
        ]
        if wrong:
            lines += ["", f"! {len(wrong)} are not right; they are kept, marked, to be fixed in the table:"]
            lines += _lines_of(wrong)
        if left_out:
            lines += ["", f"! {len(left_out)} lines are left out:"]
            lines += _lines_of(left_out)
        return lines

    def on_changed(self, message: Changed) -> None:
        message.stop()
        self.preview()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        chain = self.focus_chain
        last = not chain or chain[-1] is self.focused
        self.set_focus(None) if last else self.focus_next()

    def action_take(self) -> None:
        try:
            self.dismiss([row for row in self.judged() if row.values or not row.problem])
        except InputError:
            self.preview()

    def action_leave(self) -> None:
        if isinstance(self.focused, Input | TextArea):
            self.set_focus(None)
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        self.dismiss(None)


def _lines_of(rows: list[Row], most: int = 4) -> list[str]:
    """What is wrong with the first of these lines, and how many more there are."""
    lines = [f"  line {row.number}: {row.problem}" for row in rows[:most]]
    return [*lines, f"  and {len(rows) - most} more"] if len(rows) > most else lines


class Pattern(AddNetworks):
    """A range of VLANs and a template for each field."""

    TITLE_TEXT = "many, by a pattern"
    SAID = "One network for each VLAN. In braces: vlan, n (1, 2, 3 ...), whole numbers, + - * / % and parentheses."
    AUTO_FOCUS = "Input"

    def fields(self) -> ComposeResult:
        for name, question in PATTERN.items():
            yield TextField(question, EXAMPLES[name], question.key)

    def rows(self) -> list[Row]:
        typed = {str(f.key[0]): f.query_one(Input).value.strip() for f in self.query(TextField)}
        return network_import.from_pattern(typed.pop("range"), typed)


class Paste(AddNetworks):
    """Lines that are pasted or typed."""

    TITLE_TEXT = "pasted lines"
    SAID = network_import.FORMS
    AUTO_FOCUS = "TextArea"

    def __init__(self, taken: list[dict[str, Any]], text: str = "") -> None:
        super().__init__(taken)
        self._text = text

    def fields(self) -> ComposeResult:
        yield Lines(self._text, compact=True, tab_behavior="focus", soft_wrap=False, id="lines")

    def rows(self) -> list[Row]:
        return network_import.from_text(self.query_one(TextArea).text)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.preview()


class Import(AddNetworks):
    """A file on this machine."""

    TITLE_TEXT = "from a file"
    SAID = f"A file on this machine. {network_import.FORMS}"
    AUTO_FOCUS = "Input"

    def fields(self) -> ComposeResult:
        yield TextField(Question(("path",), "text", "File", help="such as /root/networks.csv"), "", ("path",))

    def rows(self) -> list[Row]:
        path = self.query_one(Input).value.strip()
        if not path:
            raise InputError("type the path of a file, such as /root/networks.csv")
        return network_import.from_file(Path(path).expanduser())
