"""Where files of this tool belong, of a user and of the system."""

from __future__ import annotations

from platformdirs import PlatformDirs

DIRECTORIES = PlatformDirs("compute-wizard", appauthor=False)
