"""The journal tells the truth, is never lost in silence, and is read by later versions; commands are bounded in every way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import needs
import pytest

from wizard.answers import suggestion
from wizard.apply import launch
from wizard.apply.backends import LiveBackend
from wizard.apply.leftovers import refuse_beside_leftovers
from wizard.apply.system_log import SystemLog
from wizard.errors import Exit, NodeError, Refused
from wizard.facts import facts
from wizard.model import plan as plans
from wizard.model.plan import Plan
from wizard.model.steps import WriteFile
from wizard.node.live import LiveNode
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.runs import history, store
from wizard.runs.journal import Journal, JournalLost, follow, read
from wizard.runs.lock import only_run
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

OLD = Path(__file__).with_name("runs_of_old")


@pytest.fixture
def demo(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def planned(node: SimulatedNode) -> Plan:
    seen = facts.read(node)
    return make_plan(seen, suggestion.suggest(seen))


# format


def aged(node: SimulatedNode) -> tuple[launch.Started, Plan]:
    """The node as a run of the first version left it, with the journal that it wrote."""
    (source,) = OLD.iterdir()
    directory = store.state_directory(node.directory) / "runs" / source.name
    directory.parent.mkdir(mode=0o700, parents=True)
    shutil.copytree(source, directory)
    plan = plans.load(directory / "plan.json")
    for step in plan.steps:
        if isinstance(step, WriteFile):
            place = node.place(step.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(step.after.data())
            place.chmod(int(step.after.mode, 8))
    return launch.Started(source.name, directory), plan


def test_a_journal_of_the_first_version_is_read_and_its_run_taken_back(demo: SimulatedNode) -> None:
    needs.root("to undo a run whose files are root's")
    before = demo.read("/etc/nova/nova.conf")
    started, plan = aged(demo)
    (past,) = history.read(demo).runs
    assert (past.state, past.steps_done, past.at[:10]) == ("done", len(plan.steps), "2026-11-24")
    back = launch.start(demo.directory, undo_plan(facts.read(demo), demo, started.run, demo.directory), simulated=True)
    list(follow(back.journal))
    assert launch.result(back) is Exit.DONE
    assert demo.read("/etc/nova/nova.conf") == before
    assert not demo.exists("/etc/dnsmasq-nova.conf")


def test_a_journal_of_a_newer_version_is_refused_by_name(demo: SimulatedNode) -> None:
    started, _ = aged(demo)
    lines = [json.loads(line) for line in started.journal.read_text(encoding="utf-8").splitlines()]
    lines[0]["format"] = "compute-wizard.journal/99"
    started.journal.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    seen = history.read(demo)
    assert seen.runs == ()
    assert ["journal/99" in each.why for each in seen.unseen] == [True]
    with pytest.raises(NodeError, match=r"journal\.jsonl: was written by a newer version"):
        read(started.journal)


def test_every_run_says_which_format_it_has_and_what_is_unknown_is_passed_over(demo: SimulatedNode) -> None:
    started = launch.start(demo.directory, planned(demo), simulated=True)
    events = list(follow(started.journal))
    assert events[0]["format"] == "compute-wizard.journal/2"
    with started.journal.open("a", encoding="utf-8") as file:
        file.write('{"event": "something new", "at": "now", "n": 3, "more": {}}\n')
    assert history.read(demo).runs[0].state == "done"


# writing


@pytest.fixture
def live() -> LiveBackend:
    return LiveBackend(LiveNode())


def test_a_short_write_and_a_full_disk_are_mended_and_a_broken_one_is_lost_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.reserve()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 256 * 1024
    real, asked = os.write, []

    def write(descriptor: int, content: bytes) -> int:
        asked.append(content)
        if len(asked) == 2:
            raise OSError(28, "No space left on device")
        return real(descriptor, content[:20])

    monkeypatch.setattr(os, "write", write)
    journal.write("note", text="a line that is longer than twenty bytes")
    assert not (tmp_path / "reserve").exists()
    assert [event["text"] for event in read(tmp_path / "journal.jsonl")] == ["a line that is longer than twenty bytes"]
    journal.output(1, "dropped: what is left of the disk is for what counts")
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(JournalLost):
        journal.write("note", text="x")
    monkeypatch.undo()
    with pytest.raises(JournalLost, match="Input/output"):
        journal.write("end", result="done")
    assert [event["event"] for event in read(tmp_path / "journal.jsonl")] == ["note"]


def test_what_was_reserved_is_not_for_output_whoever_took_it(
    live: LiveBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that announces itself may be the one that finds the disk full: its parent hears nothing of it."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.reserve()
    real, parent = os.write, os.getpid()
    full = iter([True])

    def write(descriptor: int, content: bytes) -> int:
        if os.getpid() != parent and next(full, False):
            raise OSError(28, "No space left on device")
        return real(descriptor, content)

    monkeypatch.setattr(os, "write", write)
    script = ["/bin/sh", "-c", "seq 100; exit 1"]
    say, announce = (lambda line: journal.output(1, line)), (lambda pid: journal.write("process", n=1, pid=pid))
    assert live.run(script, 60, say, announce) == 1
    assert not (tmp_path / "reserve").exists()
    journal.write("failed", n=1, why="exit status 1")
    assert [event["event"] for event in read(tmp_path / "journal.jsonl")] == ["process", "failed"]


def test_a_reserve_that_was_emptied_is_none(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.reserve()
    journal.output(1, "told")
    os.truncate(tmp_path / "reserve", 0)
    journal.output(1, "not told")
    journal.write("end", result="done")
    assert [event.get("text") for event in read(tmp_path / "journal.jsonl")] == ["told", None]


def test_a_torn_line_is_passed_over_and_the_next_begins_a_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "begin", "run": "x"}\n{"event": "ste', encoding="utf-8")
    Journal(path).write("step", n=1)
    assert [event["event"] for event in read(path)] == ["begin", "step"]


def test_the_log_of_the_machine_gets_the_run_s_id_and_never_holds_anything_up(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        SystemLog("0007-x", path).write("step 3 failed", warn=True)
        assert listening.recv(500).startswith(b"<28>")
        for _ in range(3000):  # nobody reads: more than any queue of the kernel holds
            SystemLog("0007-x", path).write("y" * 500)
        assert b"run 0007-x: y" in listening.recv(2000)
    SystemLog("0007-x", str(tmp_path / "none")).write("nobody is there")


def test_nothing_is_done_beside_a_command_that_a_killed_runner_left(demo: SimulatedNode) -> None:
    boot = "this boot"
    started = launch.save(demo.directory, planned(demo), "rollback", "simulated")
    journal = Journal(started.journal)
    journal.write("begin", run=started.run, boot_id=boot)
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        place = demo.place(f"/proc/{process.pid}")
        place.mkdir()
        (place / "stat").write_bytes(Path(f"/proc/{process.pid}/stat").read_bytes())
        (place / "cmdline").write_bytes(b"update-initramfs\0-u\0")
        journal.write("process", n=9, pid=process.pid)
        with pytest.raises(Refused, match=f"process {process.pid} \\(update-initramfs -u\\)"):
            refuse_beside_leftovers(demo, boot)
        refuse_beside_leftovers(demo, "another boot")
        journal.write("failed", n=9, why="it was heard of again")
        refuse_beside_leftovers(demo, boot)
    finally:
        process.kill()
        process.wait()


def test_a_process_tells_its_pid_before_it_does_anything(live: LiveBackend, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    live.run(
        ["/bin/sh", "-c", "echo $$"],
        60,
        lambda line: journal.output(1, line),
        lambda pid: journal.write("process", n=1, pid=pid),
    )
    told, said = read(tmp_path / "journal.jsonl")
    assert str(told["pid"]) == said["text"]


# one at a time, followed by anybody


def test_the_lock_goes_with_its_runner_and_names_it(demo: SimulatedNode) -> None:
    state = store.state_directory(demo.directory)
    store.new_run(demo.directory)
    script = "import sys, time; from pathlib import Path; from wizard.runs.lock import only_run\nwith only_run(Path(sys.argv[1]), '0005-x'): print('held', flush=True); time.sleep(1000)"
    process = subprocess.Popen([sys.executable, "-I", "-c", script, str(state)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(Refused, match="0005-x"):
        launch.start(demo.directory, planned(demo), simulated=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with only_run(state, "0006-y"):
        pass


def test_the_run_goes_on_when_whoever_follows_it_is_killed_and_is_found_again(demo: SimulatedNode) -> None:
    started = launch.start(demo.directory, planned(demo), simulated=True)
    words = [
        sys.executable,
        "-I",
        "-m",
        "screens.start",
        "history",
        started.run,
        "--follow",
        "--root",
        str(demo.directory),
    ]
    follower = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
    os.killpg(follower.pid, signal.SIGHUP)
    follower.wait()
    assert follower.stdout is not None
    follower.stdout.close()
    events = list(follow(started.journal))
    assert events[-1]["result"] == "done"
    shown = subprocess.run([*words[:3], "screens.start", *words[4:]], capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[0].startswith(f"Run {started.run}")
    assert shown.stdout.splitlines()[-1] == "Done."


# order
