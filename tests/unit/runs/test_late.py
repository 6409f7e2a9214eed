"""Two commands about the same run: one waits at its prompt, or is just about to begin, while the other one is carried out.

Whoever is late is refused with exit 4 and touches nothing; what the history says then is true, and all can still be undone.
"""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from calling import call
from prior_states import carried_out, planned_here, run_here, take_back

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import launch
from wizard.cli import apply as command_apply
from wizard.cli import commands
from wizard.cli import confirm as command_confirm
from wizard.errors import Exit, Refused
from wizard.facts import facts
from wizard.model.expectations import ExpectRun
from wizard.node.node import Node
from wizard.planning.undo import undo_plan
from wizard.runs import journal as journals
from wizard.runs import store
from wizard.runs.history import RUNS
from wizard.runs.overtaken import story
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

CUT = 14  # lines of a journal: some files are written, others are not


def cut(node: SimulatedNode) -> None:
    carried_out(node, planned_here(node), CUT)


def cut_at_once(node: SimulatedNode) -> None:
    """Killed before its first step: nothing in the files tells one reading of it from another."""
    carried_out(node, planned_here(node), 2)


def done(node: SimulatedNode) -> None:
    carried_out(node, planned_here(node))


def waited(node: SimulatedNode) -> None:
    """It waited for its confirmation when the power went."""
    done(node)
    journal = next(node.place(RUNS).iterdir()) / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    waiting = {"event": "waiting", "at": "", "until": "2026-01-31T10:25:00+00:00", "seconds": 600}
    journal.write_text("".join(lines[:-1]) + json.dumps(waiting) + "\n", encoding="utf-8")
    options = journal.with_name("options.json")
    data = json.loads(options.read_text(encoding="utf-8"))
    options.write_text(json.dumps({**data, "confirm_minutes": 0.001}), encoding="utf-8")


def undo_cut(node: SimulatedNode) -> None:
    done(node)
    take_back(node, store.runs(node.directory)[0].name, CUT)


def undone(node: SimulatedNode) -> None:
    done(node)
    take_back(node, store.runs(node.directory)[0].name)


RESUME, UNDO, APPLY, KEEP, TAKE_BACK = ("resume", "1"), ("undo", "1"), ("apply",), ("confirm", "1"), ("confirm", "--no")
RESUME_2, UNDO_2 = ("resume", "2"), ("undo", "2")
PASTS: dict[Callable[[SimulatedNode], None], tuple[tuple[str, ...], ...]] = {
    cut: (RESUME, UNDO, APPLY),
    cut_at_once: (RESUME, UNDO, APPLY),
    waited: (RESUME, UNDO, KEEP, TAKE_BACK),
    done: (UNDO,),
    undo_cut: (RESUME_2, UNDO, UNDO_2),
    undone: (UNDO_2, APPLY),
}
PAIRS = [
    pytest.param(past, late, early, id=f"{past.__name__}: {' '.join(late)} after {' '.join(early)}")
    for past, words in PASTS.items()
    for late in words
    for early in words
    if late[0] != "confirm"
]


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


@cache
def _kept() -> Path:
    """Where the nodes with a past lie; they go with this process."""
    place = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


@cache
def _after(past: Callable[[SimulatedNode], None]) -> SimulatedNode:
    node = simulate(built_in("demo"), _kept() / past.__name__)
    past(node)
    return node


def with_past(node: SimulatedNode, past: Callable[[SimulatedNode], None]) -> None:
    """Make the node what it is after that: a copy, with owners, of one that is made once."""
    kept = _after(past)
    shutil.rmtree(node.directory)
    subprocess.run(["cp", "-a", str(kept.directory), str(node.directory)], check=True)


