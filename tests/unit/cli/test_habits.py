"""What people expect of a command line: quiet and verbose, `-`, help with examples that work, files looked at without a node."""

from __future__ import annotations

import argparse
import io
import json
import re
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from calling import call, written

from wizard import toml
from wizard.answers import files as answer_files
from wizard.cli import help_text, parser

(COMMANDS,) = (action for action in parser.parser()._actions if isinstance(action, argparse._SubParsersAction))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written(tmp_path / "origin")


@pytest.fixture
def answers(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "answers.toml"
    path.write_text(call(capsys, "suggest", "--root", str(root))[1], "utf-8")
    return path


@pytest.mark.parametrize("command", ["check", "plan", "verify"])
def test_quiet_says_it_by_the_exit_code_alone(command: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loud = call(capsys, command, "--root", str(root))
    assert loud[1]
    for words in (["-q", command], [command, "-q"], [command, "--quiet"]):
        assert call(capsys, *words, "--root", str(root)) == (loud[0], "", loud[2])


def test_quiet_leaves_what_was_asked_for(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["inspect"],
        ["suggest"],
        ["plan", "--json"],
        ["plan", "--out", "-"],
        ["verify", "--format", "nagios"],
    ):
        _, out, _ = call(capsys, *words, "--root", str(root))
        _, quiet, _ = call(capsys, *words, "-q", "--root", str(root))
        assert quiet and len(quiet) == len(out), words


def test_quiet_never_hides_the_plan_that_a_question_is_about(
    root: Path, answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["apply", "-q", "--answers", str(answers), "--files-only", "--root", str(root)]
    code, out, _ = call(capsys, *words)
    assert code == 64 and "/etc/modprobe.d/mlx4_core.conf" in out
    code, out, _err = call(capsys, *words, "--yes")
    assert (code, out) == (0, "")


def test_verbose_tells_on_stderr_and_changes_no_result(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "check", "-v", "--root", str(root))
    assert (code, out) == call(capsys, "check", "--root", str(root))[:2]
    assert re.fullmatch(r"\[ *[0-9.]+ s\] check ended\n", err)


def test_validate(answers: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "validate", str(answers))
    assert (code, err) == (0, "") and out.startswith(f"{answers}: valid answers: iommu, vfs, passthrough")
    assert "note: serial MT1644X02937 fits one node alone" in out
    plan = tmp_path / "change.plan"
    call(capsys, "plan", "--out", str(plan), "--root", str(root))
    told = json.loads(call(capsys, "validate", str(plan), "--json")[1])
    assert (told["kind"], told["notes"]) == ("plan", []) and "iommu" in told["chapters"]
    plan.write_text(call(capsys, "plan", "--json", "--root", str(root))[1], "utf-8")
    assert json.loads(call(capsys, "validate", str(plan), "--json")[1])["kind"] == "plan"


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "has no format"),
        ("x = ", "is not TOML"),
        ('format = "compute-wizard.answers/1"\n[vfs]\ncard = [{ count = 3 }]\n', "vfs.card[1].match: is missing"),
        ('{"format": "compute-wizard.plan/1"}', "node: Field required"),
        ("{", "is not JSON"),
    ],
)
def test_validate_says_what_is_wrong(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_text(text, "utf-8")
    code, out, err = call(capsys, "validate", str(path))
    assert (code, out) == (1, "") and words in err


def test_standard_input_is_a_file_everywhere(
    root: Path, answers: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["validate", "-"], ["plan", "--answers", "-", "--root", str(root)]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(answers.read_bytes())))
        named = [str(answers) if word == "-" else word for word in words]
        assert call(capsys, *words)[0] == call(capsys, *named)[0]


def test_a_recording_is_piped_in(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(root, arcname=".")
    for content, code in ((tar.getvalue(), 0), (b"", 1), (tar.getvalue()[:700], 1)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        got, out, err = call(capsys, "inspect", "--root", "-")
        assert (got, bool(out)) == (code, code == 0), err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(tar.getvalue())))
    assert call(capsys, "apply", "--answers", "GONE", "--root", "-")[0] == 1


def test_what_is_piped_in_has_a_bound(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("wizard.node.bounded_tar.MOST_BYTES", 2 << 20)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(3 << 20))))
    code, out, err = call(capsys, "inspect", "--root", "-")
    assert (code, out) == (1, "") and "is more than 2 MiB" in err


