"""The plan: what is to be done to a node, as data. It is shown, saved, and run; nothing is made up in between.

The JSON form is an outside contract: names here are names there.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from wizard import user_files
from wizard.errors import InputError
from wizard.hashing import digest
from wizard.model.base import Model
from wizard.model.findings import Finding
from wizard.redaction import redacted, redacted_data
from wizard.version import version

FORMAT: Final = "compute-wizard.plan/1"
ANEW = "Make it anew with `compute-wizard plan --out FILE`."
GUESTS_TOUCHED: Final = "GUESTS-TOUCHED"  # the code of the finding that asks for a word of its own
PHASES = ("check", "files", "test", "boot", "live", "services", "last")

Phase = Literal["check", "files", "test", "boot", "live", "services", "last"]
Label = Literal["reboot", "power-cycle", "restarts-service", "drops-network", "one-way"]
UndoWhen = Literal["before_files", "after_files", "last"]
LIMIT = 256 * user_files.MIB  # bytes of a saved plan; it carries files of up to 16 MiB, and their differences


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
"""What a command has to have made. It is looked for in what was made: an exit status of 0 proves little."""


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


class NodeName(Model):
    hostname: str
    os: str
    nova: str | None


class KernelLine(Model):
    """The kernel's command line; None where it is not known."""

    now: str | None
    after_reboot: str | None


class ControllerStep(Model):
    """Something to be done elsewhere: an option of a service on the controller, or a command (`op` run)."""

    order: int = 0
    service: str
    file: str = ""
    section: str = ""
    option: str = ""
    op: Literal["append", "set", "append_to_list", "run"]
    value: str
    restart: str = ""
    why: str = ""


class LaterWork(Model):
    """Something that was changed after the run that is to be taken back: three versions of it, as differences.

    `merge` is what a merge would do to it; None where it is not clean. `choice` is what is to be done; None: not said.
    """

    path: str
    run_changed: str
    changed_since: str
    merge: str | None = None
    choice: Literal["keep", "restore", "merge"] | None = None


class Plan(Model):
    """All of it. `complete` is false where something was masked: such a plan cannot be applied."""

    format: Literal["compute-wizard.plan/1"] = FORMAT
    complete: bool = True
    node: NodeName
    answers: dict[str, Any] = Field(default_factory=dict)
    expects: tuple[Expect, ...] = ()
    steps: tuple[Step, ...] = ()
    kernel_command_line: KernelLine = KernelLine(now=None, after_reboot=None)
    controller: tuple[ControllerStep, ...] = ()
    findings: tuple[Finding, ...] = ()
    blocked: tuple[str, ...] = ()  # chapters that a finding stops, and those that need them
    undoes: str | None = None  # the run that this plan takes back
    later_work: tuple[LaterWork, ...] = ()  # what was changed after that run

    @property
    def needs_reboot(self) -> bool:
        return any({"reboot", "power-cycle"} & set(step.labels) for step in self.steps)

    @property
    def word(self) -> str:
        """What is to be typed to start it: one-way for what cannot be undone, guests where guests may be interrupted, else yes."""
        if any("one-way" in step.labels for step in self.steps):
            return "one-way"
        return "guests" if any(finding.code == GUESTS_TOUCHED for finding in self.findings) else "yes"

    @property
    def stopped(self) -> bool:
        """A finding blocks something that was asked for: nothing of this plan is applied."""
        return bool(self.blocked) or (
            self.undoes is not None and any(finding.severity == "blocks" for finding in self.findings)
        )

    def masked(self) -> Plan:
        """The plan without the content of files that may hold secrets, or that looks so; complete only if there was none."""
        steps: list[Any] = []
        complete = self.complete
        for step in self.steps:
            if isinstance(step, WriteFile) and (step.secret or step.after.looks_secret):
                hidden = step.after.model_copy(update={"content": None, "content_base64": None})
                steps.append(step.model_copy(update={"after": hidden}))
                complete = False
            else:
                steps.append(step)
        data = self.model_copy(update={"steps": tuple(steps)}).model_dump(mode="json")
        shown = redacted_data(data)
        return Plan.model_validate({**shown, "complete": complete and shown == data})

    def to_json(self) -> str:
        """As it is saved; two blanks a level, a final newline. ASCII: a path need not be UTF-8, and is given back as it is."""
        return json.dumps(self.model_dump(), indent=2) + "\n"


def load(path: Path) -> Plan:
    """Read a saved plan. Raises InputError where it is not one."""
    plan = from_json(user_files.text(path, LIMIT), str(path))
    for number, step in enumerate(plan.steps, 1):
        if isinstance(step, WriteFile) and plan.complete:
            try:
                step.after.data()
            except InputError as error:
                raise InputError(
                    f"step {number}, {step.path}: {error.what}", where=str(path), do=error.do, code="PLAN-INVALID"
                ) from None
    return plan


def from_json(text: str, where: str) -> Plan:
    """A plan from its JSON. Raises InputError with the field that is wrong."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"is not a plan of this tool: it is not JSON ({error})", where=where, do=ANEW, code="PLAN-INVALID"
        ) from None
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        first = next((each for each in error.errors() if each["type"] in _OF_ANOTHER_FORM), error.errors()[0])
        made = _made_by(data)
        if made is not None and made != version() and first["type"] in _OF_ANOTHER_FORM:
            raise InputError(
                f"was made by version {made} of this tool; this is {version()}, which does not know its form "
                f"({_place(first['loc'])}: {first['msg']})",
                where=where,
                do=f"Use it with version {made}. {ANEW}",
                code="PLAN-INVALID",
            ) from None
        form = data.get("format") if isinstance(data, dict) else None
        if made is None and isinstance(form, str) and re.fullmatch(r"compute-wizard\.plan/([2-9]|[1-9]\d{1,8})", form):
            raise InputError(
                f"was made by a newer version of this tool ({form}; this one knows {FORMAT})",
                where=where,
                do=f"Use it with that version. {ANEW}",
            ) from None
        field, what = _place(first["loc"]), first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"is not a plan of this tool: {field + ': ' if field else ''}{what}",
            where=where,
            do=ANEW,
            code="PLAN-INVALID",
        ) from None


_OF_ANOTHER_FORM = ("extra_forbidden", "union_tag_invalid", "literal_error", "missing")


def _made_by(data: Any) -> str | None:
    """The version that a plan says it was made by; None where it says none."""
    expects = data.get("expects") if isinstance(data, dict) else None
    for each in expects if isinstance(expects, list) else ():
        if isinstance(each, dict) and each.get("kind") == "tool_version" and isinstance(each.get("value"), str):
            return str(each["value"])[:40]
    return None


def _place(parts: tuple[int | str, ...]) -> str:
    """Where in a plan, for people: steps are counted as the preview does."""
    if parts[:1] == ("steps",) and len(parts) > 1 and isinstance(parts[1], int):
        return ", ".join([f"step {parts[1] + 1}", *([".".join(map(str, parts[3:]))] if parts[3:] else [])])
    return ".".join(map(str, parts))
