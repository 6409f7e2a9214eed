"""What this tool keeps is its owner's alone: every directory 0700, every file 0600, after whatever was done."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from prior_states import carried_out, planned_here, take_back

from screens.shared.session import NodeEngine
from screens.terminal import guard
from wizard import locations
from wizard.answers import drafts, suggestion
from wizard.apply import launch
from wizard.cli import main as cli
from wizard.errors import Exit
from wizard.facts import facts
from wizard.model.steps import RunCommand
from wizard.runs import store
from wizard.runs.journal import follow
from wizard.runs.records import STATE
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


@pytest.fixture(params=[0o022, 0o000, 0o077], ids=["umask 022", "umask 000", "umask 077"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatedNode]:
    """A node in a directory, whatever the umask of the shell."""
    made = simulate(built_in("demo"), tmp_path / "node")
    kept = os.umask(request.param)
    try:
        yield made
    finally:
        os.umask(kept)


def test_all_that_is_kept_is_its_owner_s_alone(
    node: SimulatedNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = node.directory / STATE.lstrip("/")
    mine = tmp_path / "mine"
    own = SimpleNamespace(**{name: str(mine / name) for name in ("site_state_dir", "user_state_dir")})
    own.site_log_dir = own.user_log_dir = str(mine / "log")
    monkeypatch.setattr(locations, "DIRECTORIES", own)
    deeds: dict[str, Callable[[], object]] = {
        "a run": lambda: started(node),
        "an undo": lambda: take_back(node, store.runs(node.directory)[-1].name),
        "a run that fails and is rolled back": lambda: failed(node, "rollback"),
        "a run that fails and stops": lambda: failed(node, "stop"),
        "a run that is killed": lambda: carried_out(node, planned_here(node), 20),
        "a run that is asked to stop": lambda: launch.request_stop(latest(node)),
        "an export": lambda: exported(node, mine / "the.sh"),
        "a bundle": lambda: called(node, "bundle", "--out", str(mine / "the.tar.gz")),
        "a saved plan": lambda: called(node, "plan", "--out", str(mine / "the.plan")),
        "a draft": lambda: drafts.save_draft("/", suggestion.suggest(facts.read(node))),
        "a report of a defect": lambda: guard.keep_report("ValueError"),
    }
    mine.mkdir(mode=0o700)
    for name, do in deeds.items():
        do()
        assert wrong(state) + wrong(mine) == [], name
    assert {"lock", "runs", "verify-due"} >= {path.name for path in state.iterdir()} >= {"lock", "runs"}
    names = {path.name for path in state.rglob("*")}
    assert names >= {
        "plan.json",
        "options.json",
        "journal.jsonl",
        "undo.sh",
        "runner.log",
        "stop",
        "backup",
        "0001.state",
    }
    assert {path.name for path in mine.rglob("*")} >= {"the.sh", "the.tar.gz", "the.plan", "drafts", "this-node.toml"}


def wrong(directory: Path) -> list[str]:
    """What others could read, or is somebody else's; an exported script may be run by its owner."""
    found = []
    for path in [directory, *directory.rglob("*")]:
        status = path.lstat()
        wanted = 0o700 if stat.S_ISDIR(status.st_mode) or path.name == "the.sh" else 0o600
        if stat.S_IMODE(status.st_mode) != wanted or status.st_uid != os.geteuid() or path.is_symlink():
            found.append(f"{path}: {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid}")
    return found


def latest(node: SimulatedNode) -> launch.Started:
    return launch.Started(store.runs(node.directory)[-1].name, store.runs(node.directory)[-1])


def started(node: SimulatedNode, code: Exit = Exit.DONE) -> None:
    run = launch.start(node.directory, planned_here(node), simulated=True)
    list(follow(run.journal))
    assert launch.result(run) is code


def failed(node: SimulatedNode, on_failure: str) -> None:
    plan = planned_here(node)
    bad = RunCommand(chapters=("iommu",), phase="live", argv=("no-such-command",), why=("a test",))
    steps = (*plan.steps[:9], bad)
    run = launch.start(node.directory, plan.model_copy(update={"steps": steps}), simulated=True, on_failure=on_failure)
    list(follow(run.journal))
    assert launch.result(run) is (Exit.ROLLED_BACK if on_failure == "rollback" else Exit.NOT_ROLLED_BACK)


def exported(node: SimulatedNode, path: Path) -> None:
    seen = facts.read(node)
    NodeEngine(node, str(node.directory), True).export_script(seen, planned_here(node), str(path))


def called(node: SimulatedNode, *words: str) -> None:
    assert cli.main(["--root", str(node.directory), *words]) in (Exit.DONE, Exit.CHANGES, Exit.BLOCKED)
