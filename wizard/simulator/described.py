"""A whole node in one TOML file: small enough to be read, and free of the links and colons that a wheel cannot carry."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from wizard import toml
from wizard.errors import InputError
from wizard.node.node import Output
from wizard.node.recorded import Entry, MemoryNode, accounts_of, command_files


def load(path: Path) -> MemoryNode:
    """Read a description. Raises InputError where it is not one."""
    return from_text(path.read_text(encoding="utf-8"), path.stem)


def from_text(text: str, name: str) -> MemoryNode:
    """The node that a description holds: `files`, `attributes`, `binary`, `links`, `directories`, `status`, `command`."""
    try:
        data: dict[str, Any] = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise InputError(f"is not TOML: {error}", where=name) from None
    node = MemoryNode(name)
    node.title = str(data.get("title", name))
    for place in data.get("directories", []):
        node.add(place, Entry("directory", mode=0o755))
    for path, content in data.get("files", {}).items():
        node.write(path, content)
    for directory, attributes in data.get("attributes", {}).items():
        node.add(directory, Entry("directory", mode=0o755))
        for attribute, value in attributes.items():
            node.write(f"{directory}/{attribute}", f"{value}\n")
    for path, content in data.get("binary", {}).items():
        node.write(path, base64.b64decode(content))
    for path, target in data.get("links", {}).items():
        node.symlink(path, target)
    for path, status in data.get("status", {}).items():
        mode, _, owner = status.partition(" ")
        entry = node.entries[path]
        entry.mode, entry.owner = int(mode, 8), owner or entry.owner
    for command in data.get("command", []):
        argv = tuple(command["argv"])
        node.commands[argv] = Output(
            argv, command.get("status", 0), command.get("stdout", ""), command.get("stderr", "")
        )
    return node


def materialise(node: MemoryNode, directory: Path) -> None:
    """Write a node out as a directory. Owners are set where this process may; its directories stay writable for it."""
    accounts = accounts_of(node)
    for path, entry in sorted(node.entries.items()):
        place = directory / path.lstrip("/")
        if entry.kind == "directory":
            place.mkdir(parents=True, exist_ok=True)
        elif entry.kind == "link":
            place.symlink_to(entry.target)
        else:
            place.write_bytes(entry.content)
            place.chmod(entry.mode)
        if os.geteuid() == 0:
            os.chown(place, *accounts.ids(entry.owner), follow_symlinks=False)
    for path, content in command_files(node.commands.values()).items():
        place = directory / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
