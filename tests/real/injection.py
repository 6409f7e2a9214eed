"""Faults from outside: strace makes one system call of the real runner fail, or kills the runner at it; then what is left is judged.

A *point* is the N-th call of one system call on one path, in a run that meets no fault. The fault is injected there, in a
copy of the same prepared node. Nothing in the runner knows of it. strace counts calls, not calls on a path, and how often
Python opens its own files is not the same each time: so the trace tells whether the right call was met; if not, by how much
it was missed, and it is tried again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from wizard.answers import files as answer_files
from wizard.apply import launch, runner
from wizard.facts import facts
from wizard.model.plan import Plan
from wizard.model.steps import RemoveFile, WriteFile
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs import history
from wizard.runs.journal import read
from wizard.runs.records import LOCK, STATE, lock_holder
from wizard.simulator.simulated_node import SimulatedNode

CHANGING = (
    "write pwrite64 rename renameat renameat2 fsync fdatasync unlink unlinkat mkdir mkdirat rmdir chmod fchmod fchmodat chown fchown "
    "fchownat lchown setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr symlink symlinkat link linkat ftruncate "
    "truncate fallocate clone clone3 fork vfork execve openat"
).split()
FAULTS = {
    "SIGKILL": "signal=SIGKILL:when={n}",
    "SIGTERM": "signal=SIGTERM:when={n}",
    "SIGHUP": "signal=SIGHUP:when={n}",
    "ENOSPC": "error=ENOSPC:when={n}",
    "EIO": "error=EIO:when={n}",
    "EROFS": "error=EROFS:when={n}",
    "EDQUOT": "error=EDQUOT:when={n}",
    "ENOSPC from then on": "error=ENOSPC:when={n}+",
    "EROFS from then on": "error=EROFS:when={n}+",
}
PATH = re.compile(r'"((?:[^"\\\\]|\\\\.)*)"|<(/[^>]*)>')
OPEN = "write pwrite64 fsync fdatasync fchmod fchown fsetxattr fremovexattr ftruncate fallocate".split()
MADE_UP = re.compile(r"(?<=[.-])[0-9a-f]{8,16}(?=$|\.new)")  # in names of temporary files
KERNEL = (
    "/sys/",
    "/proc/",
    "/.compute-wizard/kernel/",
)  # of a simulated node: no fault comes half-way through what it does
TRIES = 4
NOT_COMPARED = ("var/lib/compute-wizard", "proc", "sys", ".compute-wizard")
RULES = ".compute-wizard/simulated.json"
Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th call of a system call on a path (names that are made up are the same name); `nth` of all its calls."""

    call: str
    path: str
    n: int
    nth: int

    def __str__(self) -> str:
        return f"{self.call} {self.n} of {self.path}"


