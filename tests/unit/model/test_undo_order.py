"""One order of undoing: what it is, and that rollback, undo plan, rescue script and exported script all keep it."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import needs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.answers import suggestion
from wizard.apply import rescue_script, runner
from wizard.apply.backends import Announce, Tell, quiet
from wizard.apply.file_writer import Found, Tree
from wizard.apply.step_executor import StepExecutor
from wizard.export.script import script
from wizard.facts import facts
from wizard.model.plan import NodeName, Plan
from wizard.model.steps import (
    FileContent,
    FileState,
    RemoveFile,
    RunCommand,
    Step,
    StopByPidfile,
    WriteFile,
    WriteSysfs,
)
from wizard.model.undo_order import undo_order
from wizard.node.recorded import DirectoryNode
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs import store
from wizard.runs.journal import Journal
from wizard.runs.records import JOURNAL_FORMAT
from wizard.simulator.built_in import built_in, simulate

COMMON: dict[str, Any] = {"chapters": ("x",), "why": ("w",)}
BEFORE, AFTER = b"before\n", b"after\n"
Event = tuple[str, ...]


def file(path: str, new: bool = False) -> WriteFile:
    before = (
        None
        if new
        else FileState(sha256=FileContent.of(BEFORE, 0o600, "root:root").sha256, mode="0600", owner="root:root")
    )
    after = FileContent.of(AFTER + path.encode(), 0o600, "root:root")
    return WriteFile(path=path, before=before, after=after, diff="", phase="files", **COMMON)


def removed(path: str) -> RemoveFile:
    state = FileContent.of(BEFORE, 0o600, "root:root")
    before = FileState(sha256=state.sha256, mode="0600", owner="root:root")
    return RemoveFile(path=path, before=before, diff="", phase="files", **COMMON)


def value(path: str, before: str, after: str) -> WriteSysfs:
    return WriteSysfs(path=path, before=before, after=after, phase="live", **COMMON)


def command(name: str, when: Any, undo: str | None) -> RunCommand:
    words = (undo, "back") if undo else None
    return RunCommand(argv=(name,), undo=words, undo_when=when if undo else None, phase="live", **COMMON)


def stop(name: str) -> StopByPidfile:
    return StopByPidfile(
        pidfile=f"/run/{name}.pid", must_contain=name, undo_when="after_files", phase="services", **COMMON
    )


def test_what_it_is() -> None:
    steps: list[Step] = [
        command("reload", "after_files", "reload"),
        file("/etc/a"),
        file("/etc/b"),
        command("enable", "before_files", "disable"),
        command("rule", "before_files", "unrule"),
        command("copy", "last", "uncopy"),
        command("menu", "after_files", "menu"),
        value("/sys/one", "8", "0"),
        value("/sys/two", "0", "4"),
        value("/sys/one", "0", "4"),
        command("restart", "after_files", "restart"),
        stop("dnsmasq"),
        command("reload", "after_files", "reload"),
        command("enable", "before_files", "disable"),
        command("look", None, None),
        stop("dnsmasq"),
    ]
    assert [(undo.kind, *undo.numbers) for undo in undo_order(steps)] == [
        ("before", 4, 14),
        ("before", 5),
        ("file", 3),
        ("file", 2),
        ("attribute", 9),
        ("attribute", 10),
        ("attribute", 8),
        ("after", 1, 13),
        ("after", 7),
        ("after", 11),
        ("after", 12, 16),
        ("last", 6),
    ]
    assert [undo.numbers for undo in undo_order(steps, [13, 14, 2])] == [(14,), (2,), (13,)]


class Recorded:
    """A node whose commands do nothing, and whose attributes are files; what is done to it in order."""

    why_not = ""

    def __init__(self, root: Path) -> None:
        self.node, self.events = DirectoryNode(root), list[Event]()

    def run(self, argv: Sequence[str], deadline_s: int, tell: Tell, announce: Announce = quiet) -> int:
        self.events.append(("run", *argv))
        return 0

    def write_attribute(self, path: str, value: str, deadline_s: int, announce: Announce = quiet) -> None:
        self.events.append(("set", path, value))
        self.node.place(path).write_text(value + "\n")

    def flush(self, written: Any) -> None:
        pass

    def stop(self, pidfile: str, must_contain: str, deadline_s: int) -> str:
        self.events.append(("stop", pidfile))
        return ""


class Watched(Tree):
    events: list[Event]

    def write(self, path: str, *arguments: Any, **more: Any) -> list[str]:
        self.events.append(("file", path))
        return super().write(path, *arguments, **more)

    def remove(self, path: str, over: Found) -> None:
        self.events.append(("file", path))
        super().remove(path, over)


@contextmanager
def carried_out(root: Path, plan: Plan) -> Iterator[tuple[StepExecutor, str]]:
    """A plan that was carried out below a root, what its commands would have made left out."""
    run, directory = store.new_run(root)
    store.write(directory / "plan.json", plan.to_json().encode())
    with closing(Journal(directory / "journal.jsonl")) as journal:
        tree, node = Watched(root), Recorded(root)
        tree.events = node.events
        carrier = StepExecutor(tree, node, directory, journal)
        journal.write(
            "begin", format=JOURNAL_FORMAT, run=run, steps=len(plan.steps), boot_id="", undoes=None, resumed=False
        )
        for number, step in enumerate(plan.steps, 1):
            journal.write("step", n=number, title="")
            proven = step.model_copy(update={"proves": ()}) if isinstance(step, RunCommand) else step
            carrier.carry(number, proven)
        journal.write("end", result="done")
        node.events.clear()
        yield carrier, run


def shown(step: Step) -> Event:
    """What a step of an undo plan does."""
    if isinstance(step, WriteFile | RemoveFile):
        return ("file", step.path)
    if isinstance(step, WriteSysfs):
        return ("set", step.path, step.after)
    return ("stop", step.pidfile) if isinstance(step, StopByPidfile) else ("run", *step.argv)


def undone(step: Step) -> Event:
    """What undoes a step."""
    if isinstance(step, RunCommand):
        return ("run", *(step.undo or ()))
    return ("set", step.path, step.before) if isinstance(step, WriteSysfs) else shown(step)


def called(text: str, plan: Plan, mark: str) -> list[Event]:
    """The calls of a script that undo a step, by the step's number."""
    lines = [
        shlex.split(line)
        for line in text.partition(mark)[2].splitlines()
        if line.strip() and "(" not in line.split()[0]
    ]
    calls = [words for words in lines if len(words) > 1 and words[1].isdecimal()]
    return [undone(plan.steps[int(words[1]) - 1]) for words in calls]


