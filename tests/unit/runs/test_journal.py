"""The journal tells the truth, is never lost in silence, and is read by later versions; commands are bounded in every way."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import needs
import pytest
from hypothesis import given, settings
from prior_states import run_here
from strategies import any_answers

from wizard.answers import files as answer_files
from wizard.answers import suggestion
from wizard.apply import backends as outside
from wizard.apply import launch
from wizard.apply.backends import LiveBackend
from wizard.apply.leftovers import refuse_beside_leftovers
from wizard.apply.system_log import SystemLog
from wizard.cli import apply as command_apply
from wizard.cli import main as cli
from wizard.errors import Exit, NodeError, Refused
from wizard.facts import facts
from wizard.model import plan as plans
from wizard.model.plan import Plan
from wizard.model.steps import PHASES, RunCommand, WriteFile
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


# commands


def test_a_command_that_hangs_is_ended_with_all_that_it_started(live: LiveBackend, tmp_path: Path) -> None:
    script = f"sleep 1000 & echo $! >{tmp_path}/child; echo $$ >{tmp_path}/parent; wait"
    with pytest.raises(NodeError, match="had not ended after 1 seconds"):
        live.run(["/bin/sh", "-c", script], 1, lambda _: None)
    for name in ("child", "parent"):
        pid = (tmp_path / name).read_text().strip()
        until(lambda pid=pid: not _lives(pid))


def test_a_command_that_does_not_end_by_being_killed_is_named_and_not_waited_for(
    live: LiveBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that hangs in the kernel: here nothing kills it."""
    begun: list[subprocess.Popen[bytes]] = []

    class Started(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **more)
            begun.append(self)

        def kill(self) -> None:
            """It does not end by that."""

    monkeypatch.setattr(subprocess, "Popen", Started)
    monkeypatch.setattr(outside, "GRACE", 0.2)
    killed: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "killpg", lambda group, _: killed.append(group))
        with pytest.raises(NodeError) as told:
            live.run(["/bin/sleep", "1000"], 1, lambda _: None)
    assert killed == [begun[0].pid]
    assert begun[0].poll() is None
    assert f"hangs in the kernel: process {begun[0].pid}" in str(told.value)
    os.killpg(begun[0].pid, signal.SIGKILL)
    begun[0].wait()


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Any) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_disks_are_flushed_each_once_and_no_other_file_system(tmp_path: Path) -> None:
    log = tmp_path / "log"
    places = [str(tmp_path), str(tmp_path / "none"), "/", "/etc"]
    words = ["strace", "-f", "-qq", "-y", "-e", "trace=sync,syncfs", "-o", str(log)]
    module = [sys.executable, "-I", "-m", "wizard.apply.flush", *places]
    subprocess.run([*words, *module], check=True, capture_output=True, timeout=300)
    calls = [line.split(" ", 1)[1].strip().split("(")[0] for line in log.read_text().splitlines() if "sync" in line]
    assert calls == ["syncfs"] * len({Path(place).stat().st_dev for place in places if Path(place).exists()})


def test_a_disk_that_does_not_answer_is_told_and_not_waited_for(
    live: LiveBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.flush([str(tmp_path / "file")])
    monkeypatch.setattr(outside, "FLUSH", 0.000001)  # no program starts in that time
    with pytest.raises(NodeError, match="a power cut now may lose it"):
        live.flush([])


def test_a_command_that_floods_its_output_fills_neither_memory_nor_journal(live: LiveBackend, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for script in ("head -c 150000000 /dev/zero", "yes | head -c 3000000"):
        journal.write("step", n=1)
        assert live.run(["/bin/sh", "-c", script], 300, lambda line: journal.output(1, line)) == 0
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 60_000, f"{grown} kB"
    events = read(tmp_path / "journal.jsonl")
    assert sum(event["event"] == "output" for event in events) <= 2 * 2001
    assert (tmp_path / "journal.jsonl").stat().st_size < 40_000_000


def test_what_a_command_says_comes_line_by_line_and_whole(live: LiveBackend) -> None:
    said: list[str] = []
    assert (
        live.run(["/bin/sh", "-c", "printf 'a\\303\\244\\nno end'; printf '\\377\\n' >&2; exit 3"], 60, said.append)
        == 3
    )
    assert said == ["aä", "no end\ufffd"]


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


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("word", "typed", "taken"), [("one-way", "yes", False), ("one-way", "one-way", True), ("yes", "yes", True)]
)
def test_what_cannot_be_taken_back_asks_for_its_own_word(
    word: str, typed: str, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{typed}\n"))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    if taken:
        command_apply.ask(False, word)
    else:
        with pytest.raises(Refused, match="nothing was changed"):
            command_apply.ask(False, word)
    assert f"Type {word}: " in asked.getvalue()


@pytest.mark.parametrize(
    ("typed", "words", "code"),
    [
        ("yes", [], Exit.REFUSED),
        ("one-way", [], Exit.DONE),
        ("", ["--yes"], Exit.REFUSED),
        ("", ["--yes", "--accept", "one-way"], Exit.DONE),
        ("no", ["--accept", "one-way"], Exit.REFUSED),
        ("yes", ["--accept", "one-way"], Exit.DONE),
    ],
)
def test_a_run_that_goes_on_asks_again_before_what_cannot_be_taken_back(
    demo: SimulatedNode, typed: str, words: list[str], code: Exit, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = RunCommand(
        chapters=("vfs",),
        phase="last",
        argv=("mstconfig", "-y", "-d", "0000:04:00.0", "set", "NUM_OF_VFS=32"),
        why=("a test",),
        labels=("one-way",),
    )
    plan = planned(demo)
    started = launch.save(
        demo.directory, plan.model_copy(update={"steps": (*plan.steps[:2], last)}), "stop", "simulated"
    )
    (started.directory / "stop").touch()  # asked to stop before its first step
    run_here(demo.directory, started.run)
    with pytest.raises(Refused, match="still to come"):
        launch.resume(demo.directory, started.run)
    monkeypatch.setattr("sys.stdin", Terminal(f"{typed}\n"))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    monkeypatch.setattr("sys.stdout", said := io.StringIO())
    assert cli.main(["--root", str(demo.directory), "resume", *words]) == code
    assert demo.firmware() == ({"0000:04:00.0": {"NUM_OF_VFS": "32"}} if code is Exit.DONE else {})
    if "--yes" not in words:
        assert "mstconfig" in said.getvalue()
        assert f"Type {'yes' if words else 'one-way'}: " in asked.getvalue()


@settings(max_examples=40, deadline=None)
@given(any_answers())
def test_all_that_can_be_taken_back_comes_before_what_cannot(data: dict[str, Any]) -> None:
    seen = facts.read(built_in("demo"))
    for card in data.get("vfs", {}).get("card", []):
        card["firmware"] = "set"
        card["count"] = 63
    plan = make_plan(seen, answer_files.from_data(data))
    phases = [PHASES.index(step.phase) for step in plan.steps]
    assert phases == sorted(phases)
    one_way = ["one-way" in step.labels for step in plan.steps]
    assert one_way == sorted(one_way)
    for step in plan.steps:
        assert ("one-way" in step.labels) == (step.phase == "last")