class Pipe(io.TextIOWrapper):
    """A stdout whose bytes can be looked at."""


@pytest.mark.parametrize(
    "words, member",
    [(["bundle", "--out", "-"], "README.txt"), (["export", "ansible", "--out", "-"], "playbook.yml")],
)
def test_a_tar_goes_to_standard_output(
    words: list[str], member: str, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Pipe(io.BytesIO(), write_through=True)
    monkeypatch.setattr(sys, "stdout", out)
    from wizard.cli import main as cli

    assert cli.main([*words, "--root", str(root)]) == 0
    with tarfile.open(fileobj=io.BytesIO(out.buffer.getvalue())) as archive:  # type: ignore[attr-defined]
        assert [name for name in archive.getnames() if name.endswith(member)]


def test_a_tar_is_not_written_to_a_terminal(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for words in (["bundle", "--out", "-"], ["export", "ansible", "--out", "-"]):
        code, out, err = call(capsys, *words, "--root", str(root))
        assert (code, out) == (64, "") and "terminal" in err


def test_every_command_has_examples_and_its_exit_codes() -> None:
    assert set(help_text.EXAMPLES) == set(COMMANDS.choices)
    for name, command in COMMANDS.choices.items():
        text = command.format_help()
        examples = [line.strip() for line in text.split("examples:\n")[1].split("\n\nexit codes: ")[0].splitlines()]
        assert examples, name
        for line in examples:
            parts = [part.strip() for part in re.split(r"[|]|&&", line) if "compute-wizard" in part]
            for part in parts:
                words = shlex.split(re.split(r" > ", part)[0], comments=True)
                words = words[words.index("compute-wizard") + 1 :]
                parsed = parser.parser().parse_args(words)  # raises where the example is wrong
                assert parsed.command == name or len(parts) > 1, line


def test_suggest_has_alternatives_and_they_are_right(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each commented line, taken in place of its key, gives a file that is valid."""
    text = call(capsys, "suggest", "--root", str(root))[1]
    plain = answer_files.from_text(text, "")
    lines, tried = text.split("\n"), 0
    for at, line in enumerate(lines):
        found = re.match(r"# ((\w+) = .+?)  # ", line)
        if not found:
            continue
        start = max(i for i in range(at) if lines[i].startswith("["))
        own = [other for other in lines[start:at] if not re.match(rf"{found[2]} = ", other)]
        changed = "\n".join([*lines[:start], *own, found[1], *lines[at + 1 :]])
        assert answer_files.from_text(changed, "") != plain or found[2] == "match", line
        tried += 1
    assert tried > 5


@pytest.mark.parametrize("node", ["demo", "origin", "today"])
def test_portable_answers_fit_every_node_of_a_kind(
    node: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = written(tmp_path / node, node)
    text = call(capsys, "suggest", "--portable", "--root", str(root))[1]
    data = toml.loads(text)
    matches = [card["match"] for card in data.get("vfs", {}).get("card", ())]
    assert matches and all(set(match) == {"vendor", "product"} for match in matches)
    assert len({json.dumps(match) for match in matches}) == len(matches)
    path = tmp_path / "fleet.toml"
    path.write_text(text, "utf-8")
    assert "note: " not in call(capsys, "validate", str(path))[1]
    assert call(capsys, "check", "--answers", str(path), "--root", str(root))[0] in (0, 2, 3)


def test_record_makes_the_tar_of_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On this very machine, which both only look at: the same names in both tars."""
    ours, theirs = tmp_path / "ours.tar", tmp_path / "theirs.tar"
    code, out, _ = call(capsys, "record", str(ours))
    assert code == 0 and f"recorded into {ours}" in out
    recorder = tmp_path / "recorder.sh"
    recorder.write_text(call(capsys, "recorder")[1], "utf-8")
    subprocess.run(["sh", recorder, theirs], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    names = []
    for path in (ours, theirs):
        with tarfile.open(path) as archive:
            names.append({name for name in archive.getnames() if not re.search(r"/(proc|sys|commands)/", f"/{name}/")})
    assert names[0] == names[1] and len(names[0]) > 10
    assert call(capsys, "inspect", "--root", str(ours))[0] == 0
    code, _, err = call(capsys, "record", str(ours), "-v")
    assert code == 1 and "code NOT-RECORDED" in err
    assert call(capsys, "record", str(tmp_path / "x.tar"), "--root", str(tmp_path))[0] == 64
