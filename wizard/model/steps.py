"""The steps of a plan, as data: what each does to a node, and how it is undone. Names here are those of the plan's JSON."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer

from wizard.errors import InputError
from wizard.hashing import digest
from wizard.model.base import Model
from wizard.redaction import redacted

PHASES = ("check", "files", "test", "boot", "live", "services", "last")

Phase = Literal["check", "files", "test", "boot", "live", "services", "last"]
Label = Literal["reboot", "power-cycle", "restarts-service", "drops-network", "one-way"]
UndoWhen = Literal["before_files", "after_files", "last"]


def _whole(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise ValueError(f"{path!r} is no whole path such as /etc/nova/nova.conf")
    return path


def _words(argv: tuple[str, ...]) -> tuple[str, ...]:
    if not argv or not argv[0] or any("\0" in word for word in argv):
        raise ValueError("a command needs at least its name, and its words hold no NUL")
    return argv


AbsolutePath = Annotated[str, AfterValidator(_whole)]
Argv = Annotated[tuple[str, ...], AfterValidator(_words)]
Mode = Annotated[str, Field(pattern=r"^[0-7]{4}$")]
Owner = Annotated[str, Field(pattern=r"^[^:\s]+:[^:\s]+$")]
Seconds = Annotated[int, Field(gt=0, le=86400)]


class FileState(Model):
    """What a file is: sha256 of its real content, mode as '0640', owner as 'root:nova'."""

    sha256: str
    mode: Mode
    owner: Owner


class FileContent(FileState):
    """What a file is to become. Content that is not UTF-8 is carried as base64; masked content is in neither field."""

    content: str | None = None
    content_base64: str | None = None

    @classmethod
    def of(cls, content: bytes, mode: int, owner: str) -> FileContent:
        """The state of a file with these bytes."""
        state = {"sha256": digest(content), "mode": f"{mode:04o}", "owner": owner}
        try:
            return cls(**state, content=content.decode())
        except UnicodeDecodeError:
            return cls(**state, content_base64=base64.b64encode(content).decode())

    @property
    def looks_secret(self) -> bool:
        """Something in it looks like a password, whoever wrote it there."""
        text = self.content or base64.b64decode(self.content_base64 or "").decode("latin-1")
        return redacted(text) != text

    def data(self) -> bytes:
        """The bytes to be written. Raises InputError where they are masked, or are not those that were planned."""
        if self.content is not None:
            content = self.content.encode()
        elif self.content_base64 is not None:
            try:
                content = base64.b64decode(self.content_base64, validate=True)
            except binascii.Error:
                raise InputError(
                    "the content is not base64: the plan was edited", do="Make the plan anew.", code="PLAN-INVALID"
                ) from None
        else:
            raise InputError(
                "the content is masked", do="Save a complete plan with `plan --out FILE`.", code="PLAN-MASKED"
            )
        if digest(content) != self.sha256:
            raise InputError(
                "the content is not what its sha256 says: the plan was edited",
                do="Make the plan anew.",
                code="PLAN-INVALID",
            )
        return content


class StepBase(Model):
    """What every step tells: which chapters asked for it, why, and what it does to the node.

    `id` is what it is found by in another plan: the chapter and a key of that chapter's; empty in plans of versions before it.
    """

    chapters: tuple[str, ...]
    phase: Phase
    why: tuple[str, ...]
    labels: tuple[Label, ...] = ()
    id: str = ""

    @model_serializer(mode="wrap")
    def _as_it_was_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A plan that was saved without ids is the same to the byte when it is saved again."""
        data: dict[str, Any] = handler(self)
        return data if self.id else {name: value for name, value in data.items() if name != "id"}


class WriteFile(StepBase):
    """Write a whole file: atomically, with its owner and mode, after what was there is in the backup."""

    kind: Literal["write_file"] = "write_file"
    path: AbsolutePath
    before: FileState | None
    after: FileContent
    diff: str
    secret: bool = False  # it may hold secrets: masked on stdout, and in the diff always
    attributes: dict[str, str] | None = (
        None  # extended ones, in base64, where they come back; None: the file's own stay
    )


class RemoveFile(StepBase):
    """Remove a file, after it is in the backup."""

    kind: Literal["remove_file"] = "remove_file"
    path: AbsolutePath
    before: FileState
    diff: str
    secret: bool = False


class WriteSysfs(StepBase):
    """One plain write to a kernel attribute, read back; `deadline_s` in seconds."""

    kind: Literal["set_attribute"] = "set_attribute"
    path: AbsolutePath
    before: str
    after: str
    deadline_s: Seconds = 60


class StopByPidfile(StepBase):
    """End the process whose pid is in `pidfile` when the step is run, if its command line holds `must_contain`.

    With `undo_when`, taking the run back does the same again, so that the process comes up with the old files.
    """

    kind: Literal["stop_by_pidfile"] = "stop_by_pidfile"
    pidfile: AbsolutePath
    must_contain: str
    deadline_s: Seconds = 15
    undo_when: UndoWhen | None = None


class KernelArgumentsPresent(Model):
    """Each entry of the boot menu, but those for recovery, holds all `words` and none of `without`; or the first one does:
    what somebody wrote by hand comes behind it, and is not to stand in the way of taking a run back."""

    kind: Literal["kernel_arguments"] = "kernel_arguments"
    words: tuple[str, ...]
    without: tuple[str, ...] = ()
    entries: Literal["all", "first"] = "all"


class HoldsFile(Model):
    """Each initramfs that has files of modprobe.d in it has this one as it is; none has it where `sha256` is None."""

    kind: Literal["initramfs_file"] = "initramfs_file"
    path: str
    sha256: str | None


Postcondition = Annotated[KernelArgumentsPresent | HoldsFile, Field(discriminator="kind")]


class RunCommand(StepBase):
    """Run a command: an argument list, never a shell string. `undo` takes it back, before or after the files return, or
    last of all and only if all else was taken back. The step holds once `proves` does. `failed_before`: it failed in the run that
    is taken back, too, so that a failure of it leaves nothing of that run."""

    kind: Literal["run"] = "run"
    argv: Argv
    undo: Argv | None = None
    undo_when: UndoWhen | None = None
    deadline_s: Seconds = 600
    proves: tuple[Postcondition, ...] = ()
    failed_before: bool = False


Step = Annotated[WriteFile | RemoveFile | WriteSysfs | StopByPidfile | RunCommand, Field(discriminator="kind")]


def found_by(step: Step) -> str:
    """What a command is found by in another plan: its id, or in a plan without ids its words. Empty for what is judged by what is
    there: files and attributes."""
    words = command(step)
    return words and (step.id or words)


def command(step: Step) -> str:
    """What a step has run or stopped, as it is shown; empty for files and attributes."""
    if isinstance(step, RunCommand):
        return " ".join(step.argv)
    return f"stop {step.pidfile}" if isinstance(step, StopByPidfile) else ""
