"""Preview: every file and every command in the order in which they happen."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from screens.shared import step_lines
from screens.shared.change_lines import line
from screens.shared.fit_text import cut
from screens.shared.key_line import Key
from screens.shared.page_order import TITLES, short
from screens.tui import tones
from screens.tui.highlighting import highlighter
from screens.tui.page import PLANNING, Page
from screens.tui.widgets.line_input import Entry
from screens.tui.widgets.list_view import Column, Rows
from screens.tui.widgets.text_view import TextView
from wizard.errors import WizardError
from wizard.model.plan import LaterWork, Plan
from wizard.planning.later_changes import Choice
from wizard.report import text as report
from wizard.safe_text import safe_text

KINDS = {"plan": ("the plan", "plan"), "script": ("a shell script", "sh"), "text": ("the preview as text", "txt")}


HEADING = "heading "
DANGERS = {
    "one-way": "danger",
    "drops-network": "danger",
    "power-cycle": "caution",
    "reboot": "caution",
    "restarts-service": "effect",
}
SIGNS = {"+": "good", "-": "bad", "~": "warn", "$": "accent", "=": "accent"}


def words_of_step(_: str, text: str) -> list[tuple[int, int, str]]:
    """What stands out in the line of a step: its sign, and what it does to the node."""
    found = [(5, 6, SIGNS[text[5]])] if text[5:6] in SIGNS else []
    labels = re.search(r"\[([a-z, -]+)\] *$", text)
    if labels:
        inside = re.finditer(r"[a-z-]+", labels[1])
        found += [
            (labels.start(1) + word.start(), labels.start(1) + word.end(), DANGERS.get(word[0], "effect"))
            for word in inside
        ]
    return found


def _warned(text: str) -> Content:
    colour = tones.BAD if text.startswith("! blocked") else tones.WARN
    return tones.plain(text, f"bold {colour}" if text.startswith("!") else "")


class PreviewPage(Page):
    """The list of steps on top, the chosen one below."""

    NAME = "preview"
    AUTO_FOCUS = "Rows"
    SCROLLS = False
    FINDS = "search"
    BINDINGS: ClassVar = [
        ("n", "change(1)", "next change"),
        ("p", "change(-1)", "previous change"),
        ("f", "fold", "fold"),
        ("s", "save('plan')", "save"),
        ("e", "save('script')", "export"),
        ("w", "save('text')", "write as text"),
        ("c", "copy", "copy"),
        ("r", "look", "read the node anew"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._saving = ""
        self._folded = False
        self._found = ""

    @property
    def plan(self) -> Plan | None:
        """The plan that is shown."""
        return self.state.current

    def keys(self) -> list[Key]:
        what = "match" if self._found else "change"
        fold: Key = ("f", "unfold" if self._folded else "fold")
        export: list[Key] = [] if self.plan is None or self.plan.undoes else [("e", "script")]
        keys: list[Key] = [("n/p", what), ("s", "save"), *export, ("/", "search"), fold]
        return [*keys, ("w", "as text"), ("c", "copy"), ("r", "look again")]

    def body(self) -> ComposeResult:
        yield Static("", id="heading", markup=False)
        with Horizontal(id="save", classes="line -hidden"):
            yield Static("", id="save-as", classes="label", markup=False)
            yield Entry("", id="path", compact=True, select_on_focus=False)
        yield Static("", id="said", markup=False)
        with Container(id="both"):
            yield Rows([Column("")], id="steps", headings=False)
            yield TextView(id="detail", coloured=True)

    def heading(self, plan: Plan) -> list[str]:
        """How much it is, and what is left out."""
        wrong = self.state.not_right()
        lines = [f"! not in this plan, since it is not right yet: something in {', '.join(wrong)}"] if wrong else []
        if plan.blocked:
            names = ", ".join(TITLES.get(name, name) for name in plan.blocked)
            lines.append(f"! blocked, and left out: {names}. Their pages say why; nothing is applied before.")
        if not plan.steps:
            return [*lines, "Nothing is to be changed on this node."]
        signs = "+ new  ~ changed  - removed  = set  $ run"
        return [*lines, f"{len(plan.steps)} steps{', then a reboot' if plan.needs_reboot else ''}.", signs]

    def on_mount(self) -> None:
        self.show_steps()

    async def planned(self) -> None:
        await super().planned()
        self.show_steps()

    def show_steps(self) -> None:
        plan = self.plan
        lines = self.heading(plan) if plan else [PLANNING]
        self.query_one("#heading", Static).update(tones.lines([_warned(line) for line in lines]))
        rows = self.query_one(Rows)
        rows.words = words_of_step
        self.name_part("#steps", "Steps")
        entries = self.entries(plan) if plan else []
        rows.show(entries, self.cells, [key for key in entries if key.startswith(HEADING)])

    def entries(self, plan: Plan) -> list[str]:
        """The keys of the list's entries, in their order; headings begin with HEADING."""
        keys: list[str] = []
        for name, numbers in step_lines.groups(plan):
            keys += [f"{HEADING}{name} {numbers[0]}", *(str(number) for number in numbers)]
        if not plan.undoes:
            keys += [f"{HEADING}Kernel command line", "line"]
        controller = [f"controller {number}" for number in range(len(plan.controller))]
        return [*keys, f"{HEADING}On the controller: to be done there", *controller] if controller else keys

    def cells(self, key: str) -> list[str]:
        plan = self.plan
        if key.startswith(HEADING):
            return [key.removeprefix(HEADING).rstrip(" 0123456789")]
        if plan is None:
            return [""]
        if key == "line":
            return ["      as it will be at the next boot"]
        if key.startswith("controller"):
            return [f"      {step_lines.controller_line(plan.controller[int(key.split()[1])])}"]
        step = plan.steps[int(key)]
        labels = f"  [{', '.join(step.labels)}]" if step.labels else ""
        room = self.query_one(Rows).room - 4 - len(labels)
        return [f"{int(key) + 1:3} {cut(line(step), max(12, room))}{labels}"]

    def lines(self, key: str) -> list[str]:
        """The text of one entry of the list."""
        plan, facts = self.plan, self.state.facts
        if plan is None:
            return []
        if key == "line":
            return step_lines.kernel_line(plan, self.wizard.engine.kernel_tokens(facts, plan) if facts else ())
        if key.startswith("controller"):
            return step_lines.controller(plan.controller[int(key.split()[1])])
        return step_lines.detail(plan.steps[int(key)], self._folded)

    def show_detail(self, key: str | None) -> None:
        view = self.query_one("#detail", TextView)
        lines = self.lines(key) if key else []
        path = ""
        if key and key.isdigit() and self.plan is not None:
            path = str(getattr(self.plan.steps[int(key)], "path", ""))
        view.words = highlighter(path, lines)
        view.show(lines, self._found)
        self.name_part("#detail", path or "Details")

    def on_rows_moved(self, message: Rows.Moved) -> None:
        message.stop()
        self.show_detail(message.key)

    def action_scroll(self, pages: float) -> None:
        self.query_one("#detail", TextView).page(pages)

    def action_fold(self) -> None:
        """With or without the lines that stay."""
        self._folded = not self._folded
        self.show_detail(self.query_one(Rows).key)
        self.refresh_keys()

    def find(self, text: str) -> None:
        self._found = text.lower()
        rows = self.query_one(Rows)
        if rows.key is not None:
            self.show_detail(rows.key)
        self.say("")
        if text and not self._go(rows.keys[rows.place :], 0):
            self._go(rows.keys, 0)

    def leave_find(self) -> None:
        self.query_one(Rows).focus()

    def marks(self, key: str) -> list[int]:
        """The lines of an entry that `n` goes to: what is searched for, else changes."""
        lines = [text for line in self.lines(key) for text in safe_text(line).expandtabs(8).split("\n")]
        if self._found:
            return [number for number, line in enumerate(lines) if self._found in line.lower()]
        return step_lines.changes(lines)

    def action_change(self, by: int) -> None:
        """To the next or the previous change, or what is searched for; on into the next steps."""
        rows, view = self.query_one(Rows), self.query_one("#detail", TextView)
        if rows.key is None:
            return
        here = self.marks(rows.key)
        at = view.mark
        further = (
            [number for number in here if number > at] if by > 0 else [number for number in here if number < at][::-1]
        )
        if further:
            view.go(further[0])
            return
        place = rows.keys.index(rows.key)
        keys = rows.keys[place + 1 :] if by > 0 else rows.keys[:place][::-1]
        if not self._go(keys, 0 if by > 0 else -1):
            self.say("no more of it in this direction")

    def _go(self, keys: list[str], which: int) -> bool:
        """To the first entry that has a mark, and to its first or last one."""
        for key in keys:
            marks = self.marks(key)
            if marks:
                self.query_one(Rows).go(key)
                self.call_after_refresh(self.query_one("#detail", TextView).go, marks[which])
                return True
        return False

    def say(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_text(text))

    def action_look(self) -> None:
        """Read the node anew; the plan is made of what it is then."""
        self.wizard.look(self.NAME)

    def action_copy(self) -> None:
        """Hand the preview to the terminal's clipboard."""
        if self.plan is not None:
            self.app.copy_to_clipboard(report.plan(self.plan))
            self.say("copied, where this terminal allows it; w writes the same to a file")

    def action_save(self, what: str) -> None:
        """Ask for a path, then write there."""
        plan = self.plan
        if plan is None:
            return
        if what == "script" and (plan.blocked or plan.undoes):
            self.say(
                "a plan with something blocked in it is not exported" if plan.blocked else "run `compute-wizard undo`"
            )
            return
        self._saving = what
        named, ending = KINDS[what]
        field = self.query_one("#path", Input)
        field.value = self.wizard.engine.proposed_path(f"{plan.node.hostname or 'node'}.{ending}")
        self.query_one("#save-as", Static).update(f"Save {named} as:")
        self.query_one("#save").remove_class("-hidden")
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id != "path":
            return
        event.stop()
        event.prevent_default()  # else the handler of every page moves the focus on, too
        path = event.value.strip()
        if path:
            self.say(self._save(path))
        self.leave_inner()

    def _save(self, path: str) -> str:
        plan, facts = self.plan, self.state.facts
        if plan is None or facts is None:
            return ""
        try:
            if self._saving == "plan":
                self.wizard.engine.save_plan(plan, path)
                return f"saved as {path}, for its owner only: compute-wizard apply {path}"
            if self._saving == "script":
                self.wizard.engine.export_script(facts, plan, path)
                return f"saved as {path}, for its owner only: run it as root with sh"
            self.wizard.engine.save_text(report.plan(plan), path)
        except WizardError as error:
            return f"! {error.what if not error.where else f'{error.where}: {error.what}'}"
        return f"saved as {path}, for its owner only"

    def leave_inner(self) -> bool:
        save = self.query("#save")
        if not save or save.first().has_class("-hidden"):
            return False
        save.first().add_class("-hidden")
        self.query_one(Rows).focus()
        return True

    def action_next(self) -> None:
        self.state.undo = None
        super().action_next()


