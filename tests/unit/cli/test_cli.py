"""The command line: results on stdout, one clear message on stderr, exit codes as promised, nothing written by looking."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call, written
from places import REPOSITORY

from wizard.cli import main as cli
from wizard.cli import parser


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return written(tmp_path / "origin")


def fingerprint(directory: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        whole.update(f"{path} {status.st_mode} {status.st_mtime_ns} {status.st_size}".encode())
        if path.is_file() and not path.is_symlink():
            whole.update(path.read_bytes())
    return whole.hexdigest()


def test_looking_leaves_no_trace_and_stderr_is_empty(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fingerprint(origin)
    for words, code in (
        (["inspect"], 0),
        (["inspect", "--json"], 0),
        (["check"], 0),
        (["check", "--json"], 0),
        (["suggest"], 0),
        (["plan"], 2),
        (["plan", "--json"], 2),
        (["verify"], 2),
        (["verify", "--json"], 2),
        (["history"], 0),
        (["history", "--json"], 0),
    ):
        got, out, err = call(capsys, *words, "--root", str(origin))
        assert (got, err) == (code, ""), words
        assert out
        if "--json" in words:
            json.loads(out)
    assert fingerprint(origin) == before


def test_the_root_may_stand_before_the_command(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--root", str(origin), "inspect")[1] == call(capsys, "inspect", "--root", str(origin))[1]


def test_a_tar_is_a_node_too(origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "node.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(origin, arcname=".")
    code, out, err = call(capsys, "plan", "--json", "--root", str(path))
    assert (code, err) == (2, "")
    ours, theirs = json.loads(out), json.loads(call(capsys, "plan", "--json", "--root", str(origin))[1])
    assert [step["diff"] for step in ours["steps"] if "diff" in step] == [
        step["diff"] for step in theirs["steps"] if "diff" in step
    ]
    code, _, err = call(
        capsys,
        "apply",
        "--root",
        str(path),
        "--answers",
        str(_answers(tmp_path, capsys, origin)),
        "--yes",
        "--files-only",
    )
    assert code == 1
    assert "read only" in err


def _answers(tmp_path: Path, capsys: pytest.CaptureFixture[str], origin: Path) -> Path:
    path = tmp_path / "answers.toml"
    path.write_text(call(capsys, "suggest", "--root", str(origin))[1], encoding="utf-8")
    return path


def test_what_suggest_says_gives_the_same_plan_as_no_answers(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = _answers(tmp_path, capsys, origin)
    assert call(capsys, "plan", "--root", str(origin), "--answers", str(answers)) == call(
        capsys, "plan", "--root", str(origin)
    )


def test_a_saved_plan_is_complete_private_and_applied_as_it_is(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "change.plan"
    assert call(capsys, "plan", "--root", str(origin), "--out", str(path))[0] == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text(encoding="utf-8"))["complete"] is True
    code, out, err = call(capsys, "apply", str(path), "--root", str(origin), "--yes")
    assert (code, "files-only" in err) == (4, True)
    code, out, err = call(capsys, "apply", str(path), "--root", str(origin), "--yes", "--files-only")
    assert (code, err) == (0, "")
    assert "not done here" in out
    assert (origin / "etc/modprobe.d/mlx4_core.conf").read_text(
        encoding="utf-8"
    ) == "options mlx4_core num_vfs=16 probe_vf=0\n"
    assert call(capsys, "apply", str(path), "--root", str(origin), "--yes", "--files-only")[0] == 4
    assert call(capsys, "history", "--root", str(origin))[1].startswith("0001-")
    code, out, err = call(
        capsys, "undo", "--root", str(origin), "--yes"
    )  # commands that were not run are not taken back
    assert (code, err) == (0, "")
    assert not (origin / "etc/modprobe.d/mlx4_core.conf").exists()


def test_a_masked_plan_is_refused(origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "masked.plan"
    path.write_text(call(capsys, "plan", "--json", "--root", str(origin))[1], encoding="utf-8")
    code, _, err = call(capsys, "apply", str(path), "--root", str(origin), "--yes", "--files-only")
    assert code == 1
    assert "not complete" in err


def test_without_a_terminal_and_yes_nothing_is_asked_and_nothing_done(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(
        capsys, "apply", "--root", str(origin), "--files-only", "--answers", str(_answers(tmp_path, capsys, origin))
    )
    assert code == 64
    assert "--yes" in err
    assert not (origin / "etc/modprobe.d/mlx4_core.conf").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 64, "no command"),
        (["nonsense"], 64, "nonsense"),
        (["plan", "--no-such"], 64, "--no-such"),
        (["apply"], 64, "either a PLAN or --answers"),
        (["inspect", "--root", "/no/such/place"], 1, "does not exist"),
        (["inspect", "--root", "/etc/hostname"], 1, "tar"),
        (["plan", "--answers", "/no/such.toml"], 1, "No such file"),
        (["apply", "/no/such.plan"], 1, "No such file"),
        (["history", "77", "--root", "ROOT"], 1, "no run 77"),
    ],
)
def test_mistakes_get_one_message(
    words: list[str], code: int, message: str, origin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got, out, err = call(capsys, *(str(origin) if word == "ROOT" else word for word in words))
    assert got == code
    assert message in err
    assert err.startswith("compute-wizard: ")
    assert "Traceback" not in out + err


def test_a_truncated_recording_is_a_node_with_much_unseen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    (empty / "sys/bus/pci/devices").mkdir(parents=True)
    (empty / "sys/bus/pci/devices/0000:03:00.0").symlink_to("../../../devices/gone")
    for command, codes in (("inspect", {0}), ("check", {0, 2}), ("suggest", {0}), ("plan", {0}), ("verify", {0, 7})):
        code, out, err = call(capsys, command, "--root", str(empty))
        assert code in codes, (command, out)
        assert err == ""


@pytest.mark.parametrize(
    "content", [b"\xff\xfe[DEFAULT]\n", b"[DEFAULT\n", b"\xef\xbb\xbf[DEFAULT]\n", b"x = 1\n", b"[DEFAULT]\n  y\n"]
)
def test_a_nova_conf_that_nova_would_refuse_is_never_touched(
    origin: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (origin / "etc/nova/nova.conf").write_bytes(content)
    code, out, err = call(capsys, "plan", "--root", str(origin))
    assert (code, err) == (3, "")
    assert "/etc/nova/nova.conf" in out
    assert "change /etc/nova/nova.conf" not in out


@pytest.mark.parametrize(
    "change", [lambda c: c.replace(b"\n", b"\r\n"), lambda c: c.rstrip(b"\n"), lambda c: c + b"# filler\n" * 60000]
)
def test_odd_but_valid_files_are_edited_as_they_are(
    origin: Path, change: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    path = origin / "etc/nova/nova.conf"
    path.write_bytes(change(path.read_bytes()))
    code, out, err = call(capsys, "plan", "--root", str(origin))
    assert (code, err) == (2, "")
    assert "pci_passthrough_whitelist" in out


def test_the_face_is_started_for_the_demo_only_by_the_entry_point(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[Any, ...]] = []

    def face(open_node: Any, ui: str, simulated: bool) -> int:
        seen.append((open_node()[1], ui, simulated))
        return 0

    assert cli.main(["demo", "--node", "today"], face) == 0
    assert seen[0][1:] == ("auto", True)
    assert not Path(seen[0][0]).exists()
    assert call(capsys, "demo", "--node", "none-such")[0] in (1, 64)


def test_commands_start_without_a_screen_library() -> None:
    code = "import sys, wizard.cli.main; sys.exit(bool({'textual', 'questionary', 'prompt_toolkit', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 0


def test_the_entry_point_says_which_python_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    from screens import start

    said = io.StringIO()
    monkeypatch.setattr(start, "NEEDED", (9, 9))
    monkeypatch.setattr(sys, "stderr", said)
    assert start.main() == 1  # type: ignore[no-untyped-call]
    assert "needs Python 3.10 or newer" in said.getvalue()


def test_the_documented_commands_are_those_that_there_are() -> None:
    text = (REPOSITORY / "docs/command-line.md").read_text(encoding="utf-8")
    (commands,) = [action for action in parser.parser()._actions if isinstance(action.choices, dict)]
    for name in commands.choices or {}:
        assert f"compute-wizard {name}" in text


def test_a_proof_on_a_node_that_is_not_live_is_unknown_and_asks_nothing(
    origin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fingerprint(origin)
    code, out, err = call(capsys, "verify", "--metadata", "--json", "--root", str(origin))
    assert (code, err) == (2, "")
    proven = [check for check in json.loads(out)["checks"] if check["seen"] == "only a live node can be asked"]
    assert {check["state"] for check in proven} == {"unknown"}
    assert fingerprint(origin) == before


def test_verify_without_a_proof_says_nothing_of_limits(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "verify", "--json", "--root", str(origin))
    assert "limits" not in json.loads(out)


def test_inspect_tells_cards_apart_and_who_limits_them(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = call(capsys, "inspect", "--root", str(origin))[1]
    for words in (
        "15b3:1007, serial MT1644X02937, firmware 2.42.5000",
        "mlx4_0 port 1 InfiniBand ACTIVE",
        "no IOMMU group",
    ):
        assert words in out
    assert "the kernel and the firmware allow 16, mlx4_core at most 63; 0 now" in out
    assert max(map(len, out.splitlines())) < 140


def test_what_was_not_run_is_counted_at_the_end(
    origin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = str(_answers(tmp_path, capsys, origin))
    code, out, _ = call(capsys, "apply", "--root", str(origin), "--answers", answers, "--yes", "--files-only")
    assert code == 0
    left = out.count("not done here: files only")
    assert left > 5
    assert f"{left} steps were not done here; they stay in the plan." in out
    assert out.rstrip().endswith("on the controller: `compute-wizard plan` lists it.")
    assert "not done here" not in call(capsys, "undo", "--root", str(origin), "--yes")[1]


def _examples() -> list[tuple[str, str]]:
    """Every command of ours in a fenced block of README and docs, without comments, pipes and redirections."""
    found = []
    for path in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]:
        blocks = path.read_text(encoding="utf-8").split("```")[1::2]
        for line in "\n".join(blocks).splitlines():
            command = re.split(r"\s#|[|>]|&&|   +", line.strip())[0].strip()
            if command.startswith("compute-wizard") and not set("[(…`") & set(line):
                found.append((path.name, command))
    return found


@pytest.mark.parametrize(("page", "command"), _examples())
def test_every_command_in_the_documents_is_understood(page: str, command: str) -> None:
    assert parser.parser().parse_args(shlex.split(command)[1:]), page


def test_there_are_commands_in_the_documents() -> None:
    assert len(_examples()) > 20


def test_the_entry_point_can_be_read_by_old_pythons() -> None:
    text = (REPOSITORY / "screens/start.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 4))
    ast.parse((REPOSITORY / "screens/__init__.py").read_text(encoding="utf-8"), feature_version=(3, 4))


def test_ctrl_c_while_the_libraries_load_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from screens import start

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    assert start.main() == 130  # type: ignore[no-untyped-call]


def test_a_run_is_named_by_its_number_with_or_without_zeros(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = origin.parent / "answers.toml"
    answers.write_text('format = "compute-wizard.answers/1"\n[iommu]\nenable = true\n', encoding="utf-8")
    assert call(capsys, "apply", "--root", str(origin), "--answers", str(answers), "--yes", "--files-only")[0] == 0
    name = call(capsys, "history", "--root", str(origin))[1].split()[0]
    for word in ("1", "0001", name):
        assert name in call(capsys, "history", word, "--root", str(origin))[1]
    assert call(capsys, "history", "2", "--root", str(origin))[0] == 1


def test_a_guest_is_booted_on_a_live_node_alone(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = call(capsys, "verify", "--guest", "--json", "--root", str(origin))
    assert err == ""
    last = json.loads(out)["checks"][-1]
    assert (last["state"], last["seen"]) == ("unknown", "only a live node can boot a guest")
