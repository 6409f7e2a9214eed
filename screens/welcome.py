"""Welcome: what this node is, what was found, what looks wrong - in five seconds."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from screens.base import Page
from wizard.report import printable


class WelcomePage(Page):
    """The first page."""

    NAME = "welcome"

    def body(self) -> ComposeResult:
        facts, plan = self.state.facts, self.state.plan
        if facts is None or plan is None:
            return
        system = facts.system
        cards = [f for f in facts.pci.functions if f.offer == "offered" and not f.is_vf]
        lines = [
            f"{system.hostname or 'This node'}: {system.os_name}, kernel {system.kernel or 'unknown'}",
            f"seen as {facts.source}{'' if facts.privileged else ', without root rights'}",
            "",
            "Found",
            f"  cards that can have VFs: {len(cards)}"
            + (f" ({cards[0].model}{' …' if len(cards) > 1 else ''})" if cards else ""),
            f"  IOMMU: {'on' if facts.iommu.running else 'off'}",
            f"  nova: {facts.nova.release or 'not found'}, networking: {facts.nova.networking}",
            f"  guests running: {'unknown' if facts.guests.guests is None else len(facts.guests.guests)}",
        ]
        last = facts.history.last
        lines += (
            ["", "Done before by this tool", f"  {last.at}: {', '.join(last.chapters)} ({last.state})"] if last else []
        )
        grave = [finding for finding in plan.findings if finding.severity != "tells"]
        lines += ["", "Needs attention"] + [f"  {f.severity}: {f.seen}" for f in grave[:5]] if grave else []
        lines += [
            "",
            f"To be done, as suggested: {len(plan.steps)} steps" if plan.steps else "Nothing is to be done here.",
        ]
        if facts.unseen:
            lines += ["", f"Could not be seen ({len(facts.unseen)})"]
            lines += [f"  {each.what}: {each.why}" for each in facts.unseen[:6]]
        if self.state.from_draft:
            lines += ["", "The answers of your last session are back (press r to start from the node instead)."]
        yield Static(printable("\n".join(lines)).replace("…", "..."), markup=False)

    BINDINGS: ClassVar = [("r", "fresh", "start fresh")]

    def action_fresh(self) -> None:
        """Forget the draft and take what fits the node as it is."""
        if self.state.facts is not None:
            self.wizard.engine.forget_draft()
            self.state.from_draft = False
            self.state.answers = self.wizard.engine.suggest(self.state.facts)
            self.wizard.replan()
            self.wizard.go("welcome")
