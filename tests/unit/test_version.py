"""What `--version` says: the version, and the commit where it is known; git itself made what is read."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from wizard.cli import main as cli
from wizard.cli import parser
from wizard.version import BUILT_FROM, origin, version

SHA = "0123456789abcdef0123456789abcdef01234567"


def git(place: Path, *words: str) -> str:
    given = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # those of a hook, say
    return subprocess.check_output(["git", *given, *words], cwd=place, text=True, env=clean).strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if not shutil.which("git"):
        pytest.skip("git: not installed")
    home = tmp_path / "checkout"
    home.mkdir()
    git(home, "init", "--quiet", "--initial-branch=some/name")
    (home / "pyproject.toml").touch()
    git(home, "add", ".")
    git(home, "commit", "--quiet", "--message=one")
    return home


@pytest.mark.parametrize("state", ["a branch", "packed", "detached", "a work tree", "a work tree, packed"])
def test_the_commit_of_a_checkout(checkout: Path, state: str) -> None:
    head, place = git(checkout, "rev-parse", "HEAD"), checkout
    if state == "detached":
        git(checkout, "checkout", "--quiet", "--detach")
    if "work tree" in state:
        place = checkout.parent / "other"
        git(checkout, "worktree", "add", "--quiet", "-b", "other", str(place))
    if "packed" in state:
        git(checkout, "pack-refs", "--all")
    assert origin(place) == f"a checkout, at commit {head[:12]}"


def test_nothing_is_said_where_it_is_not_known(checkout: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    assert origin(installed) == ""
    git(installed, "init", "--quiet")  # of somebody else: what was installed there has no pyproject.toml
    assert origin(installed) == ""
    (installed / "pyproject.toml").touch()  # a branch without a commit
    assert origin(installed) == ""
    (checkout / ".git/HEAD").write_bytes(b"\xff\n")
    assert origin(checkout) == ""
    (checkout / ".git/HEAD").write_text("ref: ../../../etc/hostname\n", encoding="utf-8")
    assert origin(checkout) == ""


def test_what_was_written_when_it_was_built_comes_first(checkout: Path) -> None:
    built = checkout / BUILT_FROM
    built.parent.mkdir()
    built.write_text(f"{SHA}\n", encoding="utf-8")
    assert origin(checkout) == "commit 0123456789ab"
    built.write_text("\x1b[31mnone\n", encoding="utf-8")
    assert origin(checkout).startswith("a checkout, at commit ")


@pytest.mark.parametrize(("made_from", "said"), [("commit 0123", " (commit 0123)"), ("", "")])
def test_the_command_line_says_both(
    made_from: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parser, "origin", lambda: made_from)
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code in (0, None)
    assert capsys.readouterr().out == f"compute-wizard {version()}{said}\n"
