"""The configuration file: a few settings of a person or of a node, never anything that changes what is done to a node.

For one user first, then for everybody, each where platformdirs has it; the environment wins. The paths are computed here,
since this is on the way of every start: without a file nothing is imported, and little is looked at.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from wizard.errors import InputError

NAME = "compute-wizard/config.toml"
FACES = ("auto", "full", "console", "plain")
SETTINGS = {"ui": "COMPUTE_WIZARD_UI", "theme": "TEXTUAL_THEME", "output": "COMPUTE_WIZARD_OUTPUT"}
"""Each setting, and the variable by which the program reads it."""
LIMIT = 64 * 1024  # bytes


def paths(environment: MutableMapping[str, str] = os.environ) -> tuple[str, str]:
    """Where the file of the user is, and where that for everybody."""
    own = environment.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")  # noqa: PTH111
    everybody = environment.get("XDG_CONFIG_DIRS", "").split(os.pathsep)[0].strip() or "/etc/xdg"
    return f"{own}/{NAME}", f"{everybody}/{NAME}"


def into(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that no one has set. Raises InputError where a file is wrong."""
    for path in paths(environment):
        if os.path.exists(path):  # noqa: PTH110
            for key, value in read(Path(path)).items():
                environment.setdefault(SETTINGS[key], value)


def read(path: Path) -> dict[str, str]:
    """The settings of a file, checked. Raises InputError with the key that is wrong."""
    from wizard import toml, user_files

    try:
        data = toml.loads(user_files.text(path, LIMIT))
    except ValueError as error:
        raise InputError(f"is not TOML: {error}", where=str(path), do="Fix that place.", code="CONFIG") from None
    for key, value in data.items():
        problem = _problem(key, value)
        if problem:
            raise InputError(
                f"{key}: {problem}", where=str(path), do=f"Known are: {', '.join(SETTINGS)}.", code="CONFIG"
            )
    return {key: os.path.expanduser(value) if key == "output" else value for key, value in data.items()}  # noqa: PTH111


def _problem(key: str, value: object) -> str:
    if key not in SETTINGS:
        return "is not a known setting"
    if not isinstance(value, str) or not value or not value.isprintable():
        return "has to be a string"
    if key == "ui" and value not in FACES:
        return f"has to be one of {', '.join(FACES)}"
    if key == "theme" and not value.replace("-", "").isalnum():
        return "is no name of a theme"
    if key == "output" and not value.startswith(("/", "~")):
        return "has to be a whole path, or one that begins with ~"
    return ""


def output(environment: MutableMapping[str, str] = os.environ) -> Path:
    """The directory for files that are written without a name being said; the current one where none is set."""
    return Path(environment.get("COMPUTE_WIZARD_OUTPUT") or ".")
