"""Is the node still what the plan was made for? Everything that is not is named."""

from __future__ import annotations

from wizard.errors import InputError, NodeError, NotThere, Refused
from wizard.node.node import Node
from wizard.node.system import machine_id
from wizard.plan import ExpectAttribute, ExpectFile, ExpectValue, Plan, digest
from wizard.version import VERSION


def differences(node: Node, plan: Plan) -> list[str]:
    """One sentence for each thing that the plan expects and that is otherwise now."""
    found: list[str] = []
    for expected in plan.expects:
        if isinstance(expected, ExpectFile):
            found += _file(node, expected)
        elif isinstance(expected, ExpectAttribute):
            now = node.text(expected.path)
            if now != expected.value:
                found.append(
                    f"{expected.path} was {expected.value}, and is {now if now is not None else 'not there'} now"
                )
        else:
            found += _value(node, expected)
    return found


def _file(node: Node, expected: ExpectFile) -> list[str]:
    path = expected.path
    try:
        content = node.read(path)
        status = node.status(path)
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
    return []


def _value(node: Node, expected: ExpectValue) -> list[str]:
    if expected.kind == "tool_version":
        return (
            [] if expected.value == VERSION else [f"the plan was made by version {expected.value}, this is {VERSION}"]
        )
    now = machine_id(node) if expected.kind == "machine_id" else node.text("/proc/sys/kernel/random/boot_id")
    if now == expected.value:
        return []
    words = {"boot_id": "the node was rebooted since", "machine_id": "the plan was made for another machine"}
    return [words[expected.kind]]


def refuse_if_stale(node: Node, plan: Plan) -> None:
    """Raises Refused naming everything that changed; InputError for a plan that was masked."""
    if not plan.complete:
        raise InputError("the plan is not complete: secrets were masked in it", do="Save it with `plan --out FILE`.")
    found = differences(node, plan)
    if found:
        raise Refused("; ".join(found), do="Nothing was changed. Make the plan anew, and look at it again.")
