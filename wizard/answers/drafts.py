"""The answers of a session that is not finished."""

from __future__ import annotations

import re
from pathlib import Path

from wizard import locations
from wizard.answers import files as answer_files
from wizard.errors import WizardError
from wizard.model.answers import AllAnswers
from wizard.user_files import own_directory, write_private


def _draft(root: str) -> Path:
    """One draft a node: named by its root, kept in the system's or the user's own state directory."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", str(Path(root).resolve())).strip("-") or "this-node"
    return locations.state() / "drafts" / f"{name}.toml"


def save_draft(root: str, answers: AllAnswers) -> None:
    """Keep the answers of a session that is not finished. A draft that cannot be kept is no reason to stop."""
    path = _draft(root)
    try:
        own_directory(path.parent.parent, path.parent)
        write_private(path, answer_files.to_toml(answers).encode())
    except (OSError, WizardError):
        return


def load_draft(root: str) -> AllAnswers | None:
    """The answers of the last session, or None."""
    path = _draft(root)
    try:
        return answer_files.load(path) if path.exists() else None
    except (OSError, WizardError):
        return None


def forget_draft(root: str) -> None:
    """The draft was used, or is not wanted."""
    _draft(root).unlink(missing_ok=True)
