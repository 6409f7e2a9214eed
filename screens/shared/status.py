"""What is told at a glance: the state of the node, and of each section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from screens.shared.page_order import CHAPTERS

if TYPE_CHECKING:  # the first page needs no engine
    from screens.shared.state import State

Tone = Literal["good", "warn", "bad", "accent", "dim"]
STUCK = ("failed", "stopped", "interrupted")  # states of a run that can be gone on with


@dataclass(frozen=True, slots=True)
class Badge:
    """A word for the head of the screen, and its meaning."""

    word: str
    tone: Tone


SIMULATION = Badge("SIMULATION", "accent")
NOTHING_CHANGED = Badge("NOTHING CHANGED", "good")
CHANGED = Badge("CHANGED", "warn")
REBOOT_NEEDED = Badge("REBOOT NEEDED", "warn")
RUNNING = Badge("RUNNING", "accent")
FAILED = Badge("FAILED", "bad")


@dataclass(frozen=True, slots=True)
class SectionState:
    """The state of a section: a word, a mark in ASCII, a sign where there are more glyphs, and its meaning."""

    word: str
    mark: str
    sign: str
    tone: Tone


NOT_VISITED = SectionState("not visited", "[  ]", "·", "dim")
SUGGESTED = SectionState("suggested", "[* ]", "○", "accent")
ANSWERED = SectionState("answered", "[ok]", "✓", "good")
PROBLEM = SectionState("problem", "[! ]", "!", "warn")
BLOCKED = SectionState("blocked", "[x ]", "✗", "bad")
SKIPPED = SectionState("skipped", "[- ]", "–", "dim")
SEEN = SectionState("seen", "[ok]", "✓", "good")
UNDER_WAY = SectionState("running", "[..]", "▶", "accent")
DONE = SectionState("done", "[ok]", "✓", "good")
STATES = (SUGGESTED, ANSWERED, PROBLEM, BLOCKED, SKIPPED, NOT_VISITED)  # those that the help explains


def badge(state: State) -> Badge:
    """The state of the node: what goes on, what failed, what waits for a reboot, what was changed from here."""
    if state.running:
        return RUNNING
    facts = state.facts
    last = facts.history.last if facts else None
    if state.outcome in STUCK or (not state.outcome and last is not None and last.state in STUCK):
        return FAILED
    waits = bool(facts and facts.history.waiting(facts.system.boot_id or ""))
    if state.reboot_due or (waits and not state.outdated):
        return REBOOT_NEEDED
    return CHANGED if state.runs else NOTHING_CHANGED


def section(state: State, page: str) -> SectionState:
    """The state of a section in the list of all."""
    visited = page in state.visited
    if page in CHAPTERS:
        return _chapter(state, page, visited)
    if page == "verify" and state.checked:
        return PROBLEM if state.checked == "failed" else DONE
    if page == "apply":
        failed = state.outcome in STUCK and not state.running
        return UNDER_WAY if state.running else PROBLEM if failed else DONE if state.runs else NOT_VISITED
    return SEEN if visited else NOT_VISITED


def _chapter(state: State, page: str, visited: bool) -> SectionState:
    plan = state.plan
    severities = {finding.severity for finding in plan.findings if finding.chapter == page} if plan else set()
    answered = state.answers.get(page) is not None
    if (plan is not None and page in plan.blocked) or ("blocks" in severities and answered):
        return BLOCKED
    if state.unfinished(page) or "warns" in severities:
        return PROBLEM
    if not answered:
        return SKIPPED
    return ANSWERED if visited else SUGGESTED
