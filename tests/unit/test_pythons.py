"""The oldest Python that the tool runs on is said in several files: they agree, and TOML is read on each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from screens import start
from wizard import toml
from wizard.errors import Exit

REPOSITORY = Path(__file__).parents[2]
PROJECT = toml.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
OLDEST = ".".join(map(str, start.NEEDED))


def test_the_tools_check_for_the_oldest_python() -> None:
    assert PROJECT["project"]["requires-python"] == f">={OLDEST}"
    assert PROJECT["tool"]["mypy"]["python_version"] == OLDEST
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{OLDEST.replace('.', '')}"


@pytest.mark.parametrize(
    "name",
    ["Makefile", "screens/start.py", "README.md", "assets/export/ansible/roles/compute_wizard/tasks/install.yml"],
)
def test_what_people_and_scripts_are_told_is_the_oldest_python(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    named = re.findall(r"Python (3\.\d+) or newer", text) + re.findall(r"version_info < \((3), (\d+)\)", text)
    assert named
    assert {each if isinstance(each, str) else ".".join(each) for each in named} == {OLDEST}


def test_toml_is_read() -> None:
    assert toml.loads("a = [1]\n") == {"a": [1]}
    with pytest.raises(toml.TOMLDecodeError):
        toml.loads("a = \n")


def test_an_exit_code_is_written_as_a_number() -> None:
    assert [str(Exit.REFUSED), f"{Exit.REFUSED}"] == ["4"] * 2
