"""The runner is started by programs of the node's own, whatever the caller's PATH holds, and by the other way where one fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prior_states import planned_here

from wizard.apply import launch
from wizard.errors import Exit
from wizard.node.live import ENVIRONMENT, LiveNode
from wizard.runs.journal import follow, read
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode

STARTS = 'while [ "${1#/}" = "$1" ]; do shift; done\n"$@" &\n'
MANAGERS = {
    "starts it": STARTS,
    "starts it, twice": f'{STARTS}sleep 0.1\n"$@" &\n',
    "fails": "exit 1\n",
    "says that all is well": "exit 0\n",
    "hangs": "sleep 30\n",
    "is no program": None,
    "is not there": "",
}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedNode]:
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("systemd-run", "python3", "python", "sh", "env"):
        (evil / name).write_text(f"#!/bin/sh\n: >{tmp_path}/hurt\n", encoding="ascii")
        (evil / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{evil}:/usr/bin:/bin")
    monkeypatch.setenv("LD_BIND_NOW", "of the caller")
    (tmp_path / "systemd").mkdir()
    monkeypatch.setattr(launch, "SYSTEMD", tmp_path / "systemd")
    monkeypatch.setattr(launch, "UNIT_DEADLINE", 1)
    yield simulate(built_in("demo"), tmp_path / "node")
    assert not (tmp_path / "hurt").exists()


@pytest.mark.parametrize("manager", MANAGERS)
def test_the_run_is_carried_out_once(
    manager: str, node: SimulatedNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, text = tmp_path / "systemd-run", MANAGERS[manager]
    if text is None:
        own.write_bytes(b"\x7fELF, but for another machine")
    elif text:
        own.write_text(f"#!/bin/sh\nenv >{tmp_path}/environment\n{text}", encoding="ascii")
    if text != "":
        own.chmod(0o755)
    monkeypatch.setattr(LiveNode, "command", lambda _, name: str(own) if own.exists() else None)
    if not manager.startswith("starts"):
        monkeypatch.setattr(launch, "BEGIN", 0.3)
    started = launch.save(node.directory, planned_here(node), "rollback", "simulated")
    launch._spawn(node.directory, started.run, started.directory, "live", 0)
    list(follow(started.journal))
    assert launch.result(started) is Exit.DONE
    assert [event["event"] for event in read(started.journal)].count("begin") == 1
    assert (started.directory / "runner.log").exists() is not manager.startswith("starts")
    if text:
        seen = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text(encoding="utf-8").splitlines())
        assert {name: seen.get(name) for name in ENVIRONMENT} == ENVIRONMENT
        assert "LD_BIND_NOW" not in seen
