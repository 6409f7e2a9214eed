"""The file that says that a verification is due."""

from __future__ import annotations

from pathlib import Path

from wizard.user_files import write_private

DUE = "verify-due"


def due(state: Path, run: str, boot_id: str) -> None:
    """From now on it is said; `state` is the tool's state directory."""
    write_private(state / DUE, f"{run} {boot_id}\n".encode())


def forget(state: Path) -> None:
    """It is said no more: all was verified, or the run was taken back."""
    (state / DUE).unlink(missing_ok=True)
