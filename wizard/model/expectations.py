"""What a plan expects to find, as data: where one of them is otherwise, the plan is refused. Names here are those of its JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wizard.model.base import Model


class ExpectFile(Model):
    """The file is as it was when the plan was made; `sha256` None: there is none.

    `real` is where the path leads, every link resolved; `attributes` is the sha256 of its extended attributes, ACLs among
    them. What is None besides `sha256` was not known, and is not compared.
    """

    kind: Literal["file"] = "file"
    path: str
    sha256: str | None
    mode: str | None = None
    owner: str | None = None
    real: str | None = None
    attributes: str | None = None


class ExpectLink(Model):
    """A symbolic link on the way to a file: its target as it is written."""

    kind: Literal["link"] = "link"
    path: str
    target: str


class ExpectAttribute(Model):
    """A kernel attribute: a small file in /sys or /proc, without its line end."""

    kind: Literal["attribute"] = "attribute"
    path: str
    value: str | None


class ExpectCommand(Model):
    """A command is the very file that it was: where PATH finds it, and its sha256, which says more than a version does."""

    kind: Literal["command"] = "command"
    name: str
    path: str
    sha256: str


class ExpectRun(Model):
    """The run that this plan undoes, or one that undoes it or its undo, is as it was read: the sha256 of what its journal tells
    (:mod:`wizard.runs.overtaken`). `newest` is the newest run there was: none began since."""

    kind: Literal["run"] = "run"
    run: str
    sha256: str
    newest: str


class ExpectValue(Model):
    """Something of the whole node: the boot, the machine, the tool that made the plan."""

    kind: Literal["boot_id", "machine_id", "tool_version"]
    value: str


Expect = Annotated[
    ExpectFile | ExpectLink | ExpectAttribute | ExpectCommand | ExpectRun | ExpectValue, Field(discriminator="kind")
]
