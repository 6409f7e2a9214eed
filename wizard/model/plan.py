"""The plan: what is to be done to a node, as data. It is shown, saved, and run; nothing is made up in between.

The JSON form is an outside contract: names here are names there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from wizard import user_files
from wizard.errors import InputError
from wizard.model.base import Model
from wizard.model.expectations import Expect
from wizard.model.findings import Finding
from wizard.model.steps import Step, WriteFile
from wizard.redaction import redacted_data
from wizard.version import version

FORMAT: Final = "compute-wizard.plan/1"
ANEW = "Make it anew with `compute-wizard plan --out FILE`."
GUESTS_TOUCHED: Final = "GUESTS-TOUCHED"  # the code of the finding that asks for a word of its own
LIMIT = 256 * user_files.MIB  # bytes of a saved plan; it carries files of up to 16 MiB, and their differences


"""What a command has to have made. It is looked for in what was made: an exit status of 0 proves little."""


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
