"""The support bundle: whole, readable, for its owner only, and nothing of the node is changed by it."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from pathlib import Path

import pytest
from injection import snapshot
from prior_states import carried_out, planned_here, take_back

from wizard.cli import main as cli
from wizard.errors import Exit
from wizard.export import support_bundle
from wizard.facts import facts
from wizard.runs.history import RUNS
from wizard.simulator.built_in import built_in, simulate
from wizard.simulator.simulated_node import SimulatedNode


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return simulate(built_in("demo"), tmp_path / "node")


def record(node: SimulatedNode, argv: list[str], stdout: str, status: int = 0) -> None:
    """Let the node answer a command."""
    place = node.place(f"/.compute-wizard/commands/{argv[0]}")
    place.mkdir(parents=True)
    (place / "argv").write_text("\n".join(argv), encoding="utf-8")
    (place / "stdout").write_text(stdout, encoding="utf-8")
    (place / "status").write_text(str(status), encoding="utf-8")


def unpacked(content: bytes) -> dict[str, str]:
    """The files of a bundle by their names below its one directory."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found = {}
        for entry in archive.getmembers():
            file = archive.extractfile(entry)
            assert file is not None and entry.mode == 0o600
            found[entry.name.partition("/")[2]] = file.read().decode()
        assert len({entry.name.partition("/")[0] for entry in archive.getmembers()}) == 1
        return found


def test_it_holds_what_was_seen_and_done(node: SimulatedNode) -> None:
    run = carried_out(node, planned_here(node))
    take_back(node, run)
    record(node, ["dmesg"], "[    0.000000] Linux version 4.4.0\n[    1.2] mlx4_core 0000:04:00.0: up\n")
    before = snapshot(node.directory)
    undo = facts.read(node).history.runs[1].id
    files = unpacked(support_bundle.packed(support_bundle.parts(node, facts.read(node)), "compute-03")[0])
    assert snapshot(node.directory) == before
    assert {name for name in files if "/" not in name} == {
        "README.txt",
        "versions.txt",
        "facts.json",
        "inspect.txt",
        "findings.txt",
        "verify.txt",
        "history.txt",
        "kernel.log",
    }
    assert {name for name in files if "/" in name} == {
        f"{each}/{name}" for each in (run, undo) for name in ("plan.json", "journal.jsonl", "options.json")
    }
    assert json.loads(files["facts.json"])["system"]["hostname"] == "compute-03"
    assert "grub-pc 2.02~beta2-36ubuntu3.32" in files["versions.txt"]
    assert "compute-wizard " in files["versions.txt"]
    assert "mlx4_core 0000:04:00.0: up" in files["kernel.log"]
    assert "undone" in files["history.txt"]
    plan = json.loads(files[f"{run}/plan.json"])
    assert plan["complete"] is False
    conf = next(step for step in plan["steps"] if step.get("path") == "/etc/nova/nova.conf")
    assert conf["after"]["content"] is None
    events = [json.loads(line)["event"] for line in files[f"{run}/journal.jsonl"].splitlines()]
    assert (events[0], events[-1]) == ("begin", "end")
    for name in files:
        if name != "README.txt":
            assert f"  {name}: " in files["README.txt"]


def test_what_is_not_there_is_named(node: SimulatedNode) -> None:
    found = {part.name: part for part in support_bundle.parts(node, facts.read(node))}
    assert found["kernel.log"].text is None
    assert "kernel.log: left out: " in support_bundle.packed(list(found.values()), "")[1]
    record(node, ["dmesg"], "", 1)
    found = {part.name: part for part in support_bundle.parts(node, facts.read(node))}
    assert found["kernel.log"].text is None


def test_one_run_comes_with_what_took_it_back_and_no_other(node: SimulatedNode) -> None:
    first = carried_out(node, planned_here(node))
    take_back(node, first)
    other = carried_out(node, planned_here(node))
    runs = [run.id for run in facts.read(node).history.runs]
    named = {
        part.name.partition("/")[0] for part in support_bundle.parts(node, facts.read(node), "2") if "/" in part.name
    }
    assert named == {first, runs[1]}
    assert other not in named
    node.place(f"/var/lib/compute-wizard/runs/{other}/plan.json").write_text("{", encoding="utf-8")
    parts = {part.name: part for part in support_bundle.parts(node, facts.read(node))}
    assert parts[f"{first}/plan.json"].text is not None


@pytest.mark.parametrize("named", [True, False])
def test_a_run_that_cannot_be_read_comes_too_with_the_reason(node: SimulatedNode, named: bool) -> None:
    run = carried_out(node, planned_here(node))
    node.place(f"{RUNS}/{run}/plan.json").write_text("{", encoding="utf-8")
    parts = support_bundle.parts(node, facts.read(node), run if named else None)
    files = unpacked(support_bundle.packed(parts, "compute-03")[0])
    assert f"{run}/journal.jsonl" in files
    assert f"{run}/plan.json" not in files
    assert f"{run}/plan.json: left out: " in files["README.txt"]
    assert "plan.json is not a plan of this tool" in " ".join(files["history.txt"].split())
    assert f"What run {run} was asked for" in files["verify.txt"]


def test_a_long_log_begins_with_a_whole_line(node: SimulatedNode) -> None:
    line = "x" * 70 + " password = hunter2\n"
    record(node, ["dmesg"], line * (support_bundle.MOST_TEXT // len(line) + 100))
    found = next(part.text for part in support_bundle.parts(node, facts.read(node)) if part.name == "kernel.log")
    assert found is not None
    assert set(found.splitlines()) == {"x" * 70 + " password = ***"}
    assert len(found) <= support_bundle.MOST_TEXT


def test_the_command_writes_it_for_its_owner_and_says_what_is_in_it(
    node: SimulatedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "b.tar.gz"
    out.write_bytes(b"old")
    out.chmod(0o644)
    assert cli.main(["--root", str(node.directory), "bundle", "--out", str(out)]) == Exit.DONE
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    said = capsys.readouterr()
    assert said.err == ""
    assert unpacked(out.read_bytes())["README.txt"] in said.out
    assert "before you send" in said.out
    assert cli.main(["--root", str(node.directory), "bundle", "77", "--out", str(out)]) == Exit.ERROR
    assert "there is no run 77" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert cli.main(["--root", str(node.directory), "bundle"]) == Exit.DONE
    (written,) = set(tmp_path.iterdir()) - before
    assert written.name in capsys.readouterr().out
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_its_own_words_are_not_masked(node: SimulatedNode) -> None:
    """The README goes through the same net as everything else."""
    readme = support_bundle.packed(support_bundle.parts(node, facts.read(node)), "compute-03")[1]
    assert readme.startswith("No program knows every secret: look these files over before you send them.\n")
    assert "whatever looks like a password, a key, a token or a login in any other text stand as ***." in readme
    assert readme.count("***") == 1  # what stands in the place of a secret is named, and nothing is hidden
