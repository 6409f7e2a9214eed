"""Starts the runner as a process of its own, and asks it things; faces only follow its journal."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wizard import program
from wizard.apply import confirm, rescue_script
from wizard.apply.file_writer import Tree
from wizard.apply.preflight import refuse_obstacles
from wizard.apply.staleness import refuse_if_stale, refuse_if_used
from wizard.apply.trust import refuse_untrusted_program, refuse_untrusted_state
from wizard.dataclass import dataclass
from wizard.errors import Blocked, Exit, InputError, Interrupted, Refused
from wizard.model import plan as plans
from wizard.model.plan import Plan
from wizard.model.steps import RunCommand, Step, StopByPidfile, WriteSysfs
from wizard.node.live import ENVIRONMENT, LiveNode, open_node
from wizard.node.recorded import DirectoryNode
from wizard.runs import event_text, history, selection, store
from wizard.runs import journal as journals
from wizard.runs.lock import refusal, refuse_other
from wizard.runs.overtaken import refuse_overtaken
from wizard.runs.records import LOCK, STOP, Event, fold, lock_holder
from wizard.runs.remaining_steps import ahead

# A child of nobody, in a session of its own: neither the end of the terminal nor that of its parent reaches it.
DETACH = "import os, sys\nif os.fork():\n    os._exit(0)\nos.setsid()\nos.execv(sys.argv[1], sys.argv[1:])"
SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
UNIT_DEADLINE = 30  # seconds for systemd to take a unit
BEGIN = 10.0  # seconds for a runner to be heard of, before the other way is tried
HOME = "--setenv=HOME=/root"  # without it Python asks the name service for one, which may hang
RESULTS = {
    "done": Exit.DONE,
    "refused": Exit.REFUSED,
    "rolled_back": Exit.ROLLED_BACK,
    "failed": Exit.NOT_ROLLED_BACK,
    "stopped": Exit.NOT_ROLLED_BACK,
}


@dataclass(frozen=True, slots=True)
class Started:
    """A run that was started: its name, its directory and its journal. `after` is how many events that holds of before."""

    run: str
    directory: Path
    after: int = 0

    @property
    def journal(self) -> Path:
        return self.directory / "journal.jsonl"


def start(
    root: str | Path,
    plan: Plan,
    *,
    on_failure: str = "rollback",
    files_only: bool = False,
    simulated: bool = False,
    accept: Sequence[str] = (),
    confirm_minutes: int = 0,
) -> Started:
    """Check the plan, save it, and start the runner. Raises Refused, Blocked or InputError before anything is touched."""
    place = Path(root).resolve()
    commands = _commands(place, plan, files_only, simulated)
    node = open_node(str(root)) if not simulated else DirectoryNode(place)
    if not isinstance(node, DirectoryNode):
        raise InputError(
            "a tar is read only", where=str(root), do="Unpack it, or export the plan as a script.", code="TAR-READ-ONLY"
        )
    if commands == "live" and os.geteuid() != 0:
        raise Refused(
            "changing this node needs root rights",
            do="Save the plan with `plan --out FILE`, and apply it as root.",
            code="NEEDS-ROOT",
        )
    if plan.stopped:
        raise Blocked("a finding blocks this plan", do="`compute-wizard check` says which, and what to do.")
    if any("one-way" in step.labels for step in plan.steps) and "one-way" not in accept:
        raise Refused(
            "the plan has a step that cannot be taken back",
            do="Say --accept one-way if you mean it.",
            code="NEEDS-ACCEPT",
        )
    if confirm_minutes and any("one-way" in step.labels for step in plan.steps):
        raise Refused(
            "a run with a step that cannot be taken back cannot be taken back by itself",
            do="Leave out --confirm, or answer so that the step is not needed.",
            code="CONFIRM-ONE-WAY",
        )
    _refuse_untrusted(place, commands)
    refuse_other(store.state_directory(place))
    holder = lock_holder(store.state_directory(place) / LOCK)
    if holder is not None:
        raise refusal(holder)
    refuse_if_used(node, plan)  # first: what it expects is not so any more because it was used
    refuse_if_stale(node, plan, live=commands == "live")
    refuse_overtaken(node, "", plan, begun=False)
    refuse_obstacles(Tree(place), plan, store.state_directory(place), runs_commands=commands != "none")
    started = save(place, plan, on_failure, commands, confirm_minutes)
    _spawn(place, started.run, started.directory, commands, started.after)
    return started


def save(place: Path, plan: Plan, on_failure: str, commands: str, confirm_minutes: float = 0) -> Started:
    """Put a new run where its runner finds it: the plan, how it is to be run, and the way back without this tool."""
    run, directory = store.new_run(place)
    store.write(directory / "plan.json", plan.to_json().encode())
    store.write(directory / rescue_script.NAME, rescue_script.script(plan).encode())
    options = {"on_failure": on_failure, "commands": commands, "confirm_minutes": confirm_minutes}
    store.write(directory / "options.json", json.dumps(options).encode())
    return Started(run, directory)


def _refuse_untrusted(place: Path, commands: str) -> None:
    """Where somebody else could write the journals and plans, or as root the program itself, nothing is started."""
    refuse_untrusted_state(store.state_directory(place), place)
    if commands == "live":
        refuse_untrusted_program()


def _commands(place: Path, plan: Plan, files_only: bool, simulated: bool) -> str:
    if simulated:
        return "simulated"
    if place == Path("/") and not files_only:
        return "live"
    if not files_only and any(isinstance(step, RunCommand | WriteSysfs | StopByPidfile) for step in plan.steps):
        raise Refused(
            "commands are not run below a root other than /",
            do=_way_back(place, plan.undoes)
            if plan.undoes
            else "Say --files-only: files are written, commands only listed.",
            code="NEEDS-LIVE-ROOT",
        )
    return "none"


def _way_back(place: Path, run: str) -> str:
    script = shlex.join(["sh", str(store.run_directory(place, run) / rescue_script.NAME)])
    return f"`{script}` puts the run's files back and lists the commands that are left. Or undo it on the node itself."


def _spawn(place: Path, run: str, directory: Path, commands: str, events: int) -> None:
    """Start the runner where its journal has so many events: as a unit where that is possible, else as a process of nobody's.

    A unit that comes too late does nothing any more, so that trying both ways starts one runner."""
    argv = program.argv("wizard.apply.runner", str(place), run, str(events))
    if commands == "live" and SYSTEMD.is_dir() and _as_unit(run, argv) and _began(place, run, directory, events):
        return
    with os.fdopen(
        os.open(directory / "runner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "wb"
    ) as log:
        words = [sys.executable, "-I", "-c", DETACH, *argv]
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=ENVIRONMENT, check=True)


def _as_unit(run: str, argv: Sequence[str]) -> bool:
    """Start it as a transient unit, so that even the end of the session's scope leaves it alone; whether systemd took it.

    systemd-run is looked for where every command of a plan is, never by the caller's PATH."""
    manager = LiveNode().command("systemd-run")
    if manager is None:
        return False
    unit = "compute-wizard-apply-" + re.sub(r"[^A-Za-z0-9]", "-", run)
    words = [manager, "--quiet", "--collect", f"--unit={unit}", "--property=KillMode=process", HOME, *argv]
    try:
        said = subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # no pipe: whatever it leaves behind would hold it open
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            timeout=UNIT_DEADLINE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.returncode == 0


