"""What is said when the wizard is left: what stands, what is still to come, and how to come back."""

from __future__ import annotations

from screens.shared import status
from screens.shared.page_order import short
from screens.shared.state import State


def parting(state: State, simulated: bool) -> list[str]:
    """Lines for the terminal; none where nothing was done and nothing waits."""
    facts = state.facts
    if facts is None:
        return []
    if simulated:
        return ["The simulated node is gone with everything that was done to it."] if state.runs else []
    found = []
    last = facts.history.last
    badge = status.badge(state)
    if state.running and state.run is not None:
        found.append(f"Run {short(state.run)} continues in the background; `compute-wizard` shows it again.")
    elif badge is status.FAILED:
        run = state.run or (last.id if last else "")
        found.append(
            f"Run {short(run)} stopped on its way: `compute-wizard history` shows it, `compute-wizard` goes on or undoes it."
        )
    elif badge is status.REBOOT_NEEDED:
        found.append("A reboot is pending; then run `compute-wizard verify`.")
    plan = state.current
    if state.runs and plan is not None and plan.controller:
        found.append(
            f"On the controller: {len(plan.controller)} things are to be done there; `compute-wizard plan` lists them."
        )
    if plan is not None and plan.steps and not state.runs:
        found.append("The answers are kept as a draft; nothing was changed. `compute-wizard` starts with them again.")
    return found
