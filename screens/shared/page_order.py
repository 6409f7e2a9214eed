"""The pages by their names, in their order; and what stands above all of them."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.safe_text import safe_text

PAGES = ("welcome", "devices", "iommu", "vfs", "passthrough", "gateways", "metadata", "preview", "apply", "verify")
TITLES = {
    "welcome": "Welcome",
    "devices": "Devices",
    "iommu": "IOMMU",
    "vfs": "VFs",
    "passthrough": "Passthrough",
    "gateways": "Gateways",
    "metadata": "Metadata",
    "preview": "Preview",
    "apply": "Apply",
    "verify": "Verify",
    "prove": "Proofs",
    "history": "History",
    "undo": "Take back",
}
CHAPTERS = ("iommu", "vfs", "passthrough", "gateways", "metadata")


def heading(app: object, text: str) -> str:
    """The status line of a screen outside the list of pages: a simulation says so there, too."""
    simulated = getattr(app, "simulation", False)
    return safe_text(f"{'SIMULATION' if simulated else 'compute-wizard'} | {text}")


def short(run: str) -> str:
    """A run by its number: what the command line takes, too."""
    return run.partition("-")[0]


def to_do(runs: Sequence[str]) -> str:
    """What these runs were to do, as the beginning of a sentence."""
    many = len(runs) != 1
    return f"What run{'s' * many} {', '.join(short(run) for run in runs)} {'were' if many else 'was'} to do"
