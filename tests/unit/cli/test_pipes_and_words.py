"""What the command line says when it is used a little differently: pipes, a used plan, another host, an undone node."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path

import pytest
from calling import call, written

from wizard.answers import suggestion
from wizard.apply import launch, staleness
from wizard.errors import Exit, InputError, Refused
from wizard.facts import facts
from wizard.model import plan as plans
from wizard.planning.planner import make_plan
from wizard.planning.undo import undo_plan
from wizard.planning.verification import undone
from wizard.runs.journal import follow
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return written(tmp_path / "origin")


class Piped(io.TextIOWrapper):
    """Standard input with this in it."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO(text.encode()))


def test_a_plan_goes_to_standard_output_whole_and_comes_from_standard_input(
    origin: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = call(capsys, "plan", "--root", str(origin), "--out", "-")
    assert code == Exit.CHANGES
    plan = plans.from_json(out, "here")
    assert plan.complete
    assert not (Path.cwd() / "-").exists()
    monkeypatch.setattr("sys.stdin", Piped(out))
    code, out, err = call(capsys, "apply", "-", "--root", str(origin), "--files-only", "--yes")
    assert (code, err) == (Exit.DONE, "")
    monkeypatch.setattr("sys.stdin", Piped(plan.to_json()))
    code, _, err = call(capsys, "apply", "-", "--root", str(origin), "--files-only", "--yes")
    assert code == Exit.REFUSED
    assert "this plan was used already, by run 0001" in err


def test_answers_come_from_standard_input_and_from_pipes(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested = call(capsys, "suggest", "--root", str(origin))[1]
    by_file = tmp_path / "answers.toml"
    by_file.write_text(suggested, encoding="utf-8")
    expected = call(capsys, "plan", "--json", "--root", str(origin), "--answers", str(by_file))[1]
    monkeypatch.setattr("sys.stdin", Piped(suggested))
    assert call(capsys, "plan", "--json", "--root", str(origin), "--answers", "-")[1] == expected
    reader, writer = os.pipe()

    def fill() -> None:
        os.write(writer, suggested.encode())
        os.close(writer)

    thread = threading.Thread(target=fill)
    thread.start()
    said = call(capsys, "plan", "--json", "--root", str(origin), "--answers", f"/dev/fd/{reader}")
    thread.join()
    os.close(reader)
    assert said[1] == expected


@pytest.mark.parametrize("given", ["", "x" * (1024 * 1024 + 1)])
def test_what_cannot_be_answers_is_refused_on_standard_input(
    origin: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr("sys.stdin", Piped(given))
    code, _, err = call(capsys, "plan", "--root", str(origin), "--answers", "-")
    assert code == Exit.ERROR
    assert "standard input" in err or "-: " in err


def test_a_script_is_printed(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "export", "script", "--root", str(origin), "--out", "-")
    assert code == Exit.DONE
    assert out.startswith("#!/bin/sh\n")


@pytest.mark.parametrize(
    ("written_as", "right"),
    [
        ('interface = "eth0"', "netdev"),
        ('Interface = "eth0"', "netdev"),
        ('ifname = "eth0"', "netdev"),
        ('bdf = "0000:04:00.0"', "address"),
        ('pci_address = "0000:04:00.0"', "address"),
        ('mac_address = "24:8a:07:11:22:33"', "mac"),
        ('serial-number = "MT1"', "serial"),
        ('vendor_id = "15b3"', "vendor"),
    ],
)
def test_a_key_by_another_name_is_answered_with_the_right_one(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], written_as: str, right: str
) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(
        f'format = "compute-wizard.answers/1"\n[[vfs.card]]\nmatch = {{ {written_as} }}\ncount = 4\n', encoding="utf-8"
    )
    code, _, err = call(capsys, "plan", "--root", str(origin), "--answers", str(path))
    assert code == Exit.ERROR
    assert f"{written_as.split(maxsplit=1)[0]}: is not a known key; write {right} instead" in err


def test_a_key_that_is_like_nothing_names_those_that_are_known(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(
        'format = "compute-wizard.answers/1"\n[[vfs.card]]\nmatch = { x = 1 }\ncount = 4\n', encoding="utf-8"
    )
    err = call(capsys, "plan", "--root", str(origin), "--answers", str(path))[2]
    assert "is not a known key; known here: address, mac, netdev, product, serial, vendor" in err


def nodes(tmp_path: Path, machine_id: bool) -> SimulatedNode:
    node = built_in("demo")
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        if node.exists(path) and not machine_id:
            node.write(path, "")
    return simulate(node, tmp_path / "node")


def test_a_plan_of_a_node_without_a_machine_id_is_not_for_another_host(tmp_path: Path) -> None:
    node = nodes(tmp_path, machine_id=False)
    seen = facts.read(node)
    assert not seen.system.machine_id
    plan = make_plan(seen, suggestion.suggest(seen))
    assert staleness.differences(node, plan) == []
    for path in ("/proc/sys/kernel/hostname", "/etc/hostname"):
        node.place(path).parent.mkdir(parents=True, exist_ok=True)
        node.place(path).write_text("compute-99\n", encoding="ascii")
    assert staleness.differences(node, plan) == [
        f"the plan was made for {seen.system.hostname}, and this is compute-99"
    ]
    with pytest.raises(Refused, match="this is compute-99"):
        launch.start(node.directory, plan, simulated=True)


def test_a_used_plan_says_so_before_anything_else(tmp_path: Path) -> None:
    """All that it expects is otherwise since: because it was used."""
    node = nodes(tmp_path, machine_id=True)
    seen = facts.read(node)
    plan = make_plan(seen, suggestion.suggest(seen))
    started = launch.start(node.directory, plan, simulated=True)
    list(follow(started.journal))
    with pytest.raises(Refused) as refused:
        launch.start(node.directory, plan, simulated=True)
    assert str(refused.value).startswith(f"this plan was used already, by run {started.run}")


def test_verify_of_an_undone_node_says_what_is_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = nodes(tmp_path, machine_id=True)
    seen = facts.read(node)
    assert undone(seen) is None
    first = launch.start(node.directory, make_plan(seen, suggestion.suggest(seen)), simulated=True)
    list(follow(first.journal))
    seen = facts.read(node)
    assert undone(seen) is None
    back = launch.start(node.directory, undo_plan(seen, node, None, str(node.directory), {}), simulated=True)
    list(follow(back.journal))
    monkeypatch.setattr("wizard.cli.verify.open_node", lambda _: node)
    code, out, err = call(capsys, "verify", "--root", str(node.directory))
    assert (code, err) == (Exit.DONE, "")
    assert f"run {first.run} was undone by run {back.run}" in " ".join(out.split())
    assert "failed" not in out.lower()
    assert "undo`" not in out
    code, out, _ = call(capsys, "verify", "--json", "--root", str(node.directory))
    data = json.loads(out)
    assert (code, data["compared_with"]) == (Exit.DONE, {"kind": "undone"})
    assert [check["state"] for check in data["checks"]] == ["held"]
    # what is asked for by answers is looked at all the same
    answers = tmp_path / "answers.toml"
    answers.write_text('format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n', encoding="utf-8")
    assert call(capsys, "verify", "--root", str(node.directory), "--answers", str(answers))[0] != Exit.DONE


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    from wizard.answers import files

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="a FIFO or a pipe that nobody writes to"):
        files.load(tmp_path / "pipe")