def _began(place: Path, run: str, directory: Path, events: int) -> bool:
    """Whether a runner was heard of within seconds: it took the lock, or wrote a word. A manager may say that all is well and
    start nothing, as one does that is reached out of a chroot."""
    end = time.monotonic() + BEGIN
    while True:
        took = lock_holder(store.state_directory(place) / LOCK) == run
        if took or len(journals.read(directory / "journal.jsonl")) != events:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(journals.POLL)


def resume(root: str | Path, run: str, accept: Sequence[str] = ()) -> Started:
    """Go on with a run that was cut short, after the last step that held. Raises Refused where something changed since, or
    where a step that cannot be taken back is still to come and `accept` does not hold its word."""
    place = Path(root).resolve()
    directory = store.run_directory(place, run)
    refuse_other(store.state_directory(place))
    holder = lock_holder(store.state_directory(place) / LOCK)
    if holder is not None:
        raise refusal(holder)
    options = json.loads((directory / "options.json").read_text(encoding="utf-8"))
    live = options["commands"] == "live"
    _refuse_elsewhere(place, run, options)
    if live and os.geteuid() != 0:
        raise Refused("changing this node needs root rights", do="Resume it as root.", code="NEEDS-ROOT")
    _refuse_untrusted(place, options["commands"])
    before = journals.read(directory / "journal.jsonl")
    plan, record = plans.load(directory / "plan.json"), fold(before)
    selection.to_go_on(history.read(DirectoryNode(place)), run)
    if "one-way" not in accept and any("one-way" in step.labels for step in ahead(plan, record)):
        raise Refused(
            "a step that cannot be taken back is still to come",
            do=f"`compute-wizard resume {run}` asks for its word; without a terminal say --accept one-way.",
            code="NEEDS-ACCEPT",
        )
    refuse_if_stale(DirectoryNode(place), plan, record, live=live)
    (directory / STOP).unlink(missing_ok=True)
    _spawn(place, run, directory, options["commands"], len(before))
    return Started(run, directory, len(before))


