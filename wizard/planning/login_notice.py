"""A line at login that says that a run waits for its reboot, or to be verified after it.

What is installed reads one file of the tool's own state and is silent where that is not there: the runner writes it at the end of
a run that needs a reboot, `verify --acknowledge` and the wizard's Verify remove it once all has held. Only root can read it, so only
root is told.
"""

from __future__ import annotations

from wizard import asset_text
from wizard.chapters.shared import init_system
from wizard.facts.facts import Facts
from wizard.model.changes import FileEdit

PATH = "/etc/profile.d/compute-wizard-verify.sh"


def wanted(facts: Facts) -> FileEdit | None:
    """The file that says it; None where no shell of this node would read it."""
    if not facts.system.profile_directory:
        return None
    return init_system.installed(
        PATH, asset_text.asset("compute-wizard-verify.sh"), "says at login that verify is due; silent once it has held"
    )