class UndoPage(PreviewPage):
    """What taking a run back will do: the same page over a plan of its own. What was changed after the run stands above its
    steps, until it is said what becomes of it."""

    NAME = "undo"
    BINDINGS: ClassVar = [
        ("k", "choose('keep')", "keep"),
        ("b", "choose('restore')", "as before the run"),
        ("m", "choose('merge')", "merge"),
    ]

    @property
    def plan(self) -> Plan | None:
        return self.state.undo

    def heading(self, plan: Plan) -> list[str]:
        lines = [f"This takes run {short(plan.undoes or '')} back: {len(plan.steps)} steps."]
        return [*lines, *(f"{f.severity.upper()} {f.code}: {f.seen} > {f.do}" for f in plan.findings)]

    def keys(self) -> list[Key]:
        choices: list[Key] = [("k", "keep it"), ("b", "as before the run"), ("m", "merge")]
        return [*(choices if self.later() else []), *super().keys()]

    def ways(self) -> list[Key]:
        return [("Esc", "back"), ("Enter", "to Apply")]

    def later(self) -> dict[str, LaterWork]:
        """What was changed after the run, by its key in the list."""
        plan = self.plan
        return {f"later {each.path}": each for each in plan.later_work} if plan else {}

    def entries(self, plan: Plan) -> list[str]:
        return [*self.later(), *super().entries(plan)]

    def cells(self, key: str) -> list[str]:
        work = self.later().get(key)
        if work is None:
            return super().cells(key)
        return [cut(f"  ! changed since, {work.choice or 'not said yet'}: {work.path}", self.query_one(Rows).room)]

    def lines(self, key: str) -> list[str]:
        work = self.later().get(key)
        return super().lines(key) if work is None else report.later_work([work]).splitlines()

    def action_choose(self, choice: Choice) -> None:
        """Say what becomes of the file under the cursor; of all of them where it is elsewhere."""
        plan, later = self.plan, self.later()
        if plan is None or plan.undoes is None or not later:
            return
        meant = [later[key] for key in (self.query_one(Rows).key,) if key in later] or list(later.values())
        said = {work.path: work.choice for work in plan.later_work if work.choice is not None}
        self.wizard.show_undo(plan.undoes, {**said, **{work.path: choice for work in meant}})

    def back(self) -> None:
        self.state.undo = None
        self.wizard.go("history")

    def action_look(self) -> None:
        """An undo is made from the history page."""
        self.back()

    def action_next(self) -> None:
        self.state.run = None
        self.wizard.go("apply")
