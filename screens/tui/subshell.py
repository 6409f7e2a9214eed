"""A shell in the terminal of the wizard, which waits meanwhile."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from textual.app import App, SuspendNotSupported

FALLBACK = "/bin/sh"
SHELL = "This is a shell on this machine, with the rights of the wizard."
REAL = (
    "This is a shell on the REAL machine, with your rights: what is done here is\n"
    "done, and is no simulation. Only the files in this directory are the simulated\nnode's."
)


def open_shell(app: App[int], directory: str | None) -> str:
    """Hand the terminal to the user's shell until it ends; gives why that cannot be, or "".

    `directory` is where it starts: for a simulated node, its own files.
    """
    words = [os.environ.get("SHELL") or FALLBACK]
    if not Path(words[0]).is_file():
        words = [FALLBACK]
    try:
        with app.suspend():
            print(f"\n{REAL if directory else SHELL} `exit` comes back to the wizard.", flush=True)
            subprocess.run(words, check=False, cwd=directory)
    except SuspendNotSupported:
        return "this terminal cannot be handed to a shell"
    except OSError as error:
        return f"{words[0]} cannot be started: {error.strerror}"
    app.refresh(layout=True)
    return ""