def _refuse_elsewhere(place: Path, run: str, options: Mapping[str, Any]) -> None:
    """Raises Refused for a run of another machine whose commands would be run on this one."""
    if options["commands"] == "live" and place != Path("/"):
        raise Refused(
            f"run {run} runs commands, and they are not run below a root other than /",
            do=f"Go on with it on the node itself. {_way_back(place, run)}",
            code="NEEDS-LIVE-ROOT",
        )


def still_to_do(root: str | Path, run: str) -> list[Step]:
    """The steps that a run which was cut short has still to do."""
    directory = store.run_directory(Path(root).resolve(), run)
    return ahead(plans.load(directory / "plan.json"), fold(journals.read(directory / "journal.jsonl")))


def answer(root: str | Path, run: str, *, keep: bool) -> Started:
    """Keep a run that waits for its confirmation, or have it taken back. Where its runner is gone, another goes on for it."""
    place = Path(root).resolve()
    directory = store.run_directory(place, run)
    with store.alone(directory):  # of two that answer at once, the first one counts
        before = journals.read(directory / "journal.jsonl")
        if fold(before).waiting is None:
            raise InputError(
                f"run {run} does not wait for its confirmation",
                do="`compute-wizard history` shows its state.",
                code="NOTHING-WAITS",
            )
        gone = lock_holder(store.state_directory(place) / LOCK) is None
        if gone:
            _refuse_elsewhere(place, run, json.loads((directory / "options.json").read_text(encoding="utf-8")))
        said, other = (confirm.KEEP, confirm.TAKE_BACK) if keep else (confirm.TAKE_BACK, confirm.KEEP)
        if (directory / other).exists() and not gone:
            raise Refused(
                f"run {run} was answered otherwise a moment before",
                do="`compute-wizard history` shows its state.",
                code="CONFIRM-LATE",
            )
        (directory / other).unlink(missing_ok=True)  # of an answer that no runner came to see
        store.write(directory / said, b"")
    if lock_holder(store.state_directory(place) / LOCK) is None:
        return _gone_on(root, run, len(before))
    return Started(run, directory, len(before))


def _gone_on(root: str | Path, run: str, before: int) -> Started:
    """Let another runner see the answer; where the old one did, right now, there is no more to be done."""
    try:
        return resume(root, run)
    except Refused:
        directory = store.run_directory(Path(root).resolve(), run)
        if fold(journals.read(directory / "journal.jsonl")).waiting is None:
            return Started(run, directory, before)
        raise


def request_stop(started: Started) -> None:
    """Ask the runner to stop between two steps."""
    store.write(started.directory / STOP, b"")


def is_over(started: Started) -> bool:
    """Whether the run has ended."""
    return any(event["event"] == "end" for event in journals.read(started.journal)[-1:])


def result(started: Started) -> Exit:
    """How the run ended, as an exit code."""
    all_ends = [event for event in journals.read(started.journal)[started.after :] if event["event"] == "end"]
    # an attempt to go on that came too late was refused, and is no end of the run that it came too late for
    ends = [event for event in all_ends if event["result"] != "refused"] or all_ends
    if not ends:
        log = started.directory / "runner.log"
        said = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
        raise Interrupted(
            f"the runner of {started.run} is gone without a word{': ' + said.splitlines()[-1] if said else ''}",
            do="`compute-wizard history` shows how far it came; `resume` goes on, `undo` takes it back.",
        )
    return RESULTS.get(str(ends[-1]["result"]), Exit.NOT_ROLLED_BACK)


def events(root: str | Path, run: str, *, follow_it: bool) -> Iterator[Event]:
    """The journal of a run: as far as it is, or as it grows to its end."""
    path = store.run_directory(Path(root).resolve(), run) / "journal.jsonl"
    return journals.follow(path) if follow_it else iter(journals.read(path))


def line_for(event: Event) -> str:
    """An event as a line for people."""
    return event_text.sentence(event)
