"""Welcome: what this node is, what was found, what is set up, what looks wrong - in five seconds."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from screens.shared.key_line import Key
from screens.shared.page_order import CHAPTERS, PAGES, TITLES, page_key, short
from screens.tui import tones
from screens.tui.page import PLANNING, Page
from screens.tui.widgets.hot import hot
from screens.tui.widgets.panel import Panel
from wizard.facts.facts import Facts
from wizard.model.plan import Plan
from wizard.runs.run_state import RunState
from wizard.safe_text import safe_text

MOST = 6  # lines of a list; the pages have the rest
BROKEN = {
    RunState.FAILED: "failed and was not taken back",
    RunState.STOPPED: "was stopped",
    RunState.INTERRUPTED: "was cut short",
}


def _texts(texts: list[str]) -> Content:
    return tones.lines([tones.plain(text) for text in texts])


class WelcomePage(Page):
    """The first page."""

    NAME = "welcome"
    BINDINGS: ClassVar = [("r", "fresh", "start fresh"), ("j", "attention", "to what needs attention")]

    def keys(self) -> list[Key]:
        keys: list[Key] = [("j", "what needs attention")] if self.state.attention() else []
        return [*keys, ("1-9", "straight to a page"), *([("r", "forget the draft")] if self.state.from_draft else [])]

    def ways(self) -> list[Key]:
        return [("Enter", "next")]

    def body(self) -> ComposeResult:
        facts, plan = self.state.facts, self.state.current
        if facts is None or plan is None:
            yield Static(PLANNING, markup=False)
            return
        wrong = self.wrong(facts, plan)
        with Container(id="board"):
            yield Panel("To do", tones.lines(self.to_do(plan)), "first")
            if wrong:
                blocks = any(finding.severity == "blocks" for finding in plan.findings)
                yield Panel("Looks wrong", tones.lines(wrong), "bad" if blocks else "warn", id="wrong")
            yield Panel("This node", _texts(self.node(facts)))
            yield Panel("Found", _texts(self.found(facts)))
            yield Panel("Set up already", _texts(self.already(facts, plan)))
            if facts.unseen:
                unseen = [f"{each.what}: {each.why}" for each in facts.unseen[:MOST]]
                yield Panel(f"Could not be seen ({len(facts.unseen)})", _texts(unseen))

    def below(self) -> ComposeResult:
        yield from self.overview()

    async def planned(self) -> None:
        await self.recompose()
        await super().planned()

    def node(self, facts: Facts) -> list[str]:
        system = facts.system
        lines = [f"{system.hostname or 'This node'}: {system.os_name}, kernel {system.kernel or 'unknown'}"]
        if not facts.live:
            lines.append(facts.source)
        if not facts.privileged:
            lines.append("Seen without root rights: not everything is shown, and nothing can be applied from here.")
        return lines

    def found(self, facts: Facts) -> list[str]:
        cards = Counter(f.model for f in facts.pci.functions if f.offer == "offered" and not f.is_vf)
        models = ", ".join(f"{count} x {model}" if count > 1 else model for model, count in cards.items())
        off = [f.model for f in facts.pci.functions if f.offer == "off" and f.is_network]
        vfs = sum(f.num_vfs or 0 for f in facts.pci.functions)
        guests = facts.guests.guests
        running = (
            "guests unknown" if guests is None else f"{len(guests) or 'no'} guest{'s' * (len(guests) != 1)} running"
        )
        lines = [f"Cards   {models or 'none that can have VFs'}; VFs now: {vfs}"]
        lines += [f"        switched off in firmware or BIOS: {', '.join(dict.fromkeys(off))}"] if off else []
        lines.append(f"IOMMU   {'on' if facts.iommu.running else 'off'}")
        lines.append(f"nova    {facts.nova.release or 'not found'}, {facts.nova.networking}; {running}")
        return lines

    def already(self, facts: Facts, plan: Plan) -> list[str]:
        """What is as it is wanted, and what this tool did before."""
        due = {chapter for step in plan.steps for chapter in step.chapters} | set(plan.blocked)
        held = [TITLES[name] for name in CHAPTERS if self.state.answers.get(name) is not None and name not in due]
        lines = [f"as wanted: {', '.join(held)}"] if held else []
        last = facts.history.last
        if last:
            lines.append(f"by this tool, run {short(last.id)}: {', '.join(last.chapters)} ({last.state})")
        lines += [f"{each.what} cannot be read: {each.why}" for each in facts.history.unread]
        return lines or ["nothing yet"]

    def wrong(self, facts: Facts, plan: Plan) -> list[Content]:
        runs = [run for run in facts.history.runs if run.state.resumable][-1:]
        lines = [
            hot(
                Content.assemble(
                    ("FAILED", f"bold reverse {tones.BAD}"),
                    safe_text(
                        f" h History: run {short(run.id)} {BROKEN[run.state]} after {run.steps_done} of {run.steps} steps"
                    ),
                ),
                "screen.jump('history')",
            )
            for run in runs
        ]
        order = {"blocks": 0, "warns": 1}
        grave = sorted((f for f in plan.findings if f.severity in order), key=lambda f: order[f.severity])
        for finding in grave[:MOST]:
            word, colour = tones.SEVERITY[finding.severity]
            place = f" {page_key(finding.chapter)} {TITLES[finding.chapter]}:" if finding.chapter in PAGES else ""
            line = Content.assemble((word, f"bold reverse {colour}"), (place, "bold"), f" {safe_text(finding.seen)}")
            lines.append(hot(line, f"screen.jump('{finding.chapter}')") if place else line)
        return [*lines, tones.plain(f"and {len(grave) - MOST} more")] if len(grave) > MOST else lines

    def to_do(self, plan: Plan) -> list[Content]:
        """The first thing to do, in a line or two."""
        if plan.steps:
            reboot = ", with a reboot after them" if plan.needs_reboot else ""
            head = Content.assemble(
                (f"{len(plan.steps)} step{'s' * (len(plan.steps) != 1)}", "bold $primary"),
                f" to be done{reboot}. Enter goes through the chapters, {page_key('preview')} shows all of it.",
            )
        elif plan.blocked:
            head = Content("What is to be done is blocked: see below.")
        else:
            head = Content.styled("Nothing is to be done here.", tones.GOOD)
        found = self.state.attention()
        lines = [head]
        if found:
            first = f"First: {page_key(found[0])} {TITLES[found[0]]} needs attention (j)."
            lines.insert(0, hot(tones.plain(first, "bold $warning"), "screen.attention"))
        if self.state.from_draft:
            lines.append(
                Content("These are the answers that you had not applied last time. r forgets them; z brings them back.")
            )
        return lines

    def back(self) -> None:
        """There is nothing before this page."""

    def action_attention(self) -> None:
        """To the first chapter that blocks or warns."""
        found = self.state.attention()
        if found:
            self.wizard.go(found[0])

    def action_fresh(self) -> None:
        """Forget the draft and take what fits the node as it is."""
        if self.state.facts is not None and self.state.from_draft:
            self.wizard.fresh()
