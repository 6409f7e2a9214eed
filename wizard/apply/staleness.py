"""Is the node still what the plan was made for? Everything that is not is named.

A run that goes on is asked the same, less what it did itself: a file that it wrote has to be as it left it, one that it has
not come to has to be as the plan found it. A reboot in between is no obstacle to going on: a power cut is one.
"""

from __future__ import annotations

from wizard.errors import InputError, NodeError, NotThere, Refused
from wizard.facts.system import hostname, machine_id
from wizard.hashing import attributes_digest, digest
from wizard.model.expectations import ExpectAttribute, ExpectCommand, ExpectFile, ExpectLink, ExpectRun, ExpectValue
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, RunCommand, WriteFile, WriteSysfs
from wizard.node.node import Node
from wizard.runs import history
from wizard.runs import records as run_records
from wizard.runs.overtaken import story
from wizard.runs.records import Record
from wizard.runs.run_state import RunState
from wizard.version import version

WORDS = {"boot_id": "the node was rebooted since", "machine_id": "the plan was made for another machine"}
MOST = 10  # differences that are told; a plan for another node has one for nearly everything


def differences(node: Node, plan: Plan, record: Record | None = None) -> list[str]:
    """One sentence for each thing that the plan expects and that is otherwise now. With the record of a run of this plan
    that had begun: what is otherwise than that run found or left it."""
    done = _Done(plan, record)
    found: list[str] = []
    for expected in plan.expects:
        match expected:
            case ExpectFile():
                found += _any_of(node, done.files(expected))
            case ExpectLink():
                found += _link(node, expected)
            case ExpectAttribute() if not done.sets(expected.path, node.text(expected.path)):
                found += _attribute(node, expected)
            case ExpectCommand():
                found += _command(node, expected)
            case ExpectRun():
                found += _run(node, expected)
            case ExpectValue() if record is None or expected.kind != "boot_id":
                found += _value(node, expected)
            case _:
                pass
    return [*found, *_another_host(node, plan)] if record is None or record.begun is None else found


def _another_host(node: Node, plan: Plan) -> list[str]:
    """A plan of a node without a machine id is known by its name alone."""
    if any(isinstance(each, ExpectValue) and each.kind == "machine_id" for each in plan.expects):
        return []
    now = hostname(node)
    if not plan.node.hostname or now == plan.node.hostname:
        return []
    return [f"the plan was made for {plan.node.hostname}, and this is {now or 'a node without a name'}"]


def missing_commands(node: Node, plan: Plan) -> list[str]:
    """Commands that the steps need, and that this node does not have and the plan does not write."""
    written = {step.path for step in plan.steps if isinstance(step, WriteFile)}
    names = dict.fromkeys(
        step.argv[0] for step in plan.steps if isinstance(step, RunCommand) and step.argv[0] not in written
    )
    return [
        f"there is no command {name} on this node"
        for name in names
        if not (node.exists(name) if "/" in name else node.command(name))
    ]


class _Done:
    """What a run of the plan did already, so that it is no surprise."""

    def __init__(self, plan: Plan, record: Record | None) -> None:
        self._steps = {
            step.path: (number, step)
            for number, step in enumerate(plan.steps, 1)
            if isinstance(step, WriteFile | RemoveFile)
        }
        self._record = record if record is not None and record.begun is not None else None
        touched = [plan.steps[n - 1] for n in self._record.touched] if self._record else []
        self._set = {step.path for step in touched if isinstance(step, WriteSysfs)}
        self._values = {
            (step.path, value)
            for step in plan.steps
            if isinstance(step, WriteSysfs)
            for value in (step.before, step.after)
        }
        self._commands_ran = any(isinstance(step, RunCommand) and step.phase != "test" for step in touched)

    def sets(self, path: str, now: str | None) -> bool:
        """Whether the run may set that attribute whatever it is, or on from this value: where the power was cut between
        enabling a unit and setting the attribute, the unit has set it at the boot."""
        return self._record is not None and (path in self._set or (path, now) in self._values)

    def files(self, expected: ExpectFile) -> list[ExpectFile]:
        """The states in which a file may be found; none where commands of the run may have changed it."""
        number, step = self._steps.get(expected.path, (0, None))
        if self._record is None:
            return [expected]
        if step is None:
            return [] if self._commands_ran else [expected]
        if number not in self._record.started or number in self._record.skipped:
            return [expected]
        after = _after(step, expected)
        return [after] if number in self._record.held and not self._record.rolling_back else [expected, after]


def _after(step: WriteFile | RemoveFile, expected: ExpectFile) -> ExpectFile:
    if isinstance(step, RemoveFile):
        return ExpectFile(path=step.path, sha256=None, real=expected.real)
    # the owner is not compared: who may not give files away gets a note about it, and goes on
    return ExpectFile(path=step.path, sha256=step.after.sha256, mode=step.after.mode, real=expected.real)


def _any_of(node: Node, states: list[ExpectFile]) -> list[str]:
    found = [_file(node, state) for state in states]
    return found[-1] if found and all(found) else []