def settled(events: list[Event]) -> list[Event]:
    """An attribute that goes its way through others: the last of them."""
    return [
        list(group)[-1] for _, group in groupby(events, key=lambda event: event[:2] if event[0] == "set" else event)
    ]


def compare(root: Path, plan: Plan) -> None:
    steps = [step.model_copy(update={"proves": ()}) if isinstance(step, RunCommand) else step for step in plan.steps]
    bare = plan.model_copy(update={"steps": tuple(steps)})
    text = script(facts.read(DirectoryNode(root)), bare)
    exported = called(text.partition("directories_back\n")[0].partition("finish() {")[2], bare, 'exit "$FAILED"\n}\n')
    rescue = called(rescue_script.script(bare), bare, "# --- this run\n")
    with carried_out(root, bare) as (carrier, run):
        node = DirectoryNode(root)
        planned = [shown(step) for step in undo_plan(facts.read(node), node, run, root).steps]
        result = runner._rollback(bare, carrier, carrier.journal, list(range(1, len(bare.steps) + 1)))
        assert result == "rolled_back"
        assert isinstance(carrier.outside, Recorded)
        rolled = carrier.outside.events
    assert settled(rolled) == settled(planned) == settled(exported)
    systemctl = {undone(undo.step) for undo in undo_order(bare.steps) if undo.kind == "before"}
    by_links = {event for event in systemctl if event[:2] == ("run", "systemctl")}  # a rescue shell removes their links
    assert settled(rescue) == [event for event in settled(rolled) if event not in by_links]


@pytest.mark.parametrize("name", ["demo", "origin", "today"])
def test_the_four_agree_on_a_node(name: str, tmp_path: Path) -> None:
    node = simulate(built_in(name), tmp_path)
    seen = facts.read(node)
    plan = make_plan(seen, suggestion.suggest(seen))
    assert len(undo_order(plan.steps)) > 5
    compare(tmp_path, plan)


ONE_STEP = st.one_of(
    st.sampled_from("abcdef").map(lambda name: file(f"/etc/{name}")),
    st.sampled_from("abcdef").map(lambda name: file(f"/etc/new/{name}", new=True)),
    st.sampled_from("abcdef").map(lambda name: removed(f"/etc/gone-{name}")),
    st.sampled_from(["/sys/a", "/sys/b"]).map(lambda path: value(path, "0", "0")),
    st.builds(
        command,
        st.sampled_from("klmn"),
        st.sampled_from(["before_files", "after_files", "last"]),
        st.sampled_from(["one", "two", "three", "systemctl", None]),
    ),
    st.sampled_from(["dnsmasq", "radvd"]).map(stop),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any steps in any order: each file once, and each attribute from what it was before."""
    steps: list[Step] = []
    for step in draw(st.lists(ONE_STEP, max_size=14)):
        if isinstance(step, WriteFile | RemoveFile) and step.path in {getattr(each, "path", "") for each in steps}:
            continue
        if isinstance(step, WriteSysfs):
            now = sum(isinstance(each, WriteSysfs) and each.path == step.path for each in steps)
            steps.append(value(step.path, str(now), str(now + 1)))
        else:
            steps.append(step)
    return Plan(node=NodeName(hostname="h", os="o", nova=None), steps=tuple(steps))


@settings(max_examples=20, deadline=None)
@given(plans())
def test_the_four_agree_on_any_plan(plan: Plan) -> None:
    needs.root("files that are root's")
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for above in ("etc", "sys"):
            (root / above).mkdir()
        (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")  # owners have names here, as in the plans
        (root / "etc/group").write_text("root:x:0:\n")
        for path in ("sys/a", "sys/b"):
            (root / path).write_text("0\n")
        for step in plan.steps:
            if isinstance(step, WriteFile | RemoveFile) and step.before is not None:
                (root / step.path[1:]).write_bytes(BEFORE)
                (root / step.path[1:]).chmod(0o600)
        compare(root, plan)
