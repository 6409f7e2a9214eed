"""Answers as an Ansible playbook for any number of nodes: one that carries the answers and runs this tool on each node.

Not tasks that write the very files: nodes differ in cards, boot loader, release and owner of nova.conf, so each has to make its
own plan, and only the tool itself shows what it then runs, refuses what is stale, and takes it back. The playbook is the same
text for everybody; what was answered stays in a file of its own, which Ansible copies and never evaluates.
"""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wizard.errors import InputError
from wizard.model.answers import AllAnswers
from wizard.user_files import write_private
from wizard.version import version

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from importlib.resources.abc import Traversable
    else:
        from importlib.abc import Traversable

ANSWERS = "answers.toml"
PLAYBOOK = "playbook.yml"
OF_ONE_NODE = ("serial", "mac", "netdev", "address")


def write(directory: Path, answers: str) -> None:
    """Write the playbook and the answers (an answers file's text); what else lies there stays. Raises InputError."""
    files = dict(_files(resources.files("assets") / "export" / "ansible", ""))
    for name, content in {**files, ANSWERS: answers}.items():
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"no directory can be made there: {error.strerror}",
                where=str(directory),
                do="Name another place.",
                code="FILE-NOT-WRITTEN",
            ) from None
        write_private(path, content.encode())


def packed(answers: str) -> bytes:
    """The same as a tar."""
    files = dict(_files(resources.files("assets") / "export" / "ansible", ""))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in {**files, ANSWERS: answers}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content.encode()), 0o600
            archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def _files(place: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for item in place.iterdir():
        if item.is_dir():
            yield from _files(item, f"{prefix}{item.name}/")
        else:
            yield f"{prefix}{item.name}", item.read_text(encoding="utf-8").replace("@VERSION@", version())


def notes(answers: AllAnswers) -> list[str]:
    """What whoever plays it should know of these answers, a sentence each."""
    found = [] if answers.names() else ["nothing is answered: the playbook changes nothing on any node"]
    found += [
        f"{name} fits one node alone; vendor and product fit every node with such a card"
        for name in of_one_node(answers)
    ]
    if ("firmware", "set") in _fields(answers.to_data()):
        found.append(
            'firmware = "set" cannot be taken back: a node that needs it refuses, unless the playbook is run with '
            "-e compute_wizard_accept=one-way"
        )
    return found


def of_one_node(answers: AllAnswers) -> list[str]:
    """What names a device in a way that fits one node alone, such as 'serial MT1644X02937'; each once, in its order."""
    named = [f"{key} {value}" for key, value in _fields(answers.to_data()) if key in OF_ONE_NODE]
    return list(dict.fromkeys(named))


def _fields(data: Any) -> Iterator[tuple[str, str]]:
    """Every field that holds a text, wherever it stands."""
    if isinstance(data, list):
        for each in data:
            yield from _fields(each)
    elif isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str):
                yield key, value
            else:
                yield from _fields(value)