def _file(node: Node, expected: ExpectFile) -> list[str]:
    path = expected.path
    try:
        real = node.destination(path)
        if expected.real not in (None, real):
            return [f"{path} led to {expected.real}, and leads to {real} now"]
        content = node.read(path)
        status = node.status(path)
        attributes = node.attributes(path)
    except NotThere:
        return [] if expected.sha256 is None else [f"{path} is gone"]
    except NodeError as error:
        return [f"{path} {error.what}"]
    if expected.sha256 is None:
        return [f"{path} was not there, and is now"]
    if digest(content) != expected.sha256:
        return [f"{path} has another content"]
    if status is not None and expected.mode not in (None, f"{status.mode:04o}"):
        return [f"{path} had mode {expected.mode}, and has {status.mode:04o} now"]
    if status is not None and expected.owner not in (None, status.owner):
        return [f"{path} belonged to {expected.owner}, and belongs to {status.owner} now"]
    if attributes is not None and expected.attributes not in (None, attributes_digest(attributes)):
        return [f"{path} has other extended attributes or another ACL"]
    return []


def _link(node: Node, expected: ExpectLink) -> list[str]:
    now = node.link(expected.path)
    if now == expected.target:
        return []
    what = f"leads to {now} now" if now is not None else "is no link now"
    return [f"{expected.path} was a link to {expected.target}, and {what}"]


def _attribute(node: Node, expected: ExpectAttribute) -> list[str]:
    now = node.text(expected.path)
    if now == expected.value:
        return []
    return [f"{expected.path} was {expected.value}, and is {now if now is not None else 'not there'} now"]


def _command(node: Node, expected: ExpectCommand) -> list[str]:
    path = expected.name if "/" in expected.name else node.command(expected.name)
    if path is None or not node.exists(path):
        return [f"the command {expected.name} is gone (it was {expected.path})"]
    if path != expected.path:
        return [f"the command {expected.name} was {expected.path}, and is {path} now"]
    try:
        now = digest(node.read(path))
    except NodeError as error:
        return [f"the command {path} {error.what}"]
    return [] if now == expected.sha256 else [f"the command {path} is another one now: another version was installed"]


def _run(node: Node, expected: ExpectRun) -> list[str]:
    where = f"{run_records.RUNS}/{expected.run}/journal.jsonl"
    try:
        now = story(run_records.parse(node.read(where), where))
    except NodeError as error:
        return [f"{where} {error.what}"]
    if now == expected.sha256:
        return []
    return [f"run {expected.run} is not as it was when this undo was planned: it went on, or was undone, since"]


def _value(node: Node, expected: ExpectValue) -> list[str]:
    if expected.kind == "tool_version":
        return (
            []
            if expected.value == version()
            else [f"the plan was made by version {expected.value}, this is {version()}"]
        )
    now = machine_id(node) if expected.kind == "machine_id" else node.text("/proc/sys/kernel/random/boot_id")
    if now == expected.value:
        return []
    return [WORDS[expected.kind]]


def refuse_if_stale(node: Node, plan: Plan, record: Record | None = None, *, live: bool = False) -> None:
    """Raises Refused naming everything that changed; InputError for a plan that was masked."""
    if not plan.complete:
        raise InputError(
            "the plan is not complete: secrets were masked in it",
            do="Save it with `plan --out FILE`.",
            code="PLAN-MASKED",
        )
    found = [*differences(node, plan, record), *(missing_commands(node, plan) if live else ())]
    if not found:
        return
    if record is None or record.begun is None:
        raise Refused(_told(found), do="Nothing was changed. Make the plan anew, and look at it again.", code="STALE")
    raise Refused(
        f"the run cannot go on: {_told(found)}",
        do="Put that back and resume; or take the run back with `undo`; or plan again: a plan holds what is still to be done.",
        code="STALE",
    )


def _told(found: list[str]) -> str:
    """One difference a line, no more than can be taken in. Another machine comes first: the others follow from it."""
    ordered = sorted(found, key=lambda each: each != WORDS["machine_id"])
    more = len(ordered) - MOST
    lines = [*ordered[:MOST], *([f"and {more} more"] if more > 0 else [])]
    return "\n  ".join(lines)


def refuse_if_used(node: Node, plan: Plan, record: Record | None = None) -> None:
    """A plan is used once: what it expects would not be so a second time, and a slip is nearer than an intention.

    Used is what began: a start that died before touched nothing, and may be repeated. After a run was taken back, a plan
    that is made anew may be the same to the byte: that is another use. It is the same, too, after a run that was cut before it
    changed anything: that one is to go on. Raises Refused.
    """
    if not plan.steps or (record is not None and record.begun is not None):
        return
    own = digest(plan.to_json().encode())
    states = {run.id: run.state for run in history.read(node).runs}
    for name in run_records.run_ids(node):
        state = states.get(name)
        other = run_records.read_record(node, name) if state not in (RunState.UNDONE, RunState.ROLLED_BACK) else None
        if other is not None and other.begun is not None and other.begun.get("plan_sha256") == own:
            cut = state is not None and state.resumable
            raise Refused(
                f"this plan was used already, by run {name}{f', which is {state}' if cut else ''}",
                do=f"`compute-wizard resume {name}` goes on with it." if cut else "Make it anew.",
                code="PLAN-USED",
            )
