"""A run that waits for its confirmation is taken back by itself, by the same code as every rollback, unless it is kept in time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prior_states import run_here
from test_runs import MADE_BY_SYSTEMCTL, tree

from wizard.answers import suggestion
from wizard.apply import confirm, launch
from wizard.cli import main as cli
from wizard.errors import Exit, InputError, Refused
from wizard.facts import facts
from wizard.facts.guests import Role
from wizard.model import step_text
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand, WriteSysfs
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.report import text as report
from wizard.runs import store
from wizard.runs.journal import Journal, follow, read
from wizard.runs.records import LOCK, fold, lock_holder
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


@pytest.fixture
def demo(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


def begun(node: SimulatedNode, plan: Plan, seconds: float) -> launch.Started:
    """Start a run that waits so many seconds: shorter than the command line allows."""
    started = launch.save(node.directory, plan, "rollback", "simulated", seconds / 60)
    launch._spawn(node.directory, started.run, started.directory, "simulated", 0)
    return started


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found


def waits(node: SimulatedNode, started: launch.Started) -> None:
    until(lambda: fold(read(started.journal)).waiting)


def files(node: SimulatedNode) -> dict[str, Any]:
    return {name: each for name, each in tree(node.directory).items() if not name.startswith(MADE_BY_SYSTEMCTL)}


def state(node: SimulatedNode) -> str:
    return facts.read(node).history.runs[-1].state


def test_what_is_not_confirmed_in_time_is_taken_back_to_every_byte(demo: SimulatedNode) -> None:
    before = files(demo)
    started = begun(demo, planned(demo), 1)
    events = list(follow(started.journal))
    assert launch.result(started) is Exit.ROLLED_BACK
    assert files(demo) == before
    kinds = [event["event"] for event in events]
    assert kinds.index("waiting") < kinds.index("rollback")  # after the last step, never while one is under way
    assert not [event for event in events[kinds.index("waiting") : kinds.index("rollback")] if event["event"] == "step"]
    assert launch.line_for(events[-1]) == "Not confirmed in time; what had been done was taken back."
    assert state(demo) == "rolled_back"


def test_history_says_until_when_it_waits_and_confirm_keeps_it(
    demo: SimulatedNode, capsys: pytest.CaptureFixture[str]
) -> None:
    started = begun(demo, planned(demo), 600)
    waits(demo, started)
    at = fold(read(started.journal)).waiting or {}
    assert f"waiting for confirmation until {step_text.clock(at['until'])}" in report.history(
        facts.read(demo).history.runs
    )
    with pytest.raises(Refused, match="under way"):
        launch.start(demo.directory, planned(demo), simulated=True)
    with pytest.raises(InputError, match="waits for its confirmation"):
        undo_plan(facts.read(demo), demo, None, demo.directory)
    assert cli.main(["--root", str(demo.directory), "confirm"]) == 0
    assert "Confirmed." in capsys.readouterr().out
    assert state(demo) == "done"
    assert planned(demo).steps == ()
    assert cli.main(["--root", str(demo.directory), "confirm"]) == 1
    assert "no run waits" in capsys.readouterr().err
    assert cli.main(["--root", str(demo.directory), "confirm", started.run]) == 1


def test_confirm_no_takes_it_back_now(demo: SimulatedNode) -> None:
    before = files(demo)
    started = begun(demo, planned(demo), 600)
    waits(demo, started)
    assert cli.main(["--root", str(demo.directory), "confirm", started.run, "--no"]) == 0
    assert files(demo) == before
    assert state(demo) == "rolled_back"


def test_the_last_answer_counts(demo: SimulatedNode) -> None:
    """One that no runner came to see does not stand against it."""
    started = begun(demo, planned(demo), 600)
    waits(demo, started)
    os.kill(holder(demo), signal.SIGKILL)
    gone(demo)
    (started.directory / confirm.KEEP).touch()
    list(follow(launch.answer(demo.directory, started.run, keep=False).journal))
    assert state(demo) == "rolled_back"


def test_an_answer_before_the_wait_counts_for_nothing(demo: SimulatedNode) -> None:
    run, directory = store.new_run(demo.directory)
    Journal(directory / "journal.jsonl").write("begin", run=run, steps=1)
    with pytest.raises(InputError, match="does not wait"):
        launch.answer(demo.directory, run, keep=True)
    assert not (directory / confirm.KEEP).exists()


@pytest.mark.parametrize("answer", [confirm.KEEP, confirm.TAKE_BACK])
@pytest.mark.parametrize("end", ["done", "rolled_back", "stopped", ""])
def test_an_answer_does_not_outlive_the_wait_that_it_answered(answer: str, end: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("begin", run="x", steps=1)
    journal.write("waiting", until="2026-11-24T10:00:00+00:00", seconds=60)
    journal.write("end", result=end) if end else journal.write("rollback")
    (tmp_path / answer).touch()
    journal.write("begin", run="x", steps=1)
    assert confirm.wait(tmp_path, journal, 0, lambda: False) == "too late"
    assert not (tmp_path / answer).exists()


@pytest.mark.parametrize(("answer", "heard"), [(confirm.KEEP, "kept"), (confirm.TAKE_BACK, "refused")])
def test_an_answer_that_was_given_while_no_runner_lived_counts(answer: str, heard: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("begin", run="x", steps=1)
    journal.write("waiting", until="2026-11-24T10:00:00+00:00", seconds=60)
    (tmp_path / answer).touch()
    journal.write("begin", run="x", steps=1, resumed=True)
    assert confirm.wait(tmp_path, journal, 60, lambda: False) == heard


def test_a_run_that_was_asked_to_be_taken_back_waits_its_time_when_it_goes_on(
    demo: SimulatedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = launch.save(demo.directory, planned(demo), "rollback", "simulated", 1 / 60)
    real, said = confirm._answer, iter([confirm.TAKE_BACK])

    def answer(directory: Path) -> confirm.Answer | None:
        for name in said:
            store.write(directory / name, b"")
        return real(directory)

    monkeypatch.setattr(confirm, "_answer", answer)
    run_here(demo.directory, started.run)
    assert read(started.journal)[-1]["why"] == "not confirmed: asked to be taken back"
    run_here(demo.directory, started.run)
    assert read(started.journal)[-1]["why"] == "not confirmed in time"


def holder(node: SimulatedNode) -> int:
    """The pid of the runner."""
    text = (store.state_directory(node.directory) / LOCK).read_text(encoding="ascii")
    return int(text.split()[1])


def gone(node: SimulatedNode) -> None:
    until(lambda: lock_holder(store.state_directory(node.directory) / LOCK) is None)


def test_a_hangup_does_not_end_the_wait(demo: SimulatedNode) -> None:
    started = begun(demo, planned(demo), 3)
    waits(demo, started)
    os.kill(holder(demo), signal.SIGHUP)
    list(follow(started.journal))
    assert launch.result(started) is Exit.ROLLED_BACK


def test_a_shutdown_ends_the_wait_and_keeps_what_was_done(demo: SimulatedNode) -> None:
    started = begun(demo, planned(demo), 600)
    waits(demo, started)
    os.kill(holder(demo), signal.SIGTERM)
    events = list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    assert "as at a shutdown" in launch.line_for(events[-1])
    assert planned(demo).steps == ()


def test_after_a_power_cut_it_can_be_kept_or_taken_back_or_waited_for_again(demo: SimulatedNode) -> None:
    before = files(demo)
    started = begun(demo, planned(demo), 600)
    waits(demo, started)
    os.kill(holder(demo), signal.SIGKILL)
    gone(demo)
    assert "interrupted while it waited for confirmation" in report.history(facts.read(demo).history.runs)
    launch.resume(demo.directory, started.run)
    until(lambda: state(demo) == "waiting")
    os.kill(holder(demo), signal.SIGKILL)
    gone(demo)
    demo.put("/proc/sys/kernel/random/boot_id", "after-the-power-cut\n")
    assert cli.main(["--root", str(demo.directory), "confirm", "--no"]) == 0
    assert files(demo) == before


def test_a_run_that_was_confirmed_is_not_waited_for_again(demo: SimulatedNode) -> None:
    started = begun(demo, planned(demo), 600)
    waits(demo, started)
    os.kill(holder(demo), signal.SIGKILL)
    gone(demo)
    assert cli.main(["--root", str(demo.directory), "confirm"]) == 0
    assert state(demo) == "done"


def test_a_step_that_fails_is_rolled_back_without_a_wait(demo: SimulatedNode) -> None:
    bad = RunCommand(chapters=("iommu",), phase="last", argv=("no-such-command",), why=("a test",))
    plan = planned(demo)
    started = begun(demo, plan.model_copy(update={"steps": (*plan.steps, bad)}), 600)
    assert "waiting" not in [event["event"] for event in follow(started.journal)]
    assert launch.result(started) is Exit.ROLLED_BACK


def test_the_time_grows_with_the_vfs_that_are_made_now(tmp_path: Path) -> None:
    plan = planned(simulate(built_in("today"), tmp_path))
    made = {step.path: int(step.after) for step in plan.steps if isinstance(step, WriteSysfs) and "numvfs" in step.path}
    assert sum(made.values()) == 16
    assert confirm.patience(10, plan) == 10 * 60 + 16
    assert confirm.patience(10, plan.model_copy(update={"steps": ()})) == 600


def test_the_wait_follows_no_clock_that_may_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 10.0, 59.0, 61.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert confirm.wait(tmp_path, Journal(tmp_path / "journal.jsonl"), 60, lambda: False) == "too late"
    assert next(times, None) is None


def test_what_cannot_be_taken_back_is_not_waited_for(demo: SimulatedNode) -> None:
    firmware = ("mstconfig", "-y", "-d", "0000:04:00.0", "set", "NUM_OF_VFS=32")
    step = RunCommand(chapters=("vfs",), phase="last", argv=firmware, why=("x",), labels=("one-way",))
    plan = planned(demo).model_copy(update={"steps": (step,)})
    with pytest.raises(Refused, match="by itself"):
        launch.start(demo.directory, plan, simulated=True, accept=["one-way"], confirm_minutes=5)


@pytest.mark.parametrize("text", ["0", "-1", "1441", "ten", "1.5", ""])
def test_minutes_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["apply", "PLAN", f"--confirm={text}"]) == 64
    assert "is no number of minutes" in capsys.readouterr().err


# what may cut the line


def test_steps_on_a_card_that_carries_the_node_say_so(tmp_path: Path) -> None:
    node = simulate(built_in("today"), tmp_path)
    seen = facts.read(node)
    for role in ("ssh", "default route", "bond", "root disk"):
        object.__setattr__(seen.guests, "roles", (Role("0000:3b:00.0", role, "x"),))
        plan = make_plan(seen, suggestion.suggest(seen))
        labelled = {step.path for step in plan.steps if isinstance(step, WriteSysfs) and "drops-network" in step.labels}
        assert labelled == {"/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"}
        found = next(finding for finding in plan.findings if finding.code == "VFS-CARRIES-NODE")
        assert role in found.seen
        assert "--confirm" in found.do


def test_module_options_of_a_card_that_carries_the_node_say_so(demo: SimulatedNode) -> None:
    seen = facts.read(demo)
    object.__setattr__(seen.guests, "roles", (Role("0000:04:00.0", "ssh", "ib0"),))
    plan = make_plan(seen, suggestion.suggest(seen))
    assert [step_text.title(step) for step in plan.steps if "drops-network" in step.labels] == [
        "write /etc/modprobe.d/mlx4_core.conf"
    ]