@dataclass(frozen=True, slots=True)
class Points:
    """Where a run can be hit; and, for each system call, every call of it in its order, reading ones too."""

    every: tuple[Point, ...]
    calls: dict[str, list[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A node with a run that was saved and not started; `before` and `after` are its files then and after a whole run."""

    place: Path
    run: str
    plan: Plan
    before: dict[str, Any]


def works() -> bool:
    """Whether strace may trace here."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def snapshot(directory: Path) -> dict[str, Any]:
    """Everything below a directory but the tool's own state and the kernel's: mode, owner, attributes, content, links."""
    found: dict[str, Any] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if name.startswith(NOT_COMPARED):
            continue
        status = path.lstat()
        attributes = {
            each: os.getxattr(path, each, follow_symlinks=False) for each in os.listxattr(path, follow_symlinks=False)
        }
        if path.is_symlink():
            what = str(path.readlink())
        else:
            what = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "directory"
        found[name] = (oct(status.st_mode), status.st_uid, status.st_gid, attributes, what)
    found["bridge rules"] = json.loads((directory / RULES).read_text())["rules"] if (directory / RULES).exists() else []
    return found


def argv(place: Path, run: str) -> list[str]:
    return [sys.executable, "-I", "-m", "wizard.apply.runner", str(place), run]


def points(prepared: Prepared, scratch: Path) -> Points:
    """Every call of a run that writes, renames, syncs, creates, removes, or starts something: of the runner and of the
    commands of its node, not of the simulated kernel."""
    place, trace = copied(prepared.place, scratch), scratch.with_suffix(".trace")
    words = ["strace", "-f", "-qq", "-y", "-o", str(trace), "-e", f"trace={','.join(CHANGING)}"]
    subprocess.run([*words, *argv(place, prepared.run)], check=True, capture_output=True, timeout=300)
    calls: dict[str, list[tuple[str, int]]] = {call: [] for call in CHANGING}
    found = []
    for call, path, n, rest in traced(trace, place):
        calls[call].append((path, n))
        reads = call == "openat" and "O_CREAT" not in rest
        starts = call == "execve" and len(calls[call]) == 1
        if path.startswith("/") and not reads and not starts and not path.startswith(KERNEL):
            found.append(Point(call, path, n, len(calls[call])))
    shutil.rmtree(place)
    return Points(tuple(found), calls)


def traced(trace: Path, place: Path) -> Iterator[tuple[str, str, int, str]]:
    """The calls of a trace: which, on which path (inside the node), for which time on it, and its arguments."""
    counted: Counter[tuple[str, str]] = Counter()
    for line in trace.read_text(errors="replace").splitlines():
        match = re.match(r"\d+\s+(\w+)\((.*)", line)
        if match is None:
            continue
        call, rest = match[1], match[2]
        path = _path(call, rest)
        path = MADE_UP.sub("*", path.removeprefix(str(place))) if path.startswith(str(place)) else f"elsewhere: {path}"
        counted[call, path] += 1
        yield call, path, counted[call, path], rest


def _path(call: str, arguments: str) -> str:
    """What a call is about: that of an open file, else the last path among its arguments, below the directory before it."""
    found = ""
    for quoted, behind in PATH.findall(arguments.partition(") = ")[0]):
        found = f"{found}/{quoted}" if quoted and not quoted.startswith("/") else quoted or behind
        if call in OPEN:
            break
    return found


def copied(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    return target


def inject(prepared: Prepared, left: Path, every: Points, point: Point, fault: str) -> bool:
    """Run the runner with one fault, in a copy of the node at `left`; whether the fault came at that very point."""
    usual, nth = every.calls[point.call], point.nth
    tried: set[int] = set()
    while nth > 0 and nth not in tried and len(tried) < TRIES:
        tried.add(nth)
        if left.exists():
            shutil.rmtree(left)
        copied(prepared.place, left)
        calls = _injected(left, prepared.run, point.call, nth, fault)
        if calls[nth - 1 : nth] == [(point.path, point.n)]:
            return True
        if (point.path, point.n) in calls:  # it came later, or earlier: now it is known when
            nth = calls.index((point.path, point.n)) + 1
        elif calls[nth - 1 : nth] and calls[nth - 1] in usual:  # this came in its place: off by what is in between
            nth += point.nth - 1 - usual.index(calls[nth - 1])
    return False


def _injected(place: Path, run: str, call: str, nth: int, fault: str) -> list[tuple[str, int]]:
    """Run with a fault at the nth of these calls; the path of each, and the how manieth on it that was."""
    trace = place.with_suffix(".trace")
    rule = f"inject={call}:{FAULTS[fault].format(n=nth)}"
    words = ["strace", "-f", "-qq", "-y", "-o", str(trace), "-e", f"trace={call}", "-e", rule, *argv(place, run)]
    if not fault.startswith("SIG"):
        words.insert(1, "--seccomp-bpf")  # faster; but strace 6.1 sends no signals with it
    subprocess.run(words, check=False, capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
    return [each[1:3] for each in traced(trace, place)]


def go_on(place: Path, run: str) -> str:
    """Carry out a run (again) in this process; its result."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    umask = os.umask(0o022)
    try:
        assert runner.main([str(place), run]) == 0
    finally:
        os.umask(umask)
        for number, handler in kept.items():
            signal.signal(number, handler)
    return str(read(journal(place, run))[-1].get("result"))


def journal(place: Path, run: str) -> Path:
    return place / STATE.lstrip("/") / "runs" / run / "journal.jsonl"


def judge_apply(prepared: Prepared, left: Path, scratch: Path) -> str:
    """What a run that met a fault left: history tells the truth, going on finishes it, undo gives all back. Its state."""
    state = _truth(prepared, left)
    other = copied(left, scratch)
    if state in ("", "rolled_back"):
        assert snapshot(left) == prepared.before, _different(snapshot(left), prepared.before)
    if state not in ("done", "rolled_back"):
        assert go_on(left, prepared.run) == "done"
        _as_planned(left, prepared.plan)
        node = SimulatedNode(left)
        assert make_plan(facts.read(node), answer_files.from_data(prepared.plan.answers)).steps == ()
    if state not in ("", "rolled_back"):
        node = SimulatedNode(other)
        back = launch.save(other, undo_plan(facts.read(node), node, prepared.run, other), "rollback", "simulated")
        assert go_on(other, back.run) == "done"
        assert snapshot(other) == prepared.before, _different(snapshot(other), prepared.before)
        assert history.read(node).runs[0].state == "undone"
    shutil.rmtree(left)
    shutil.rmtree(other)
    return state


def judge_undo(prepared: Prepared, undone: str, left: Path) -> str:
    """What an undo that met a fault left: going on finishes it, and all is as it was."""
    state = next((run.state for run in history.read(SimulatedNode(left)).runs if run.id == prepared.run), "")
    if state != "done":
        assert go_on(left, prepared.run) == "done"
    assert snapshot(left) == prepared.before, _different(snapshot(left), prepared.before)
    assert next(run for run in history.read(SimulatedNode(left)).runs if run.id == undone).state == "undone"
    shutil.rmtree(left)
    return state


def _truth(prepared: Prepared, left: Path) -> str:
    assert lock_holder(left / STATE.lstrip("/") / LOCK) is None
    lines = journal(left, prepared.run).read_bytes().split(b"\n") if journal(left, prepared.run).exists() else []
    for line in lines[:-1]:
        assert not line or json.loads(line)["event"]
    seen = history.read(SimulatedNode(left))
    assert seen.unseen == ()
    mine = [run for run in seen.runs if run.id == prepared.run]
    if not mine:
        return ""
    held = {event["n"] for event in read(journal(left, prepared.run)) if event["event"] == "held"}
    if mine[0].state == "done":
        _as_planned(left, prepared.plan)
        assert len(held) == len(prepared.plan.steps)
    elif mine[0].state in ("interrupted", "stopped") and not any(b'"rollback"' in line for line in lines):
        steps = [step for number, step in enumerate(prepared.plan.steps, 1) if number in held]
        _as_planned(left, prepared.plan.model_copy(update={"steps": tuple(steps)}))
    return mine[0].state


def _as_planned(place: Path, plan: Plan) -> None:
    node = SimulatedNode(place)
    for step in plan.steps:
        if isinstance(step, WriteFile):
            assert node.read(step.path) == step.after.data(), step.path
            status = node.status(step.path)
            assert status is not None
            assert (f"{status.mode:04o}", status.owner) == (step.after.mode, step.after.owner), step.path
        elif isinstance(step, RemoveFile):
            assert not node.exists(step.path), step.path


def _different(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {one.get(name)} / {other.get(name)}"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]


def spread(every: tuple[Each, ...], most: int, start: int) -> Iterator[Each]:
    """At most so many of them, evenly; another start gives others."""
    stride = max(1, len(every) // most)
    yield from every[start % stride :: stride]
