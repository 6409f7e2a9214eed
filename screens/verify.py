"""Verify: is it so now, and will it be so after the next boot?"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from screens.base import Page
from wizard import report
from wizard.questions import Check

ORDER = {"failed": 0, "pending": 1, "unknown": 2, "held": 3}


class VerifyPage(Page):
    """The checks, the ones that failed first."""

    NAME = "verify"
    BINDINGS: ClassVar = [("v", "again", "again"), ("b", "reboot", "reboot")]

    def keys(self) -> str:
        reboot = "  b reboot (simulated)" if self.wizard.engine.simulation else ""
        return f"F1 help  q quit  v verify again{reboot}  h history  Esc back"

    def body(self) -> ComposeResult:
        facts = self.state.facts
        if facts is None:
            return
        found = self.wizard.engine.verify(facts, self.state.answers)
        yield Static(self.verdict(found), classes="why", markup=False)
        for check in sorted(found, key=lambda check: ORDER[check.state]):
            state = check.state.upper() if check.state == "failed" else check.state
            yield Static(report.printable(f"{state}: {check.what}"), markup=False)
            do = f"\n> {check.do}" if check.do and check.state != "held" else ""
            yield Static(report.printable(check.seen + do), markup=False, classes="seen")

    def verdict(self, found: list[Check]) -> str:
        """One sentence."""
        states = [check.state for check in found]
        if "failed" in states:
            return f"{states.count('failed')} of {len(found)} checks failed."
        if "pending" in states:
            return "All is in place; some of it waits for the reboot."
        if "unknown" in states:
            return "Nothing failed, but something could not be seen."
        return f"All {len(found)} checks held." if found else "Nothing is answered, so there is nothing to verify."

    def action_again(self) -> None:
        self.wizard.look("verify")

    def action_reboot(self) -> None:
        if self.wizard.engine.simulation:
            self.wizard.engine.reboot()
            self.wizard.look("verify")
