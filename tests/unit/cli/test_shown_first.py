"""apply and undo: what is shown before a question or in place of a run, and that advice leads somewhere."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from calling import call, written

from wizard.cli import parser
from wizard.probes.metadata import probe as metadata
from wizard.probes.registry import proofs
from wizard.simulator import built_in as demo

ANSWERS = 'format = "compute-wizard.answers/1"\n'
IOMMU = f"{ANSWERS}[iommu]\nenable = true\n"
NO_CARD = f'{ANSWERS}[[vfs.card]]\nmatch = {{ serial = "none-such" }}\ncount = 4\n'


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written(tmp_path / "origin")


def answers(root: Path, text: str = IOMMU) -> str:
    path = root.parent / "answers.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def apply(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    """apply --json below a directory: the exit code, the lines of JSON, and stderr."""
    code, out, err = call(capsys, "apply", "--root", str(root), "--files-only", "--json", *words)
    return code, [json.loads(line) for line in out.splitlines()], err


def types(monkeypatch: pytest.MonkeyPatch, word: str) -> Terminal:
    monkeypatch.setattr("sys.stdin", Terminal(f"{word}\n"))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    return asked


def test_json_shows_the_plan_before_it_asks(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = types(monkeypatch, "no")
    code, lines, _ = apply(capsys, root, "--answers", answers(root))
    assert (code, [line["event"] for line in lines]) == (4, ["plan"])
    plan = lines[0]["plan"]
    assert plan["format"] == "compute-wizard.plan/1"
    assert "/etc/default/grub.d/zz-compute-wizard.cfg" in [step.get("path") for step in plan["steps"]]
    assert "Do this now?" in asked.getvalue()


def test_json_and_yes_give_the_journal_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = apply(capsys, root, "--answers", answers(root), "--yes")
    assert (code, err) == (0, "")
    assert (lines[0]["event"], lines[-1]["event"]) == ("begin", "end")


def test_json_says_what_blocks(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = apply(capsys, root, "--answers", answers(root, NO_CARD), "--yes")
    assert (code, [line["event"] for line in lines]) == (3, ["plan"])
    assert "VFS-NO-SUCH-CARD" in [finding["code"] for finding in lines[0]["plan"]["findings"]]
    assert "VFS-NO-SUCH-CARD" in err


def test_json_says_that_nothing_is_to_be_done(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = apply(capsys, root, "--answers", answers(root, ANSWERS), "--yes")
    assert (code, err, [line["event"] for line in lines]) == (0, "", ["plan"])
    assert lines[0]["plan"]["steps"] == []


def test_undo_with_json_is_shown_first_and_says_what_blocks(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply(capsys, root, "--answers", answers(root), "--yes")[0] == 0
    types(monkeypatch, "no")
    code, out, _ = call(capsys, "undo", "--root", str(root), "--json")
    shown = json.loads(out)["plan"]
    assert (code, shown["undoes"][:5]) == (4, "0001-")
    assert [step["kind"] for step in shown["steps"]].count("remove_file") >= 1
    drop_in = root / "etc/default/grub.d/zz-compute-wizard.cfg"
    drop_in.write_bytes(drop_in.read_bytes() + b"# mine\n")
    code, out, _ = call(capsys, "undo", "--root", str(root), "--json", "--yes")
    shown = json.loads(out)["plan"]
    assert (code, [finding["code"] for finding in shown["findings"]]) == (3, ["UNDO-CHANGED-SINCE"])
    assert shown["later_work"]


def test_what_is_shown_first_holds_no_secret(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = root / "etc/nova/nova.conf"
    conf.write_bytes(conf.read_bytes() + b"\n[database]\nconnection = mysql://nova:hunter2@db/nova\n")
    types(monkeypatch, "no")
    text = call(capsys, "suggest", "--root", str(root))[1]
    _, lines, _ = apply(capsys, root, "--answers", answers(root, text))
    assert "/etc/nova/nova.conf" in [step.get("path") for step in lines[0]["plan"]["steps"]]
    assert lines[0]["plan"]["complete"] is False
    assert "hunter2" not in json.dumps(lines)


def test_a_proof_is_announced_before_it_asks_with_json_too(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = types(monkeypatch, "no")
    monkeypatch.setattr(metadata, "announce", lambda *_: ["on br1441: ask"])
    assert metadata in proofs()
    code, out, _ = call(capsys, "verify", "--metadata", "--json", "--root", str(root))
    assert (code, out) == (4, "")
    assert "on br1441: ask" in asked.getvalue().partition("Do this now?")[0]


def test_where_the_answers_are_blocked_the_check_that_shows_it_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = answers(root, NO_CARD)
    code, out, err = call(capsys, "apply", "--root", str(root), "--files-only", "--answers", path, "--yes")
    assert code == 3
    assert "VFS-NO-SUCH-CARD" in out
    assert f"compute-wizard check --answers {path}" in err


def test_a_saved_plan_that_is_blocked_is_not_said_to_be_applied(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(root.parent / "a.plan")
    code, out, _ = call(capsys, "plan", "--root", str(root), "--answers", answers(root, NO_CARD), "--out", path)
    assert code == 3
    assert "run it with" not in out
    assert "apply refuses it" in out
    code, out, err = call(capsys, "apply", path, "--root", str(root), "--yes", "--files-only")
    assert (code, "VFS-NO-SUCH-CARD" in out) == (3, True)
    assert "compute-wizard check" not in err


@pytest.mark.parametrize(
    "words",
    [
        ["apply", "PLAN", "--yes"],
        ["apply", "PLAN", "--yes", "--files-only"],
        ["apply", "PLAN"],
        ["resume", "--yes"],
        ["confirm"],
    ],
)
def test_a_tar_is_said_to_be_read_only_at_once(
    words: list[str], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, tar = root.parent / "a.plan", root.parent / "node.tar"
    assert call(capsys, "plan", "--root", str(root), "--answers", answers(root), "--out", str(plan))[0] == 2
    with tarfile.open(tar, "w") as archive:
        archive.add(root, arcname=".")
    code, out, err = call(capsys, *[str(plan) if word == "PLAN" else word for word in words], "--root", str(tar))
    assert (code, out, "a tar is read only" in err) == (1, "", True)


def test_a_built_in_node_that_there_is_not_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "demo", "--node", "nope")
    assert (code, "nope" in err) == (64, True)
    assert list(parser.BUILT_IN) == demo.names()
