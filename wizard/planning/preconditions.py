"""What a plan starts from, and what must not have changed when it is run: files, links, attributes, commands, the node.

Left out is what changes by itself on a busy node: times of files, taps, pids and pid files, other chains and rules, leases,
use counts, what is free on a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wizard.errors import NodeError
from wizard.facts.facts import Facts
from wizard.hashing import attributes_digest, digest
from wizard.model.expectations import Expect, ExpectAttribute, ExpectCommand, ExpectFile, ExpectLink, ExpectValue
from wizard.model.steps import RemoveFile, RunCommand, Step, WriteFile
from wizard.version import version


def expected(
    facts: Facts, paths: Iterable[str], steps: Sequence[Step], attributes: Mapping[str, str] | None = None
) -> tuple[Expect, ...]:
    """Everything that a plan of these steps expects: the files at `paths`, kernel attributes with their values, the commands
    of the steps, and the node itself."""
    found: list[Expect] = []
    links: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        found += _file(facts, path)
        links.update(facts.files.links(path))
    found += [ExpectLink(path=path, target=target) for path, target in links.items()]
    found += [ExpectAttribute(path=path, value=value) for path, value in (attributes or {}).items()]
    found += _commands(facts, steps)
    if facts.system.boot_id:
        found.append(ExpectValue(kind="boot_id", value=facts.system.boot_id))
    if facts.system.machine_id:
        found.append(ExpectValue(kind="machine_id", value=facts.system.machine_id))
    found.append(ExpectValue(kind="tool_version", value=version()))
    return tuple(found)


def _file(facts: Facts, path: str) -> Iterable[Expect]:
    try:
        snapshot = facts.files.get(path)
    except NodeError:
        return
    if snapshot is None:
        yield ExpectFile(path=path, sha256=None, real=facts.files.destination(path))
        return
    yield ExpectFile(
        path=path,
        sha256=digest(snapshot.content),
        mode=f"{snapshot.mode:04o}",
        owner=snapshot.owner,
        real=snapshot.real,
        attributes=None if snapshot.attributes is None else attributes_digest(snapshot.attributes),
    )


def _commands(facts: Facts, steps: Iterable[Step]) -> Iterable[Expect]:
    """The commands of the steps and those that take them back; not those that the plan itself writes or removes."""
    own = {step.path for step in steps if isinstance(step, WriteFile | RemoveFile)}
    runs = [step for step in steps if isinstance(step, RunCommand)]
    names = dict.fromkeys(words[0] for step in runs for words in (step.argv, step.undo) if words)
    for name in names:
        path = name if "/" in name else facts.files.command(name)
        if path is None or path in own:
            continue
        try:
            snapshot = facts.files.get(path)
        except NodeError:
            continue
        if snapshot is not None:
            yield ExpectCommand(name=name, path=path, sha256=digest(snapshot.content))