@pytest.fixture(autouse=True)
def here(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command line takes the node for a simulated one, and runs its runners in this process."""

    def opened(_: str) -> Node:
        return SimulatedNode(node.directory)

    for module in (commands, command_apply, command_confirm):
        monkeypatch.setattr(module, "open_node", opened)
    monkeypatch.setattr(launch, "_spawn", spawned)
    yield


def spawned(place: Path, run: str, _directory: Path, _commands: str, events: int) -> None:
    run_here(place, run, events)


def picture(node: SimulatedNode) -> dict[str, bytes]:
    """Every file of the node, journals among them."""
    files = [path for path in node.directory.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(node.directory)): path.read_bytes() for path in files if path.name != "lock"}


def own(node: SimulatedNode) -> dict[str, bytes]:
    """The node's own files: neither the tool's state nor what a boot makes anew."""
    left_out = ("var/lib/compute-wizard/", "proc/", "sys/", ".compute-wizard/", "boot/")
    return {path: content for path, content in picture(node).items() if not path.startswith(left_out)}


def words(node: SimulatedNode, command: tuple[str, ...]) -> list[str]:
    if command != APPLY:
        return [*command, "--root", str(node.directory)]
    answers = node.directory.parent / "answers.toml"
    seen = facts.read(node)
    answers.write_text(answer_files.to_toml(suggestion.suggest(seen), {}), encoding="utf-8")
    return ["apply", "--answers", str(answers), "--root", str(node.directory)]


def said_yes(command: tuple[str, ...]) -> list[str]:
    return [] if command[0] == "confirm" else ["--yes"]


def all_undone(node: SimulatedNode) -> None:
    """Undo what stands, the newest first."""
    for _ in range(4):
        history = facts.read(node).history
        if history.last is None:
            return
        started = launch.start(node.directory, undo_plan(facts.read(node), node, None, node.directory), simulated=True)
        assert launch.result(started) is Exit.DONE
    pytest.fail("there is always one more run to be undone")


@pytest.mark.parametrize(("past", "late", "early"), PAIRS)
def test_who_waited_at_the_prompt_is_refused(
    node: SimulatedNode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    past: Callable[[SimulatedNode], None],
    late: tuple[str, ...],
    early: tuple[str, ...],
) -> None:
    before = own(node)
    with_past(node, past)
    first = words(node, early) + said_yes(early)
    real, seen, codes = command_apply.ask, {}, list[int]()

    def ask(yes: bool, *more: Any, **named: Any) -> str:
        if yes:
            return real(yes, *more, **named)
        codes.append(call(capsys, *first)[0])
        seen.update(picture(node))
        return "yes"

    monkeypatch.setattr(command_apply, "ask", ask)
    code, _, err = call(capsys, *words(node, late))
    assert codes, "it never asked"
    if codes == [Exit.REFUSED]:
        assert early == APPLY  # a run of the same plan is to go on: nobody was before anybody
    elif (past, late, early) == (cut_at_once, APPLY, UNDO):
        assert code == 0  # nothing had been done, and that was undone
    else:
        assert codes[0] in (Exit.DONE, Exit.ROLLED_BACK)
        assert code == Exit.REFUSED, err
        assert err.startswith("compute-wizard: ")
        assert picture(node) == seen
    all_undone(node)
    assert own(node) == before


@pytest.mark.parametrize(
    ("past", "late", "early"),
    [each for each in PAIRS if APPLY not in each.values and each.values[0] in (cut, waited, undo_cut)],
)
def test_who_is_just_about_to_begin_is_refused_under_the_lock(
    node: SimulatedNode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    past: Callable[[SimulatedNode], None],
    late: tuple[str, ...],
    early: tuple[str, ...],
) -> None:
    """All that is looked at before was looked at: the runner itself, which has the lock, is the last one that can know."""
    before = own(node)
    with_past(node, past)
    first, once, seen = words(node, early) + said_yes(early), iter([True]), {}

    def spawn(place: Path, run: str, directory: Path, how: str, events: int) -> None:
        if next(once, False):
            assert call(capsys, *first)[0] in (Exit.DONE, Exit.ROLLED_BACK)
            seen.update(own(node))
        spawned(place, run, directory, how, events)

    monkeypatch.setattr(launch, "_spawn", spawn)
    code, out, err = call(capsys, *words(node, late), "--yes")
    assert own(node) == seen
    goes_on = late == early and late[0] == "resume"  # it was asked for twice, and done once
    answered = early[0] == "confirm" and late == RESUME  # what it was asked to go on with came to its end
    assert code == Exit.REFUSED or goes_on or answered, out + err
    all_undone(node)
    assert own(node) == before


def test_a_plan_to_undo_expects_the_run_as_it_was_read(node: SimulatedNode) -> None:
    cut(node)
    run = store.runs(node.directory)[0].name
    plan = undo_plan(facts.read(node), node, run, node.directory)
    journal = store.run_directory(node.directory, run) / "journal.jsonl"
    assert ExpectRun(run=run, sha256=story(journals.read(journal)), newest=run) in plan.expects
    with journal.open("a", encoding="utf-8") as file:  # an attempt to go on that was refused did nothing
        file.write('{"event": "end", "at": "", "result": "refused", "why": "x"}\n')
    assert undo_plan(facts.read(node), node, run, node.directory).expects == plan.expects
    with journal.open("a", encoding="utf-8") as file:
        file.write('{"event": "rescued", "at": ""}\n')
    with pytest.raises(Refused, match=f"run {run} is not as it was"):
        launch.start(node.directory, plan, simulated=True)


@pytest.mark.parametrize("keep", [True, False])
def test_of_two_answers_the_first_one_counts(node: SimulatedNode, keep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the runner lives; an answer that none came to see does not stand in the way of another."""
    waited(node)
    run = store.runs(node.directory)[0].name
    monkeypatch.setattr(launch, "lock_holder", lambda _: run)
    launch.answer(node.directory, run, keep=keep)
    launch.answer(node.directory, run, keep=keep)
    with pytest.raises(Refused, match="answered otherwise"):
        launch.answer(node.directory, run, keep=not keep)


def test_a_runner_that_comes_too_late_does_nothing(node: SimulatedNode) -> None:
    """Two were started, since the first one was not heard of in time."""
    started = launch.save(node.directory, planned_here(node), "rollback", "simulated")
    run_here(node.directory, started.run, 0)
    seen = picture(node)
    run_here(node.directory, started.run, 0)
    assert picture(node) == seen
    assert launch.result(started) is Exit.DONE
