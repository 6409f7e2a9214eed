"""What the wizard holds outside its widgets: facts, answers, the plan, and where the admin has been."""

from __future__ import annotations

from dataclasses import dataclass, field

from wizard.answers import AllAnswers
from wizard.node.facts import Facts
from wizard.plan import Plan

PAGES = ("welcome", "devices", "iommu", "vfs", "passthrough", "gateways", "metadata", "preview", "apply", "verify")
TITLES = {
    "devices": "Devices",
    "iommu": "IOMMU",
    "vfs": "VFs",
    "passthrough": "Passthrough",
    "gateways": "Gateways",
    "metadata": "Metadata",
    "preview": "Preview",
    "apply": "Apply",
    "verify": "Verify",
}
CHAPTERS = ("iommu", "vfs", "passthrough", "gateways", "metadata")


@dataclass
class State:
    """One object that handlers own; workers only send messages."""

    facts: Facts | None = None
    answers: AllAnswers = field(default_factory=AllAnswers)
    plan: Plan | None = None
    visited: set[str] = field(default_factory=set)
    run: str | None = None  # the run that is followed now
    runs: int = 0  # how many were started from here
    undo: Plan | None = None
    from_draft: bool = False

    def mark(self, page: str) -> str:
        """The state of a page in the list: [ok], [! ] needs attention, [x ] blocks, [  ] not visited."""
        if self.plan is not None and page in CHAPTERS:
            severities = {finding.severity for finding in self.plan.findings if finding.chapter == page}
            if "blocks" in severities or page in self.plan.blocked:
                return "[x ]"
            if "warns" in severities:
                return "[! ]"
        return "[ok]" if page in self.visited else "[  ]"
