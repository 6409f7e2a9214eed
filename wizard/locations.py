"""Where files of this tool belong: the system's places for root, the user's own for others."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import PlatformDirs, user_config_dir

DIRECTORIES = PlatformDirs("compute-wizard", appauthor=False)


def state() -> Path:
    """The directory of what is kept between sessions."""
    return Path(DIRECTORIES.site_state_dir if os.geteuid() == 0 else DIRECTORIES.user_state_dir)


def preferences() -> Path:
    """The directory of what a user has chosen for the wizard's looks; root has one of its own, too."""
    return Path(user_config_dir("compute-wizard", appauthor=False))


def logs() -> Path:
    """The directory of reports of defects."""
    return Path(DIRECTORIES.site_log_dir if os.geteuid() == 0 else DIRECTORIES.user_log_dir)
