"""What the page of a run says: before it, while it goes on, and of how it ended."""

from __future__ import annotations

from screens.shared.page_order import short
from wizard.model import step_text
from wizard.model.plan import GUESTS_TOUCHED, Plan
from wizard.runs.progress import RunProgress


def drops_network(plan: Plan) -> bool:
    """Whether a run may wait for its confirmation; what cannot be taken back cannot be taken back by itself."""
    labels = {label for step in plan.steps for label in step.labels}
    return "drops-network" in labels and "one-way" not in labels


def word(plan: Plan) -> str:
    """What is to be typed to start it."""
    return plan.word


def before(plan: Plan, obstacle: str) -> list[str]:
    """What will happen, and what to type; `obstacle` is why it cannot be done, or ""."""
    what = f"Take back run {short(plan.undoes)}" if plan.undoes else "Do what the preview shows"
    labels = dict.fromkeys(label for step in plan.steps for label in step.labels)
    lines = [f"{what}: {len(plan.steps)} steps{' (' + ', '.join(labels) + ')' if labels else ''}."]
    lines += [f"{each.seen}. {each.why}" for each in plan.findings if each.code in (GUESTS_TOUCHED, "GUESTS-RUNNING")]
    if obstacle:
        return [*lines, "", f"Not now: {obstacle}."]
    lines.append("It is done by a process of its own: when this line drops, it goes on, and is found here again.")
    if drops_network(plan):
        lines.append(
            "A step may cut this very line. A number of minutes, such as 10, instead of yes: it is taken back then,"
        )
        lines.append("unless k here, or `compute-wizard confirm`, keeps it.")
    if word(plan) == "one-way":
        return [*lines, "One step cannot be taken back. Type one-way to do it all:"]
    if word(plan) == "guests":
        return [*lines, "Guests that run here may be interrupted. Type guests to start it all the same:"]
    return [*lines, "At the first failure it stops and asks. All can be taken back. Type yes to start:"]


def now_and_next(progress: RunProgress, stopping: bool, counted: str) -> str:
    """What is done now and what comes next; `counted` is how far the step is that is done now."""
    if progress.rolling_back:
        return f"{'A step failed' if progress.failed else 'Not confirmed'}: taking back what was done."
    if progress.waiting:
        return f"All steps are done. k keeps it; else it is taken back at {step_text.clock(progress.waiting)}."
    number, steps = progress.current, progress.plan.steps
    now = f"now: {step_text.title(steps[number - 1])}{counted}" if number else "now: starting"
    if stopping:
        return f"{now}; then it stops, as asked"
    follows = number + 1 if number else 1
    return f"{now}\nnext: {step_text.title(steps[follows - 1]) if follows <= len(steps) else 'nothing more'}"


def verdict(progress: RunProgress) -> str:
    """What came of it and what to do."""
    match progress.result:
        case "done" if progress.plan.undoes:
            return f"Done: run {short(progress.plan.undoes)} is taken back."
        case "done":
            return "Done."
        case "rolled_back" if not progress.failed:
            return f"{progress.why.capitalize()}: what had been done was taken back, the node is as it was."
        case "rolled_back":
            return f"Step {progress.failed} failed: {progress.why}. What had been done was taken back: the node is as it was."
        case "refused":
            return f"Refused, nothing was done: {progress.why}. Go back to the preview; r reads the node anew."
        case "stopped":
            return (
                f"Stopped after {progress.done} steps, as asked. r goes on, u takes back what was done, l leaves it so."
            )
    what = f"Step {progress.failed} failed: {progress.why}." if progress.failed else "It did not come to its end."
    return (
        f"{what} {progress.done} steps are done. r tries again from there, u takes back what was done, l leaves it so."
    )
