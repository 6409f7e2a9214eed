"""The file that says that a verification is due."""

from __future__ import annotations

from pathlib import Path

from wizard.user_files import write_private

DUE = "verify-due"


def due(state: Path, run: str, boot_id: str) -> None:
    """From now on it is said; `state` is the tool's state directory."""
    write_private(state / DUE, f"{run} {boot_id}\n".encode())


def is_due(state: Path) -> bool:
    """Whether it is said at login; False where that may not be seen."""
    try:
        return (state / DUE).exists()
    except OSError:
        return False


def may_be_forgotten(all_held: bool, waiting: bool) -> bool:
    """Whether whoever looks may end the notice: all that the runs were asked for has held, and none waits for its reboot."""
    return all_held and not waiting


def forget(state: Path) -> None:
    """It is said no more: all was verified, or the run was taken back."""
    (state / DUE).unlink(missing_ok=True)
