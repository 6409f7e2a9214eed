"""Is it so now? Will it be so after the next boot?"""

from __future__ import annotations

from wizard.answers import AllAnswers
from wizard.chapters import chapters
from wizard.errors import Exit
from wizard.merge import make_plan
from wizard.node.facts import Facts
from wizard.questions import Check


def verify(facts: Facts, answers: AllAnswers) -> list[Check]:
    """Every check of every chapter that is answered; then whether the configuration is all as it is wanted."""
    found = [check for chapter in chapters() for check in chapter.checks(facts, answers)]
    return [*found, _configured(facts, answers)] if answers.names() else found


def _configured(facts: Facts, answers: AllAnswers) -> Check:
    what = "Nothing is left to be done to this node"
    plan = make_plan(facts, answers)
    if plan.blocked:
        first = next(
            (each for each in plan.findings if each.severity == "blocks" and each.chapter in plan.blocked), None
        )
        code, do = (f" ({first.code}: {first.seen})", first.do) if first else ("", "Run check with these answers.")
        return Check("plan", what, "failed", f"blocked: {', '.join(plan.blocked)}{code}", do)
    if plan.steps:
        return Check("plan", what, "failed", f"{len(plan.steps)} steps are left", "Run plan, then apply.")
    return Check("plan", what, "held", "the plan is empty")


def exit_code(checks: list[Check]) -> Exit:
    """0 all held; 2 something failed or waits for a reboot; 7 nothing failed, but something could not be seen."""
    states = {check.state for check in checks}
    if states & {"failed", "pending"}:
        return Exit.CHANGES
    return Exit.UNSEEN if "unknown" in states else Exit.DONE
