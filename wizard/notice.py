"""A line at login that says that a run waits for its reboot, or to be verified after it.

What is installed reads one file of the tool's own state and is silent where that is not there: the runner writes it at the end of
a run that needs a reboot, `verify` removes it once all has held. Only root can read it, so only root is told.
"""

from __future__ import annotations

from pathlib import Path

from wizard import services
from wizard.node.facts import Facts
from wizard.private import write_private
from wizard.wants import Edit

PATH = "/etc/profile.d/compute-wizard-verify.sh"
DUE = "verify-due"


def wanted(facts: Facts) -> Edit | None:
    """The file that says it; None where no shell of this node would read it."""
    if not facts.system.profile_directory:
        return None
    return services.installed(
        PATH, services.asset("compute-wizard-verify.sh"), "says at login that verify is due; silent once it has held"
    )


def due(state: Path, run: str, boot_id: str) -> None:
    """From now on it is said; `state` is the tool's state directory."""
    write_private(state / DUE, f"{run} {boot_id}\n".encode())


def forget(state: Path) -> None:
    """It is said no more: all was verified, or the run was taken back."""
    (state / DUE).unlink(missing_ok=True)
