"""The directory in which a simulated node is played: what its kernel and its commands write, and what they remember."""

from __future__ import annotations

import json
import posixpath
import shutil
from pathlib import Path
from typing import Any

from wizard.errors import NotThere
from wizard.node.recorded import DirectoryNode

STATE = "/.compute-wizard/simulated.json"


class PlayedNode(DirectoryNode):
    """A directory that others play a node in."""

    def put(self, path: str, content: str | bytes) -> None:
        """Write a file of the simulated kernel or of a simulated command."""
        place = self.target(path)
        new = place.with_name(
            f"{place.name}.new"
        )  # as grub-mkconfig does: a command that is killed leaves the old file
        try:
            new.write_bytes(content.encode() if isinstance(content, str) else content)
            if place.exists():
                shutil.copymode(place, new)
            new.replace(place)
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def target(self, path: str) -> Path:
        """Where a file is, or will be once it is made."""
        try:
            return self.place(self.resolve(path))
        except NotThere:
            return self.place(self.resolve(posixpath.dirname(path))) / posixpath.basename(path)

    def enabled(self, name: str) -> bool:
        """Whether a unit or an upstart job of ours takes effect at boot."""
        return (
            self.exists(f"/etc/init/{name}.conf")
            or self.link(f"/etc/systemd/system/multi-user.target.wants/{name}.service") is not None
        )

    def state(self) -> dict[str, Any]:
        """What is remembered beside the files: the bridge rules, what mstconfig was told."""
        text = self.text(STATE)
        state: dict[str, Any] = json.loads(text) if text else {"rules": []}
        return state

    def remember(self, **changes: Any) -> None:
        """Change some of it."""
        place = self.place(STATE)
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_suffix(".new")
        new.write_text(json.dumps({**self.state(), **changes}), encoding="utf-8")
        new.rename(place)  # whole or not at all: the node itself does not break when its runner is killed

    def firmware(self) -> dict[str, dict[str, str]]:
        """What mstconfig was told, by PCI address."""
        told: dict[str, dict[str, str]] = self.state().get("firmware", {})
        return told
