"""The tool's own files: runs below the node's state directory, drafts where the user may keep them."""

from __future__ import annotations

import datetime
import fcntl
import os
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import PlatformDirs

from wizard import answer_files
from wizard.answers import AllAnswers
from wizard.errors import InputError, WizardError
from wizard.formats.secrets import redacted
from wizard.node.recorded import DirectoryNode
from wizard.node.run_records import STATE, age
from wizard.private import sync_directory, write_private

DIRECTORIES = PlatformDirs("compute-wizard", appauthor=False)


def state_directory(root: Path) -> Path:
    """Where runs of a node are kept: /var/lib/compute-wizard below its root; links above it are resolved inside the root.

    What lies at that very name is not followed: see :mod:`wizard.apply.trust`.
    """
    above, name = posixpath.split(STATE)
    node = DirectoryNode(root)
    return node.place(node.destination(above)) / name


def runs(root: Path) -> list[Path]:
    """The directories of past runs, oldest first."""
    try:
        found = [entry for entry in (state_directory(root) / "runs").iterdir() if age(entry.name)[0]]
    except OSError:
        return []
    return sorted(found, key=lambda entry: age(entry.name))


def run_directory(root: Path, run: str) -> Path:
    """The directory of one run. Raises InputError where there is none."""
    place = state_directory(root) / "runs" / run
    if "/" in run or not place.is_dir():
        raise InputError(f"there is no run {run}", do="`compute-wizard history` lists them.")
    return place


def new_run(root: Path) -> tuple[str, Path]:
    """A name and a directory for a new run. The number makes the order: a clock may jump back."""
    try:
        _own(state_directory(root), state_directory(root) / "runs")
        with _alone(state_directory(root) / "runs"):
            number = max((age(entry.name)[0] for entry in runs(root)), default=0) + 1
            name = f"{number:04}-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}"
            place = state_directory(root) / "runs" / name
            place.mkdir(mode=0o700)
        for directory in (place.parent, state_directory(root), state_directory(root).parent):
            sync_directory(directory)
    except OSError as error:
        raise InputError(
            f"cannot be made: {error.strerror}",
            where=str(error.filename),
            do="The journal and the backups have to be kept there.",
        ) from None
    return name, place


def _own(*directories: Path) -> None:
    """Directories for their owner only, whoever made them; what lies above the first is none of ours. Raises OSError."""
    for directory in directories:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Two that start at once do not take the same number."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """A file of the tool, for its owner only, whole or not at all."""
    write_private(path, content)


def _draft(root: str) -> Path:
    """One draft a node: named by its root, kept in the system's or the user's own state directory."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", str(Path(root).resolve())).strip("-") or "this-node"
    base = Path(DIRECTORIES.site_state_dir) if os.geteuid() == 0 else Path(DIRECTORIES.user_state_dir)
    return base / "drafts" / f"{name}.toml"


def save_draft(root: str, answers: AllAnswers) -> None:
    """Keep the answers of a session that is not finished. A draft that cannot be kept is no reason to stop."""
    path = _draft(root)
    try:
        _own(path.parent.parent, path.parent)
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


def keep_report(text: str) -> Path | None:
    """Write down what went wrong inside this tool, without what looks like a secret; gives the file, or None where none can
    be written."""
    base = DIRECTORIES.site_log_dir if os.geteuid() == 0 else DIRECTORIES.user_log_dir
    path = Path(base) / f"defect-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    try:
        _own(path.parent)
        write_private(path, redacted(text).encode("utf-8", "backslashreplace"))
    except (OSError, WizardError):
        return None
    return path
