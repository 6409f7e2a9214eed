"""The man page and the completions are made from the parser: every command and option is in them, and their readers take them."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY

from wizard.cli.parser import parser

pytest.importorskip("shtab")
pytest.importorskip("argparse_manpage")

(COMMANDS,) = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("man")
    subprocess.run([sys.executable, REPOSITORY / "packaging/man.py", place], check=True, capture_output=True)
    return place


def options(command: argparse.ArgumentParser) -> list[str]:
    return [name for action in command._actions for name in action.option_strings if name.startswith("--")]


def test_the_page_has_every_command_and_option(made: Path) -> None:
    text = (made / "compute-wizard.8").read_text("utf-8").replace("\\-", "-")
    for name, command in COMMANDS.choices.items():
        section = text.split(f".SH OPTIONS \\fI\\,'compute-wizard {name}'")
        assert len(section) == 2, name
        body = re.split(r"^\.SH", section[1], flags=re.M)[0]
        assert [word for word in options(command) if word not in body and word != "--help"] == [], name
    for word in ("EXAMPLES", "EXIT STATUS", "FILES"):
        assert f".SH {word}\n" in text
    assert ".B 130\n" in text


@pytest.mark.skipif(shutil.which("man") is None, reason="man: man-db is not installed")
def test_man_reads_it_without_a_warning(made: Path) -> None:
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-P", "cat", "-l", made / "compute-wizard.8"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
    )
    assert done.stderr == ""
    assert "compute-wizard apply change.plan --yes --confirm 10" in done.stdout


def test_twice_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    env = {"SOURCE_DATE_EPOCH": "1700000000", "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "7"}
    texts = []
    for place in (tmp_path / "a", tmp_path / "b"):
        subprocess.run(
            [sys.executable, REPOSITORY / "packaging/man.py", place], check=True, capture_output=True, env=env
        )
        texts.append({path.name: path.read_bytes() for path in place.iterdir()})
        env["PYTHONHASHSEED"] = "8"
    assert texts[0] == texts[1]


def completed(made: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    script = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}\n'
        "_shtab_compute_wizard; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", made / "compute-wizard.bash", "compute-wizard", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    return [word.strip() for word in done.stdout.split()]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash: bash is not installed")
def test_bash_completes_every_command_and_option(made: Path) -> None:
    subprocess.run(["bash", "-n", made / "compute-wizard.bash"], check=True)
    assert set(COMMANDS.choices) <= set(completed(made, ""))
    for name, command in COMMANDS.choices.items():
        assert set(options(command)) <= set(completed(made, name, "--")), name
    assert completed(made, "verify", "--format", "n") == ["nagios"]


@pytest.mark.parametrize("shell, name", [("zsh", "_compute-wizard"), ("fish", "compute-wizard.fish")])
def test_other_shells_read_theirs(made: Path, shell: str, name: str) -> None:
    text = (made / name).read_text("utf-8")
    for word, command in COMMANDS.choices.items():
        assert re.search(rf"\b{word}\b", text)
        for option in options(command):
            assert (option if shell == "zsh" else f"-l {option[2:]} ") in text, (word, option)
    if shutil.which(shell):
        subprocess.run([shell, "-n", made / name], check=True)
