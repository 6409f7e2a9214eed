"""What a user has chosen for the full face, kept in the user's own configuration directory."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path


def _file() -> Path:
    from wizard import locations

    return locations.preferences() / "face.json"


def theme() -> str:
    """The name of the theme that was chosen last; "" where none was, or where it cannot be read."""
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    name = kept.get("theme") if isinstance(kept, dict) else None
    return name if isinstance(name, str) else ""


def keep_theme(name: str) -> None:
    """Keep the name of a theme for the next start. A directory that cannot be written to is no reason to stop."""
    path = _file()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"theme": name}) + "\n", encoding="utf-8")
